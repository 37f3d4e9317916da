"""The rows that a recipe runs on."""

from typing import Any

import numpy as np

from wellposed import datasets
from wellposed._errors import DataError


def as_rows(rows: Any, n_digits: int) -> np.ndarray:
    """Return ``rows`` by :func:`as_table`, or the first of the embedded digits, values 0 to 16."""
    return as_table(datasets.load_digits().values[:n_digits] if rows is None else rows)


def as_table(rows: Any) -> np.ndarray:
    """Return ``rows`` in float64, shape (n, d).

    Raises
    ------
    DataError
        If they are no finite table.
    """
    try:
        values = np.asarray(rows, np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"An experiment runs on a finite table of shape (n, d); got {type(rows).__name__}: "
            f"{error}. Give numbers, in rows of one length."
        ) from error
    if values.ndim != 2 or values.size == 0 or not np.isfinite(values).all():
        raise DataError(
            f"An experiment runs on a finite table of shape (n, d); got shape {values.shape}. "
            "Flatten each datum to a row, and drop rows with missing values."
        )
    return values


def squared_distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Squared Euclidean distances between the rows of two tables: shapes (n, d), (m, d) to (n, m).

    Rounding can leave a square below zero, where rows coincide.
    """
    squares = (a**2).sum(1)[:, None] - 2 * a @ b.T + (b**2).sum(1)[None, :]
    return np.maximum(squares, 0.0)
