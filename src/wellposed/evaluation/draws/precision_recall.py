"""Improved precision and recall of a sample against real data."""

import dataclasses
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from wellposed._budget import at_once, slices
from wellposed._checks import check_count

from .frechet import as_features

_TENTHS = 10

# Squares of two rows' distance are differences of larger squares: below this share of those they
# are rounding, and the rows are one.
_DUST = 1e-13


@dataclasses.dataclass(frozen=True, eq=False)
class PrecisionRecall:
    """Rows of each sample in the manifold of the other, and their shares."""

    drawn_inside: np.ndarray  # (n,), bool: within the manifold of the real rows
    real_inside: np.ndarray  # (m,), bool: within the manifold of the drawn rows

    @property
    def precision(self) -> float:
        """Share of drawn rows in the manifold of the real rows."""
        return float(self.drawn_inside.mean())

    @property
    def recall(self) -> float:
        """Share of real rows in the manifold of the drawn rows."""
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
    check_count("k", k, "3 is customary.")
    drawn, real = as_features(drawn, least=k + 1), as_features(real, like=drawn, least=k + 1)
    of_drawn, of_real = (Manifold.of(rows, k) for rows in (drawn, real))
    return PrecisionRecall(of_real.contains(of_drawn)[0], of_drawn.contains(of_real)[0])


def precision_recall_errors(
    drawn: np.ndarray, real: np.ndarray, k: int, *, fresh: np.random.Generator
) -> tuple[tuple[float, float], tuple[float, float]]:
    r"""Return precision and recall, each with its standard error, of checked features.

    The error is a jackknife over ten tenths of both samples' rows, chosen at random:

    .. math:: \tfrac{9}{10} \textstyle\sum_g (p_g - \bar p)^2

    with p_g the share where tenth g is left out of the samples, and of the neighbours. The
    binomial error of a share ignores the error of the manifold and is up to three times too small.

    References: Efron & Stein (1981).
    """
    of_drawn, of_real = (
        Manifold.of(rows, k, fresh.permutation(len(rows)) % _TENTHS) for rows in (drawn, real)
    )
    return _jackknife(of_drawn, of_real), _jackknife(of_real, of_drawn)


def _jackknife(queries: "Manifold", manifold: "Manifold") -> tuple[float, float]:
    whole, *without = manifold.contains(queries)
    shares = [inside[queries.group != g].mean() for g, inside in enumerate(without)]
    return float(whole.mean()), float(np.std(shares) * math.sqrt(len(shares) - 1))


@dataclasses.dataclass(frozen=True, eq=False)
class Manifold:
    """Rows, and the squared distance of each to its k-th nearest neighbour among the others.

    The radii are those of all rows first, then of what is left when group 0, 1, … is taken out.
    """

    rows: np.ndarray  # (n, f)
    group: np.ndarray  # (n,), 0 ≤ group < g
    squared_radii: np.ndarray  # (1 + g, n); below zero where the row itself is out

    @classmethod
    def of(cls, rows: np.ndarray, k: int, group: np.ndarray | None = None) -> "Manifold":
        n, n_groups = len(rows), 0 if group is None else group.max() + 1
        group = np.zeros(n, int) if group is None else group
        radii = np.empty((1 + n_groups, n))
        # As many neighbours as leave k whatever group is out: a tenth of them are, on average.
        kept = min(k if n_groups == 0 else 4 * k + 20, n - 1)
        for chosen, squares in _squared_distances(rows, rows):
            own = np.arange(chosen.start, chosen.start + len(squares))
            squares[np.arange(len(squares)), own] = math.inf  # a row is no neighbour of its own
            nearest = np.argpartition(squares, kept - 1, axis=1)[:, :kept]
            near = np.take_along_axis(squares, nearest, axis=1)
            order = np.argsort(near, axis=1)
            near = np.take_along_axis(near, order, axis=1)
            groups = group[np.take_along_axis(nearest, order, axis=1)]
            for out in range(-1, n_groups):
                place = np.argmax(np.cumsum(groups != out, axis=1) >= k, axis=1)[:, None]
                radii[1 + out, chosen] = np.take_along_axis(near, place, axis=1)[:, 0]
        radii[1:][np.arange(n_groups)[:, None] == group] = -1.0
        return cls(rows, group, radii)

    def contains(self, queries: "Manifold") -> np.ndarray:
        """Whether each row is in one of the balls, by each set of radii: (1 + g, queries)."""
        inside = np.empty((len(self.squared_radii), len(queries.rows)), bool)
        for chosen, squares in _squared_distances(queries.rows, self.rows):
            for held, radii in zip(inside, self.squared_radii, strict=True):
                held[chosen] = np.any(squares <= radii, axis=1)
        return inside


def _squared_distances(a: np.ndarray, b: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield |a_i − b_j|² for a slice of rows of ``a`` after the other, each (rows, len(b))."""
    centre = b.mean(axis=0)  # far from the origin, the product below has no digits left
    a, b = a - centre, b - centre
    of_a, of_b = (a**2).sum(axis=1)[:, None], (b**2).sum(axis=1)
    for chosen in slices(len(a), at_once(len(b), len(a))):
        largest = of_a[chosen] + of_b
        squares = a[chosen] @ b.T
        squares *= -2.0
        squares += largest
        largest *= _DUST
        squares[squares <= largest] = 0.0
        yield chosen, squares
