"""Mutual information of each latent with each factor, and the gap of the two largest."""

import dataclasses
from collections.abc import Sequence
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import digamma

from wellposed._errors import unknown_name

from .factor_table import FactorTable, host_generator_of

_BINS = 20  # of a latent
_NEIGHBOURS = 3

Estimator = Literal["neighbours", "bins"]


@dataclasses.dataclass(frozen=True, eq=False)
class InformationGap:
    """Mutual informations and their gaps.

    Parameters
    ----------
    information : array of shape (k, m), I(z_j; v_i), nats
    entropies : array of shape (m,), H(v_i), nats; of a continuous factor, of its deciles

    Examples
    --------
    >>> found = InformationGap(np.array([[1.0, 0.0], [0.0, 0.5]]), np.ones(2))
    >>> found.gaps.tolist(), found.score
    ([1.0, 0.5], 0.75)
    """

    information: np.ndarray
    entropies: np.ndarray

    @property
    def gaps(self) -> np.ndarray:
        """Difference of the two largest I(z_j; v_i) / H(v_i), of each factor, shape (m,)."""
        second, first = np.sort(self.information, axis=0)[-2:]
        return (first - second) / self.entropies

    @property
    def score(self) -> float:
        """Mean of the gaps: the MIG."""
        return float(self.gaps.mean())


def mutual_information_gap(
    latents: ArrayLike,
    factors: ArrayLike,
    *,
    random_state: int | np.random.Generator,
    estimator: Estimator = "neighbours",
    discrete: bool | Sequence[bool] | None = None,
) -> InformationGap:
    r"""Compute the mutual information gap.

    .. math::
        \mathrm{MIG} = \frac1m \sum_i \frac{I(z_{(1)}; v_i) - I(z_{(2)}; v_i)}{H(v_i)}

    where z₍₁₎ and z₍₂₎ are the two latents of the largest information on v_i. It is 1 where each
    factor is a function of one latent and no other, 0 where two latents have equal information.

    ``"neighbours"`` estimates I from distances to the third neighbour of equal level, and H by the
    same estimator, ψ(n) − mean ψ(n_level): a latent that is the factor has exactly I = H. Of
    independent latents, the largest I is about 2/√n nats (measured, up to 8 levels). ``"bins"``
    divides each latent into 20 bins of equal width, as is usual for published figures; its I of
    independent latents is too large by about 19 (levels − 1) / (2n) nats.

    Parameters
    ----------
    latents : array of shape (n, k), k ≥ 2. Draws of q(z | x) measure what a latent transmits; its
        mean has no noise, so that a collapsed latent can seem informative
    factors : array of shape (n, m) of numbers or text
    random_state : of the noise that separates equal latents, 1e-10 of their scale
    estimator : ``"neighbours"`` or ``"bins"``
    discrete : flags of discrete factors; None decides, see :class:`FactorTable`. A continuous
        factor is divided at its deciles

    Raises
    ------
    DataError
        For data that break the rules of :meth:`FactorTable.of`.
    SettingError
        For an unknown estimator.

    References: Chen, Li, Grosse & Duvenaud (2018), eq. 6; Ross (2014) for the neighbours.

    Examples
    --------
    >>> factors = np.random.default_rng(0).integers(4, size=(400, 2))
    >>> latents = factors[:, ::-1] * [2.0, -1.0]
    >>> gap = mutual_information_gap(latents, factors, random_state=0)
    >>> bool(gap.score > 0.95), gap.information.argmax(axis=0).tolist()
    (True, [1, 0])
    """
    table = FactorTable.of(latents, factors, discrete=discrete)
    return gap_of(table, host_generator_of(random_state), estimator)


def gap_of(
    table: FactorTable, generator: np.random.Generator, estimator: Estimator = "neighbours"
) -> InformationGap:
    """Return the :func:`mutual_information_gap` of a table."""
    if estimator not in get_args(Estimator):
        raise unknown_name("estimator", estimator, get_args(Estimator))
    by_bins = estimator == "bins"
    measure = _binned_information if by_bins else _information
    entropy = _entropy if by_bins else _neighbour_entropy
    columns = [measure(table.latents, levels, generator) for levels in table.levels.T]
    return InformationGap(
        np.stack(columns, axis=1), np.array([entropy(levels) for levels in table.levels.T])
    )


def _information(z: np.ndarray, levels: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    from sklearn.feature_selection import mutual_info_classif  # its import takes a second

    seed = int(generator.integers(2**31))
    continuous: Any = False
    found = mutual_info_classif(
        z, levels, discrete_features=continuous, n_neighbors=_NEIGHBOURS, random_state=seed
    )
    return np.where(z.any(axis=0), found, 0.0)


def _neighbour_entropy(levels: np.ndarray) -> float:
    counts = np.bincount(levels)
    counts = counts[counts > 1]  # the estimator leaves single rows out
    n = counts.sum()
    return float(digamma(n) - (counts * digamma(counts)).sum() / n)


def _binned_information(
    z: np.ndarray, levels: np.ndarray, generator: np.random.Generator
) -> np.ndarray:
    del generator
    found = []
    for latent in z.T:
        edges = np.linspace(latent.min(), latent.max(), _BINS + 1)[1:-1]
        bins = np.searchsorted(edges, latent, side="right")
        together = bins * (levels.max() + 1) + levels
        found.append(_entropy(bins) + _entropy(levels) - _entropy(together))
    return np.array(found)


def _entropy(levels: np.ndarray) -> float:
    counts = np.unique(levels, return_counts=True)[1]
    shares = counts / counts.sum()
    return float(-(shares * np.log(shares)).sum())
