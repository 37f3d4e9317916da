"""Probabilistic PCA: the linear Gaussian latent variable model in closed form."""

import dataclasses
from functools import cached_property

import numpy as np

from wellposed._budget import at_once, slices
from wellposed.numerics import LOG_2PI

from ._linear_gaussian import AbstractLinearGaussian
from ._marginal import has_gaps

_ROWS = 4096  # largest number of rows at a time


@dataclasses.dataclass(frozen=True)
class PPCAModel(AbstractLinearGaussian):
    r"""z ~ N(0, I_k), x | z ~ N(Wz + μ, σ²I_d), in model units and float64.

    .. math:: p(x) = N(\mu, WW^T + \sigma^2 I), \qquad
       p(z \mid x) = N(M^{-1}W^T(x - \mu), \sigma^2 M^{-1}), \quad M = W^TW + \sigma^2 I

    Parameters
    ----------
    mean : μ, shape (d,)
    weight : W, shape (d, k)
    noise_variance : σ², model units²

    References: Tipping & Bishop (1999), eqs 1-6.

    Examples
    --------
    >>> model = PPCAModel(np.zeros(2), np.array([[1.0], [0.0]]), noise_variance=1.0)
    >>> model.posterior_means(np.array([[2.0, 5.0]])).tolist(), model.posterior_covariance.tolist()
    ([[1.0]], [[0.5]])
    """

    mean: np.ndarray
    weight: np.ndarray
    noise_variance: float

    def log_density(self, rows: np.ndarray) -> np.ndarray:
        """log p(x) of rows of shape (n, d), of their observed entries: shape (n,), nats.

        The parts within and outside the span of W are added, so that no large squares are
        subtracted.
        """
        if has_gaps(rows):
            return self._given_observed(rows)[0]
        scales, _ = self._axes
        explained = scales**2 + self.noise_variance
        d, k = len(self.mean), len(scales)
        log_det = np.log(explained).sum() + (d - k) * np.log(self.noise_variance)
        log_p = np.empty(len(rows))
        for part in slices(len(rows), at_once(d, _ROWS)):
            latents, across = self._least_squares(rows[part] - self.mean)
            along = latents * scales
            quadratic = (along**2 / explained).sum(1) + (across**2).sum(1) / self.noise_variance
            log_p[part] = -0.5 * (d * LOG_2PI + log_det + quadratic)
        return log_p

    def posterior_means(self, rows: np.ndarray) -> np.ndarray:
        """E[z | x] of rows of shape (n, d), given their observed entries: shape (n, k)."""
        if has_gaps(rows):
            return self._given_observed(rows)[1]
        scales, rotation = self._axes
        latents, _ = self._least_squares(rows - self.mean)
        return (latents * (scales**2 / (scales**2 + self.noise_variance))) @ rotation

    @cached_property
    def posterior_covariance(self) -> np.ndarray:
        """Cov[z | x], shape (k, k): the same for every x."""
        scales, rotation = self._axes
        shares = scales**2 / (scales**2 + self.noise_variance)
        return np.eye(self.weight.shape[1]) - (rotation.T * shares) @ rotation

    @property
    def noise_scale(self) -> np.ndarray:
        """σ."""
        return np.asarray(np.sqrt(self.noise_variance))

    def _least_squares(self, centred: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Least squares of rows by W: R z of shape (n, k), and residuals of shape (n, d).

        A second fit is to the residuals. If the spreads of features differ widely, the axes have
        the rounding of the largest feature, but W has the rounding of each feature; after the
        second fit the residuals have it as well.
        """
        towards = self._inverse
        latents = centred @ towards
        residuals = centred - latents @ self._onto
        correction = residuals @ towards
        return latents + correction, residuals - correction @ self._onto

    @cached_property
    def _svd(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """W = U diag(s) R: shapes (d, k), (k,), (k, k); an s below rounding is set to zero."""
        axes, scales, rotation = np.linalg.svd(self.weight, full_matrices=False)
        lost = scales <= np.finfo(np.float64).eps * scales.max(initial=0.0)
        return axes, np.where(lost, 0.0, scales), rotation

    @property
    def _axes(self) -> tuple[np.ndarray, np.ndarray]:
        return self._svd[1:]

    @cached_property
    def _inverse(self) -> np.ndarray:
        """Map from centred rows to R z, shape (d, k); zero for collapsed latents."""
        axes, scales, _ = self._svd
        return np.divide(axes, scales, out=np.zeros_like(axes), where=scales > 0)

    @cached_property
    def _onto(self) -> np.ndarray:
        """Map from R z to centred rows, shape (k, d)."""
        return self._svd[2] @ self.weight.T
