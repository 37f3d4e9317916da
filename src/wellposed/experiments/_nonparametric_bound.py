"""A certified upper bound on the likelihood of mixtures whose covariances have a floor."""

import dataclasses
import math

import numpy as np
import numpy.typing as npt

from wellposed._checks import check_count, check_number
from wellposed.numerics import LOG_2PI

from ._rows import as_table, squared_distances

_SHELLS = 60
_EM_STEPS = 40
_NEW_MASS = 0.1  # share of the weights for the cells that a round adds


@dataclasses.dataclass(frozen=True, eq=False)
class _Cells:
    """Cells {μ : x_i is the datum nearest to μ, lo ≤ |x_i − μ| ≤ hi} of the space of means."""

    distances: np.ndarray  # (n, n), between data
    edges: np.ndarray  # (shells + 1,)
    variance: float

    def caps(self, owner: np.ndarray, shell: np.ndarray) -> np.ndarray:
        """Bound exp(−|x_j − μ|²/2ξ) over each cell, for every datum: shape (cells, n).

        The owner x_i is the nearest datum, hence |x_j − μ| ≥ lo; by the triangle inequality,
        |x_j − μ| ≥ |x_j − x_i| − hi.
        """
        low, high = self.edges[shell][:, None], self.edges[shell + 1][:, None]
        nearest = np.maximum(low, self.distances[owner] - high)
        return np.exp(-0.5 * nearest**2 / self.variance)

    @property
    def beyond(self) -> float:
        """Bound over the remaining cell: the means outside all shells."""
        return float(np.exp(-0.5 * self.edges[-1] ** 2 / self.variance))


def nonparametric_bound(rows: npt.ArrayLike, variance: float, *, n_rounds: int = 5) -> float:
    r"""Bound the mean log density of the data under any mixture with eigenvalues ≥ ξ.

    *One kernel is enough.* If Σ ⪰ ξI then N(μ, Σ) is N(u, ξI) averaged over u ~ N(μ, Σ − ξI), so
    every mixture of Gaussians with eigenvalues ≥ ξ, a VAE with such a σ²(z) among them, is
    ∫ N(x | μ, ξI) dG(μ) for some distribution G of means.

    *Cells.* Cut the space of means into cells a, and let A_aj ≥ exp(−|x_j − μ|²/2ξ) for all μ in
    a. With π_a = G(a), and c = −(d/2) log 2πξ,

    .. math:: \tfrac1n \sum_j \log p_G(x_j) \le c + \tfrac1n \sum_j \log \sum_a \pi_a A_{aj} .

    *Certificate.* The right-hand side is concave in π, and by Jensen's inequality, for any
    weights π and P_j = Σ_a π_a A_aj, its maximum is at most

    .. math:: c + \tfrac1n \sum_j \log P_j + \log \max_a \tfrac1n \sum_j A_{aj} / P_j ,

    Lindsay's gradient condition for the capped kernels. The bound holds for every π. Each round
    improves π by EM and adds, for each datum, the cell of the steepest gradient; the smallest bound
    of all rounds is returned.

    The bound is certified up to rounding in float64 and never exceeds c. Cells are shells around
    the data, so the bound is tight where few data share a component.

    Parameters
    ----------
    rows : array-like of shape (n, d), data units
    variance : float, ξ > 0, data units squared
    n_rounds : int ≥ 1; more rounds take longer and give a smaller bound

    Returns
    -------
    float, nats a datum

    Raises
    ------
    DataError
        If the rows are not a finite table.
    SettingError
        If ``variance`` is not positive and finite, or ``n_rounds`` is not a whole number ≥ 1.

    References
    ----------
    Lindsay (1983), The geometry of mixture likelihoods; Mattei & Frellsen (2018), §2.

    Examples
    --------
    >>> far_apart = np.array([[0.0], [100.0]])
    >>> best = -0.5 * np.log(2 * np.pi) - np.log(2)
    >>> bool(best <= nonparametric_bound(far_apart, 1.0) < best + 1e-3)
    True
    """
    rows = as_table(rows)
    variance = check_number("variance", variance, "Try 2**-4 on data in 0..1.", above=0)
    n_rounds = check_count("n_rounds", n_rounds, "Try 5.")
    peak = -0.5 * rows.shape[1] * (LOG_2PI + math.log(variance))
    return peak + _least_certificate(rows, variance, n_rounds)


def _least_certificate(rows: np.ndarray, variance: float, n_rounds: int) -> float:
    """Bound the mean log density minus its peak c: at most zero."""
    n = len(rows)
    reach = np.sqrt(2 * variance * np.log(10 * n))
    distances = np.sqrt(squared_distances(rows, rows))
    np.fill_diagonal(distances, 0.0)
    cells = _Cells(distances, np.linspace(0.0, reach, _SHELLS + 1), variance)
    caps, weights = cells.caps(np.arange(n), np.zeros(n, int)), np.full(n, 1 / n)
    best = 0.0
    for _ in range(n_rounds):
        weights = _em(caps, weights)
        inverse = 1 / (weights @ caps)
        slopes = _slopes(cells, inverse)
        steepest = max(slopes.max(), cells.beyond * inverse.mean())
        best = min(best, float(np.log(steepest) - np.log(inverse).mean()))
        caps, weights = _with_steepest(cells, slopes, caps, weights)
    return best


def _em(caps: np.ndarray, weights: np.ndarray) -> np.ndarray:
    for _ in range(_EM_STEPS):
        weights = weights * (caps @ (1 / (weights @ caps))) / caps.shape[1]
        weights = weights / weights.sum()  # removes rounding; the bound holds for any weights
    return weights


def _slopes(cells: _Cells, inverse: np.ndarray) -> np.ndarray:
    """Return (1/n) Σ_j A_aj / P_j of every cell, shape (shells, n)."""
    owners = np.arange(len(inverse))
    per_shell = (cells.caps(owners, np.full_like(owners, k)) @ inverse for k in range(_SHELLS))
    return np.stack(list(per_shell)) / len(inverse)


def _with_steepest(
    cells: _Cells, slopes: np.ndarray, caps: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Add the steepest shell of each datum if its slope exceeds one; remove unused cells."""
    owner = np.flatnonzero(slopes.max(axis=0) > 1)
    if not owner.size:
        return caps, weights
    added = cells.caps(owner, slopes[:, owner].argmax(axis=0))
    in_use = weights > 1e-9 / len(weights)
    old = (1 - _NEW_MASS) * weights[in_use] / weights[in_use].sum()
    new = np.full(len(owner), _NEW_MASS / len(owner))
    return np.concatenate([caps[in_use], added]), np.concatenate([old, new])
