"""Mixtures of Gaussians that the ensemble has beside the VAE."""

import dataclasses
import warnings
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from wellposed.models import MixturePPCAModel

from .tail import blocks

SIZES = (5, 10)
_MOST_MIXED = 5_000  # rows that they are fitted to
_RIDGE = 1e-3  # added to the variances
_MOST_DIRECTIONS = 40  # beyond which one variance is of all


@dataclasses.dataclass(frozen=True, eq=False)
class Densities:
    """Mixtures of five and of ten Gaussians with full covariances.

    Parameters
    ----------
    mixtures : of standardised columns, one for each size
    """

    mixtures: tuple[MixturePPCAModel, ...]

    @classmethod
    def fit(cls, rows: np.ndarray, *, seed: int) -> "Densities":
        """Fit the mixtures to standardised rows (n, d), in an order by chance."""
        some = rows[:_MOST_MIXED]
        return cls(tuple(gaussian_mixture(some, size, seed=seed) for size in SIZES))

    def surprise(self, units: np.ndarray) -> list[np.ndarray]:
        """Return −log p(x) of each mixture for standardised rows, each of shape (n,)."""
        each = [[own.log_density(block)[:n] for block, n in blocks(units)] for own in self.mixtures]
        return [-np.concatenate(part) for part in each]

    @classmethod
    def of_parts(cls, parts: Any, d: int) -> "Densities | None":
        """Return the mixtures of a file, or None if they are not mixtures of d columns."""
        if not (isinstance(parts, tuple) and len(parts) == len(SIZES)):
            return None
        sound = all(isinstance(own, MixturePPCAModel) for own in parts)
        return cls(parts) if sound and all(own.mean.shape[1:] == (d,) for own in parts) else None


def gaussian_mixture(rows: np.ndarray, size: int, *, seed: int) -> MixturePPCAModel:
    """Fit a mixture of Gaussians with full covariances, by expectation maximisation.

    Of many columns, the covariances are of the leading directions, and one variance is of the rest.

    Parameters
    ----------
    rows : array of shape (n, d), standardised
    size : number of Gaussians, at most n of which are fitted
    seed : of the start
    """
    n, d = rows.shape
    mean, q = rows.mean(axis=0), min(d, _MOST_DIRECTIONS, n)
    _, spread, axes = np.linalg.svd(rows - mean, full_matrices=False)
    axes, rest = axes[:q], float((spread[q:] ** 2).sum() / (n * max(d - q, 1)))
    mixture: Any = GaussianMixture(min(size, n), reg_covar=_RIDGE, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        mixture.fit((rows - mean) @ axes.T)
    values, vectors = np.linalg.eigh(np.asarray(mixture.covariances_))
    noise = values[:, 0] if q == d else np.full(len(values), max(rest, _RIDGE))
    scales = np.sqrt(np.maximum(values - noise[:, None], 0.0))
    weight = axes.T @ (vectors * scales[:, None, :])
    return MixturePPCAModel(
        np.log(mixture.weights_), mean + mixture.means_ @ axes, weight, np.array(noise)
    )
