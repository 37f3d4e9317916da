"""Tables of real numbers with the names of their rows and columns."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from wellposed._errors import DataError, named_features
from wellposed.sources import BlockSource
from wellposed.tables import Covariates, Schema
from wellposed.transforms import all_finite

from .numbers import check_whole, column_name, numbers, refuse


@dataclasses.dataclass(frozen=True, eq=False)
class Table:
    """Real numbers, one datum a row, with the names of rows and columns for messages.

    Parameters
    ----------
    values : array of shape (n, d), real, in native byte order; NaN is a gap
    names : feature names, where the container has text for each column
    labels : the columns' labels as text, where the container has labels
    image_shape : of one row before it was flattened; None for a table
    lines : line of the file on which each row stands, for text
    schema : of the frame that the rows were
    covariates : of columns that a conditional model is given, which are not among the ``values``
    given : their numbers, array of shape (n, q)
    first : number of the first row in the source that the rows are a part of
    """

    values: np.ndarray
    names: tuple[str, ...] | None = None
    labels: tuple[str, ...] | None = None
    image_shape: tuple[int, ...] | None = None
    lines: np.ndarray | None = None
    schema: Schema | None = None
    covariates: Covariates | None = None
    given: np.ndarray | None = None
    first: int = 0

    def check_finite(self, *, ignorable: bool = False) -> None:
        """Raise ``DataError`` for NaN and infinity, with count, columns and first position.

        ``ignorable`` is whether the estimator has the setting ``missing``, which is then a remedy.
        """
        values = self.values
        if all_finite(values):
            return
        bad = ~np.isfinite(values)
        count = int(bad.sum())
        row, column = (int(i) for i in np.argwhere(bad)[0])
        kind = "NaN" if np.isnan(values[row, column]) else "inf"
        where = np.flatnonzero(bad.any(axis=0))
        remedy = "Drop those rows or columns."
        if np.isnan(values).any():
            remedy = "Drop those rows or columns, or fill the gaps first."
        if np.isnan(values).any() and ignorable:
            remedy = (
                'Pass missing="ignorable" (--missing ignorable) if whether an entry is missing '
                "depends on observed entries only; or drop those rows or columns, or fill the gaps "
                "first."
            )
        raise DataError(
            f"Data must be finite; {count} of {values.size} entries are NaN or inf, the first "
            f"({kind}) at {self.row(row)}, {column_name(column, self.labels)}; all are in "
            f"{column_names(where, self.labels)}. {remedy}"
        )

    def check_gaps(self, *, observed: bool) -> None:
        """Raise ``DataError`` for infinity and, if ``observed``, for columns of gaps alone."""
        values = self.values
        if values.dtype.kind != "f" or not values.size:
            return
        infinite = np.isinf(values)
        if infinite.any():
            row, column = (int(i) for i in np.argwhere(infinite)[0])
            where = np.flatnonzero(infinite.any(axis=0))
            raise DataError(
                f"Data must be finite or missing; {infinite.sum()} of {values.size} entries are "
                f"inf, the first at {self.row(row)}, {column_name(column, self.labels)}; all are "
                f"in {column_names(where, self.labels)}. Drop those rows or columns, or set these "
                "entries to NaN if they are missing."
            )
        empty = np.flatnonzero(np.isnan(values).all(axis=0)) if observed else np.empty(0, int)
        if empty.size:
            raise DataError(
                f"Every column must have an observed entry; {empty.size} of {values.shape[1]} "
                f"have none, {column_names(empty, self.labels)}. Drop them."
            )

    def take(self, chosen: np.ndarray) -> "Table":
        """Return some rows, given by a mask or by their positions."""
        lines = None if self.lines is None else np.asarray(self.lines)[chosen]
        given = None if self.given is None else self.given[chosen]
        return dataclasses.replace(self, values=self.values[chosen], lines=lines, given=given)

    def row(self, i: int) -> str:
        """Return the name of a row: its line of the file, or its position from 0."""
        return f"row {self.first + i}" if self.lines is None else f"line {self.lines[i]}"


def of_array(values: np.ndarray) -> Table:
    """Turn an array of two axes, or of images, into a table.

    Raises
    ------
    DataError
        For entries that are no numbers, and for arrays of fewer than two axes.
    """
    if values.ndim < 2:
        raise DataError(
            f"Expected 2D array, rows and features; got {values.ndim} axes, shape {values.shape}. "
            "Reshape your data: X.reshape(-1, 1) if it holds one "
            "feature, X.reshape(1, -1) if it is one row."
        )
    shape = values.shape[1:] if values.ndim > 2 else None
    d = int(np.prod(values.shape[1:]))
    flat = values.reshape(len(values), d)
    if flat.dtype.kind == "O" and flat.size:
        return of_columns([flat[:, j] for j in range(d)], None, image_shape=shape)
    real = numbers(flat, "the array")
    if real.dtype.kind in "iu":
        check_whole(real, lambda j: column_name(j, None))
    return Table(real, image_shape=shape)


def of_source_rows(source: BlockSource, rows: np.ndarray, first: int = 0) -> Table:
    """Return some rows of a source, shape (m, d), as a table with its names.

    ``first`` is the number of the first of them in the source.
    """
    names = source.feature_names
    return Table(rows, names, names, source.image_shape, first=first)


def of_columns(
    columns: Sequence[np.ndarray],
    labels: Sequence[object] | None,
    *,
    image_shape: tuple[int, ...] | None = None,
    n_rows: int = 0,
) -> Table:
    """Turn columns of any types into a table; ``n_rows`` is for none at all.

    Text labels are feature names. Where some labels are text and some are not, all become text,
    as in a file; labels of which none is text name no feature, as in scikit-learn.
    """
    named = None if labels is None else tuple(str(label) for label in labels)
    real = []
    for j, column in enumerate(columns):
        name = column_name(j, named)
        if column.ndim != 1:
            refuse(name, "several values an entry")
        values = numbers(column, name)
        if values.dtype.kind in "iu":
            check_whole(values, lambda _, name=name: name)
        real.append(values)
    text = labels is not None and any(isinstance(label, str) for label in labels)
    return Table(_stack(real, n_rows), named if text else None, named, image_shape)


def _stack(columns: list[np.ndarray], n_rows: int) -> np.ndarray:
    if not columns:
        return np.empty((n_rows, 0))
    return np.column_stack(columns)


def column_names(columns: Sequence[int] | np.ndarray, labels: Sequence[str] | None) -> str:
    """List columns for a message by their labels, or their positions from 0."""
    listed = named_features(columns, names=labels)
    return f"{'column' if len(columns) == 1 else 'columns'} {listed}"
