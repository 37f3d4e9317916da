"""Sums over rows of the moments of their latents, by which each feature is regressed on these."""

import numpy as np

from .._marginal import LatentPosterior

_TINY = 1e-12  # share of a row, so that a feature without rows has loadings zero


class LatentSums:
    r"""For each feature j, sums over the rows that have it, with z̃ = (z, 1) and weights r.

    Parameters
    ----------
    n_features, n_components : d and k

    Attributes
    ----------
    first : Σ r x_j E[z̃], shape (d, k + 1)
    squares : Σ r x_j², shape (d,)
    counts : Σ r, shape (d,)
    """

    def __init__(self, n_features: int, n_components: int):
        self.size = n_components + 1
        self._upper = np.triu_indices(self.size)
        self.first = np.zeros((n_features, self.size))
        self._second = np.zeros((n_features, len(self._upper[0])))
        self.squares, self.counts = np.zeros(n_features), np.zeros(n_features)

    def add(
        self,
        part: LatentPosterior,
        seen: np.ndarray,
        values: np.ndarray,
        weights: np.ndarray | None = None,
    ) -> None:
        """Add rows with posteriors ``part``; ``seen`` and ``values`` of shape (n, d) are theirs."""
        i, j = self._upper
        latents = np.concatenate([part.mean, np.ones((len(part.mean), 1))], axis=1)
        spread = np.zeros((len(part.covariance), self.size, self.size))
        spread[:, :-1, :-1] = part.covariance
        moments = latents[:, i] * latents[:, j] + spread[:, i, j][part.pattern]
        if weights is not None:
            seen, values = seen * weights[:, None], values * weights[:, None]
        self._second += seen.T @ moments
        self.first += values.T @ latents
        self.counts += seen.sum(axis=0)

    def add_squares(self, values: np.ndarray, weights: np.ndarray) -> None:
        """Add to ``squares``: values (n, d), zero at gaps, weights (n,)."""
        self.squares += weights @ values**2

    @property
    def gram(self) -> np.ndarray:
        """Σ r E[z̃z̃ᵀ], shape (d, k + 1, k + 1)."""
        i, j = self._upper
        gram = np.empty((len(self.first), self.size, self.size))
        gram[:, i, j] = self._second
        gram[:, j, i] = self._second
        return gram

    def regress(self) -> np.ndarray:
        """W̃ = (W, μ) that maximises the expected log likelihood, shape (d, k + 1)."""
        gram = self.gram + _TINY * np.eye(self.size)
        return np.linalg.solve(gram, self.first[:, :, None])[:, :, 0]
