"""Improved precision and recall of a sample against real data."""

import dataclasses
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from wellposed._errors import DataError, SettingError

from ._frechet import as_features

_DISTANCES_AT_ONCE = 4_000_000  # entries in memory

# Squares of two rows' distance are differences of larger squares: below this share of those they
# are rounding, and the rows are one.
_DUST = 1e-13


@dataclasses.dataclass(frozen=True, eq=False)
class PrecisionRecall:
    """Which rows of each sample lie in the other's manifold, and the shares that do."""

    drawn_inside: np.ndarray  # (n,), bool: within the manifold of the real rows
    real_inside: np.ndarray  # (m,), bool: within the manifold of the drawn rows

    @property
    def precision(self) -> float:
        """Share of drawn rows that look real."""
        return float(self.drawn_inside.mean())

    @property
    def recall(self) -> float:
        """Share of real rows that could have been drawn."""
        return float(self.real_inside.mean())


def precision_recall(drawn: Any, real: Any, *, k: int = 3) -> PrecisionRecall:
    """Measure improved precision and recall.

    The manifold of a sample is the union of balls around its rows, each out to the row's k-th
    nearest neighbour in the sample. Both figures grow with the size of the sample that the
    manifold is made of: compare equal sizes.

    Parameters
    ----------
    drawn, real : arrays of shape (n, f) and (m, f), n, m > k: features of the two samples
    k : neighbours

    Raises
    ------
    DataError
        If the arrays are not tables of equally many finite columns, with more than k rows.
    SettingError
        If k is not a whole number ≥ 1.

    References: Kynkäänniemi, Karras, Laine, Lehtinen & Aila (2019), eqs. 1-3; k = 3 is theirs.

    Examples
    --------
    >>> line = np.arange(8.0)[:, None]
    >>> found = precision_recall(line[:4], line)
    >>> found.precision, found.recall
    (1.0, 0.875)
    """
    if isinstance(k, bool) or not isinstance(k, (int, np.integer)) or k < 1:
        raise SettingError(f"k must be a whole number ≥ 1; got {k!r}. 3 is customary.")
    drawn, real = as_features(drawn, least=k + 1), as_features(real, like=drawn, least=k + 1)
    return compared(Manifold.of(drawn, k), Manifold.of(real, k))


@dataclasses.dataclass(frozen=True, eq=False)
class Manifold:
    """Rows, and the squared distance of each to its k-th nearest neighbour among the others."""

    rows: np.ndarray
    squared_radius: np.ndarray

    @classmethod
    def of(cls, rows: np.ndarray, k: int) -> "Manifold":
        if len(rows) <= k:
            raise DataError(
                f"A manifold of {k} neighbours needs more than {k} rows; got {len(rows)}. "
                "Draw more, or lower k."
            )
        radius = np.empty(len(rows))
        for chosen, squares in _squared_distances(rows, rows):
            own = np.arange(chosen.start, chosen.start + len(squares))
            squares[np.arange(len(squares)), own] = math.inf  # a row is no neighbour of its own
            radius[chosen] = np.partition(squares, k - 1, axis=1)[:, k - 1]
        return cls(rows, radius)

    def holds(self, rows: np.ndarray) -> np.ndarray:
        """Whether each row lies in one of the balls, shape (n,)."""
        inside = np.empty(len(rows), bool)
        for chosen, squares in _squared_distances(rows, self.rows):
            inside[chosen] = (squares <= self.squared_radius).any(axis=1)
        return inside


def compared(drawn: Manifold, real: Manifold) -> PrecisionRecall:
    """Hold each sample against the other's manifold."""
    return PrecisionRecall(real.holds(drawn.rows), drawn.holds(real.rows))


def _squared_distances(a: np.ndarray, b: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield |a_i − b_j|² for a slice of rows of ``a`` after the other, each (rows, len(b))."""
    centre = b.mean(axis=0)  # far from the origin, the product below has no digits left
    a, b = a - centre, b - centre
    of_a, of_b = (a**2).sum(axis=1)[:, None], (b**2).sum(axis=1)
    step = max(1, _DISTANCES_AT_ONCE // len(b))
    for start in range(0, len(a), step):
        chosen = slice(start, start + step)
        largest = of_a[chosen] + of_b
        squares = a[chosen] @ b.T
        squares *= -2.0
        squares += largest
        largest *= _DUST
        squares[squares <= largest] = 0.0
        yield chosen, squares
