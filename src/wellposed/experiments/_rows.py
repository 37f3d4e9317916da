"""The rows on which a recipe runs."""

import numpy as np
import numpy.typing as npt

from wellposed import datasets
from wellposed._errors import DataError


def as_rows(rows: npt.ArrayLike | None, n_digits: int) -> np.ndarray:
    """Return ``rows`` as a table; if None, the first embedded digits, values 0 to 16."""
    return as_table(datasets.load_digits().values[:n_digits] if rows is None else rows)


def as_table(rows: npt.ArrayLike) -> np.ndarray:
    """Return ``rows`` in float64, shape (n, d).

    Raises
    ------
    DataError
        If they are not a finite table.
    """
    try:
        values = np.asarray(rows, np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"An experiment needs a finite table of shape (n, d); got {type(rows).__name__}: "
            f"{error}. Pass numbers, in rows of one length."
        ) from error
    if values.ndim != 2 or values.size == 0 or not np.isfinite(values).all():
        raise DataError(
            f"An experiment needs a finite table of shape (n, d); got shape {values.shape}. "
            "Flatten each datum to a row, and drop rows with missing values."
        )
    return values


def squared_distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return squared distances between the rows of two tables: shapes (n, d), (m, d) to (n, m)."""
    squares = (a**2).sum(1)[:, None] - 2 * a @ b.T + (b**2).sum(1)[None, :]
    return np.maximum(squares, 0.0)  # rounding can make the square of equal rows negative
