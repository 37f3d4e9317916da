"""Improved precision and recall of a sample against real data."""

import dataclasses
import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike

from wellposed._budget import at_once, slices
from wellposed._checks import check_count

from .frechet import as_features

_TENTHS = 10

# A squared distance is a difference of larger squares. Below this share of them it is rounding, and
# the two rows are equal.
_DUST = 1e-13


@dataclasses.dataclass(frozen=True, eq=False)
class PrecisionRecall:
    """Rows of each sample in the manifold of the other, and their shares.

    Parameters
    ----------
    drawn_inside : shape (n,), whether each drawn row is in the manifold of the real rows
    real_inside : shape (m,), whether each real row is in the manifold of the drawn rows

    Examples
    --------
    >>> found = PrecisionRecall(np.array([True, True, False, True]), np.array([True, False]))
    >>> found.precision, found.recall
    (0.75, 0.5)
    """

    drawn_inside: np.ndarray
    real_inside: np.ndarray

    @property
    def precision(self) -> float:
        """Share of drawn rows in the manifold of the real rows."""
        return float(self.drawn_inside.mean())

    @property
    def recall(self) -> float:
        """Share of real rows in the manifold of the drawn rows."""
        return float(self.real_inside.mean())


def precision_recall(drawn: ArrayLike, real: ArrayLike, *, k: int = 3) -> PrecisionRecall:
    """Measure improved precision and recall.

    The manifold of a sample is the union of balls around its rows; the radius of a ball is the
    distance to the row's k-th nearest neighbour in the sample. Precision grows with the number of
    real rows, and recall with the number of drawn rows: compare values of equal sizes.

    Parameters
    ----------
    drawn, real : arrays of shape (n, f) and (m, f), n, m > k: features of the two samples
    k : which nearest neighbour sets the radius

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
    >>> result = precision_recall(line[:4], line)
    >>> result.precision, result.recall
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

    Parameters
    ----------
    drawn, real : arrays of shape (n, f) and (m, f), n, m > k
    k : which nearest neighbour sets the radius of a ball
    fresh : generator that divides the rows into tenths

    Notes
    -----
    The error is a jackknife over random tenths of both samples' rows:

    .. math:: \tfrac{9}{10} \textstyle\sum_g (p_g - \bar p)^2

    with p_g the share without tenth g, among the rows and among their neighbours. The binomial
     error of a share ignores the error of the manifold and is up to three times too small.

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

    Parameters
    ----------
    rows : shape (n, f)
    group : shape (n,), number of the row's group, from 0 to g − 1
    squared_radii : shape (1 + g, n), of all rows, then without group 0, 1, …; negative for a row
        of the group left out
    """

    rows: np.ndarray
    group: np.ndarray
    squared_radii: np.ndarray

    @classmethod
    def of(cls, rows: np.ndarray, k: int, group: np.ndarray | None = None) -> "Manifold":
        n, n_groups = len(rows), 0 if group is None else group.max() + 1
        group = np.zeros(n, int) if group is None else group
        radii = np.empty((1 + n_groups, n))
        # Enough neighbours to keep k without any one group, of a tenth of them on average.
        kept = min(k if n_groups == 0 else 4 * k + 20, n - 1)
        for chosen, squares in _squared_distances(rows, rows):
            own = np.arange(chosen.start, chosen.start + len(squares))
            squares[np.arange(len(squares)), own] = math.inf  # a row is not its own neighbour
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
        """Whether each of m queries is in a ball, for each set of radii: shape (1 + g, m)."""
        inside = np.empty((len(self.squared_radii), len(queries.rows)), bool)
        for chosen, squares in _squared_distances(queries.rows, self.rows):
            for within, radii in zip(inside, self.squared_radii, strict=True):
                within[chosen] = np.any(squares <= radii, axis=1)
        return inside


def _squared_distances(a: np.ndarray, b: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield successive slices of the rows of ``a``, and |a_i − b_j|² of each: (rows, len(b))."""
    centre = b.mean(axis=0)  # the product below would lose digits far from the origin
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
