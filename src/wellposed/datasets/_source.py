"""The results of the readers: arrays with their names, image shape and lines in the file."""

from dataclasses import dataclass

import numpy as np

from wellposed._errors import DataError


@dataclass(frozen=True)
class Parsed:
    """Result of a parser: an array of any shape, and names where the file has them.

    ``lines`` are the lines of the rows in a text file. ``remarks`` are sentences about decisions
    where the file is ambiguous; the caller issues them as warnings.
    """

    values: np.ndarray
    feature_names: tuple[str, ...] | None = None
    lines: np.ndarray | None = None
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Source:
    """A table of numbers in the file's own type, one datum a row.

    Parameters
    ----------
    values : array of shape (n, d)
        The data in the units and the type of the file (``uint8`` stays ``uint8``), in native
        byte order. Missing cells of text and parquet files are NaN.
    image_shape : tuple of int or None
        The shape that a row had before it was flattened in row-major order: (H, W) or
        (H, W, C), or ``None`` for a table.
    feature_names : tuple of str or None
        One name a feature where the file gives them; they need not be distinct.
    labels : array of shape (n,) or None
        Class labels, for the data sets that come with them.
    lines : array of shape (n,) or None
        For text: the line of each row in the file, counted from 1 as in an editor, for messages.

    Examples
    --------
    >>> source = Source(np.zeros((2, 6)), image_shape=(2, 3))
    >>> source.images.shape
    (2, 2, 3)
    """

    values: np.ndarray
    image_shape: tuple[int, ...] | None = None
    feature_names: tuple[str, ...] | None = None
    labels: np.ndarray | None = None
    lines: np.ndarray | None = None

    @property
    def images(self) -> np.ndarray:
        """View the rows in their ``image_shape``, as an array of shape (n, H, W) or (n, H, W, C).

        Raises
        ------
        DataError
            If the source is a table, whose rows have no image shape.
        """
        if self.image_shape is None:
            raise DataError(
                f"Only data with an image shape can be viewed as images; this is a table of shape "
                f"{self.values.shape}. Reshape `values` yourself."
            )
        return self.values.reshape(-1, *self.image_shape)


def as_source(parsed: Parsed, origin: str) -> Source:
    """Flatten a parsed array to (n, d), after the checks that apply to every format."""
    values = numeric(parsed.values, origin)
    if values.ndim < 2:
        raise DataError(
            f"Data have a row for each datum and a column for each feature; {origin} holds an "
            f"array of shape {values.shape}. Reshape it to (n, 1) for a single feature, or read "
            f"it with `read_labels` if it holds labels."
        )
    if 0 in values.shape:
        raise DataError(
            f"Data need at least one row and one feature; {origin} has the shape {values.shape}. "
            f"Check how it was written."
        )
    shape = values.shape[1:] if values.ndim > 2 else None
    flat = values.reshape(len(values), -1)
    return Source(flat, shape, parsed.feature_names, lines=parsed.lines)


def numeric(values: np.ndarray, origin: str) -> np.ndarray:
    """Return an array of numbers in native byte order, which JAX requires; refuse others."""
    if values.dtype.kind not in "buif":
        raise DataError(
            f"Data must be real numbers; {origin} holds {values.dtype}. Convert it before saving, "
            f"for example with `array.astype(float)`."
        )
    if values.dtype.isnative:
        return values
    if values.flags.writeable:  # in place, since a copy doubles the memory
        return values.byteswap(inplace=True).view(values.dtype.newbyteorder("="))
    return values.astype(values.dtype.newbyteorder("="))
