"""Data that are read in blocks of rows, and need not fit in memory."""

import abc
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from wellposed._errors import DataError

_LEAST_ROWS, _MOST_ROWS = 64, 1_024
_BLOCK_BYTES = 1 << 17


class BlockSource(abc.ABC):
    """Rows of numbers in blocks, each of which can be read by itself.

    A source of your own has these attributes and the methods :meth:`identity` and :meth:`read`.

    Attributes
    ----------
    n_rows, n_features : int, n and d
    dtype : numpy dtype of the rows, a real one
    block_rows : largest number of rows in a block. All blocks but the last have as many, unless
        ``starts`` says otherwise
    starts : array of shape (blocks + 1,) or None; the first row of each block, and n
    feature_names : tuple of d names, or None
    paths : files and folders that are read, which an output must not replace
    image_shape : tuple or None; (H, W) or (H, W, C), where the rows are images

    Examples
    --------
    >>> class Squares(BlockSource):
    ...     n_rows, n_features, dtype, block_rows = 10, 1, np.dtype(float), 4
    ...     def identity(self):
    ...         return "squares to 10"
    ...     def read(self, block, out):
    ...         start, stop = self.span(block)
    ...         out[:, 0] = np.arange(start, stop) ** 2
    >>> Squares().rows(3, 6).ravel().tolist()
    [9.0, 16.0, 25.0]
    """

    n_rows: int
    n_features: int
    dtype: np.dtype
    block_rows: int
    starts: np.ndarray | None = None
    feature_names: tuple[str, ...] | None = None
    image_shape: tuple[int, ...] | None = None
    paths: tuple[Path, ...] = ()

    @abc.abstractmethod
    def identity(self) -> str:
        """Return a text that changes when the data change; it is asked for before each pass."""

    @abc.abstractmethod
    def read(self, block: int, out: np.ndarray) -> None:
        """Fill ``out``, an array of shape (rows of the block, d), with the rows of a block.

        It is called from a thread of its own, one block at a time.
        """

    @property
    def n_blocks(self) -> int:
        """Number of blocks."""
        if self.starts is not None:
            return len(self.starts) - 1
        return -(-self.n_rows // self.block_rows)

    def span(self, block: int) -> tuple[int, int]:
        """Return the first row of a block, and the first row after it."""
        if self.starts is not None:
            return int(self.starts[block]), int(self.starts[block + 1])
        start = block * self.block_rows
        return start, min(start + self.block_rows, self.n_rows)

    def block_at(self, row: int) -> int:
        """Return the number of the block that has a row."""
        if self.starts is not None:
            return int(np.searchsorted(self.starts, row, side="right")) - 1
        return row // self.block_rows

    def whole_block(self, block: int) -> np.ndarray:
        """Return the rows of a block, shape (m, d)."""
        start, stop = self.span(block)
        rows = np.empty((stop - start, self.n_features), self.dtype)
        self.read(block, rows)
        return rows

    def within(self, start: int, stop: int) -> Iterator[tuple[int, int, int]]:
        """Yield block, first place and the place after the last that the rows have, in order.

        The rows are those from ``start`` to before ``stop``.
        """
        while start < stop:
            block = self.block_at(start)
            first, last = self.span(block)
            until = min(last, stop)
            yield block, start - first, until - first
            start = until

    def rows(self, start: int, stop: int) -> np.ndarray:
        """Return the rows from ``start`` to before ``stop``, shape (m, d), in order."""
        rows, at = np.empty((stop - start, self.n_features), self.dtype), 0
        for block, low, high in self.within(start, stop):
            first, last = self.span(block)
            target = rows[at : at + high - low]
            if high - low == last - first:
                self.read(block, target)
            else:
                target[:] = self.whole_block(block)[low:high]
            at += high - low
        return rows

    def _shape_as(self, shape: tuple[int, ...], origin: str) -> None:
        """Set the attributes that an array of shape (n, d), (n, H, W) or (n, H, W, C) has."""
        self.n_rows, *within = shape
        self.n_features = math.prod(within)
        self.image_shape = tuple(within) if len(within) > 1 else None
        check_some(self.n_rows, self.n_features, origin)

    @property
    def row_bytes(self) -> int:
        """Bytes of a row in memory."""
        return self.n_features * np.dtype(self.dtype).itemsize

    def __repr__(self) -> str:
        kind = type(self).__name__
        return f"{kind}({self.n_rows:,} rows of {self.n_features:,} numbers, {self.dtype})"


def rows_in_block(row_bytes: int) -> int:
    """Return a power of two of rows, 64 to 1,024, of about 128 KiB.

    Small blocks make a better order, and large ones are read faster.
    """
    rows = max(1, _BLOCK_BYTES // max(row_bytes, 1))
    return min(max(1 << rows.bit_length() - 1, _LEAST_ROWS), _MOST_ROWS)


def check_real(dtype: np.dtype, origin: str) -> None:
    """Refuse entries that are no real numbers in native byte order.

    Raises
    ------
    DataError
        Naming the type.
    """
    if dtype.kind not in "buif":
        raise DataError(
            f"Data must be real numbers; {origin} holds {dtype}. Convert it before saving, for "
            "example with `array.astype(float)`."
        )


def check_some(n_rows: int, n_features: int, origin: str) -> None:
    """Refuse a source without rows or features.

    Raises
    ------
    DataError
        Naming the shape.
    """
    if n_rows < 1 or n_features < 1:
        raise DataError(
            f"Data need at least one row and one feature; {origin} has {n_rows} rows and "
            f"{n_features} features. Check how it was written, or leave it out."
        )
