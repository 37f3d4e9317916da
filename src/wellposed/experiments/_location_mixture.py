"""Mixtures of Gaussians that share one isotropic covariance ξI."""

import dataclasses

import numpy as np
from scipy.special import logsumexp

from wellposed.numerics import LOG_2PI

from ._rows import squared_distances


@dataclasses.dataclass(frozen=True, eq=False)
class LocationMixture:
    """p(x) = Σ_j π_j N(x | μ_j, ξI)."""

    means: np.ndarray  # (m, d)
    log_weights: np.ndarray  # (m,)
    variance: float  # ξ

    def log_density(self, rows: np.ndarray) -> np.ndarray:
        """Return log p(x) of each row, shape (n,), in nats."""
        peak = -0.5 * rows.shape[1] * (LOG_2PI + np.log(self.variance))
        return peak + logsumexp(_log_joint(self, rows), axis=1)


def kernel_mixture(rows: np.ndarray, variance: float) -> LocationMixture:
    """Return a mixture with one component of equal weight on every datum."""
    n = len(rows)
    return LocationMixture(rows, np.full(n, -np.log(n)), variance)


def fit_location_mixture(rows: np.ndarray, variance: float, *, n_steps: int) -> LocationMixture:
    """Improve :func:`kernel_mixture` by ``n_steps`` steps of EM on means and weights.

    EM never lowers the likelihood, so the result is at least as good as the start. Components
    whose weight falls below 1e-12 are removed.
    """
    mixture = kernel_mixture(rows, variance)
    for _ in range(n_steps):
        log_joint = _log_joint(mixture, rows)
        shares = np.exp(log_joint - logsumexp(log_joint, axis=1, keepdims=True))
        weights = shares.mean(axis=0)
        kept = weights > 1e-12
        shares, weights = shares[:, kept], weights[kept] / weights[kept].sum()
        means = shares.T @ rows / shares.sum(axis=0)[:, None]
        mixture = LocationMixture(means, np.log(weights), variance)
    return mixture


def _log_joint(mixture: LocationMixture, rows: np.ndarray) -> np.ndarray:
    """Return the log of weight times density, divided by the density's peak: shape (n, m)."""
    squares = squared_distances(rows, mixture.means)
    return mixture.log_weights - 0.5 * squares / mixture.variance
