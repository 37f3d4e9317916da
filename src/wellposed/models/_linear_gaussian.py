"""What probabilistic PCA and factor analysis share."""

import abc
from collections.abc import Iterator

import jax
import numpy as np

from wellposed._typing import PRNGKey

from ._marginal import GappyRows, LatentPosterior, latent_posteriors


class AbstractLinearGaussian(abc.ABC):
    """z ~ N(0, I_k), x | z ~ N(Wz + μ, Ψ), in model units and float64.

    NaN is a gap: the log density of a row is then that of its observed entries, and its posterior
    is the one given these.

    Examples
    --------
    >>> from wellposed.models import PPCAModel
    >>> model = PPCAModel(np.zeros(2), np.array([[1.0], [0.0]]), noise_variance=1.0)
    >>> isinstance(model, AbstractLinearGaussian), model.log_density(np.zeros((1, 2))).round(3)
    (True, array([-2.184]))
    """

    mean: np.ndarray
    weight: np.ndarray

    @property
    @abc.abstractmethod
    def noise_scale(self) -> np.ndarray:
        """Standard deviation of the noise, of a shape that broadcasts with (n, d)."""

    @abc.abstractmethod
    def log_density(self, rows: np.ndarray) -> np.ndarray:
        """log p(x) of rows of shape (n, d), of their observed entries: shape (n,), nats."""

    @abc.abstractmethod
    def posterior_means(self, rows: np.ndarray) -> np.ndarray:
        """E[z | x] of rows of shape (n, d), given their observed entries: shape (n, k)."""

    @property
    def n_latents(self) -> int:
        """Number of latents, k."""
        return self.weight.shape[1]

    def decode(self, latents: np.ndarray) -> np.ndarray:
        """E[x | z] of latents of shape (n, k): shape (n, d)."""
        return latents @ self.weight.T + self.mean

    def draw(self, n_draws: int, *, key: PRNGKey) -> tuple[np.ndarray, np.ndarray]:
        """E[x | z] of n draws z ~ p(z), shape (n, d), and the noise's standard deviations."""
        with jax.enable_x64(True):
            latents = np.asarray(jax.random.normal(key, (n_draws, self.n_latents)))
        return self.decode(latents), self.noise_scale

    def posterior_variances(self, rows: np.ndarray) -> np.ndarray:
        """Var[z_i | x] of rows of shape (n, d), given their observed entries: shape (n, k)."""
        result = np.empty((len(rows), self.n_latents))
        for at, part in self._parts(rows):
            result[at] = np.diagonal(part.covariance, axis1=1, axis2=2)[part.pattern]
        return result

    def diagonal_elbo(self, rows: np.ndarray) -> np.ndarray:
        """ELBO of the observed entries under the best q with independent latents: (n,), nats."""
        result = np.empty(len(rows))
        for at, part in self._parts(rows, diagonal=True):
            result[at] = part.log_density
        return result

    def diagonal_posterior(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Means and variances of the best q with independent latents, each of shape (n, k)."""
        means, variances = (np.empty((len(rows), self.n_latents)) for _ in range(2))
        for at, part in self._parts(rows, diagonal=True):
            means[at] = part.mean
            variances[at] = np.diagonal(part.covariance, axis1=1, axis2=2)[part.pattern]
        return means, variances

    def conditional(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and variance of each entry given the observed ones of its row, each (n, d).

        Observed entries have themselves as mean, bit for bit, and variance zero.
        """
        mean, variance = np.array(rows, np.float64), np.zeros(np.shape(rows))
        for at, part in self._parts(rows):
            missing = np.isnan(rows[at])
            spread = np.einsum("pij,di,dj->pd", part.covariance, self.weight, self.weight)
            spread += np.broadcast_to(self.noise_scale**2, self.mean.shape)
            mean[at] = np.where(missing, self.decode(part.mean), mean[at])
            variance[at] = np.where(missing, spread[part.pattern], 0.0)
        return mean, variance

    def conditional_draws(self, rows: np.ndarray, n_draws: int, *, key: PRNGKey) -> np.ndarray:
        """Draw the missing entries of rows (n, d) given the observed ones: (s, n, d)."""
        latent_key, noise_key = jax.random.split(key)
        with jax.enable_x64(True):
            shape = (n_draws, len(rows), self.n_latents)
            latents = np.array(jax.random.normal(latent_key, shape))
            noise = np.asarray(jax.random.normal(noise_key, (n_draws, *np.shape(rows))))
        for at, part in self._parts(rows):
            root = np.linalg.cholesky(part.covariance)[part.pattern]
            latents[:, at] = part.mean + np.einsum("nij,snj->sni", root, latents[:, at])
        return np.where(np.isnan(rows), self.decode(latents) + self.noise_scale * noise, rows)

    def _given_observed(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """log p of the observed entries (n,) and E[z | observed entries] (n, k)."""
        log_p, means = np.empty(len(rows)), np.empty((len(rows), self.n_latents))
        for at, part in self._parts(rows):
            log_p[at], means[at] = part.log_density, part.mean
        return log_p, means

    def _parts(
        self, rows: np.ndarray, *, diagonal: bool = False
    ) -> Iterator[tuple[np.ndarray, LatentPosterior]]:
        """Posteriors of pieces of rows, with the positions of these rows."""
        ordered = GappyRows.of(rows)
        noise = np.broadcast_to(self.noise_scale**2, self.mean.shape)
        for part in latent_posteriors(ordered, self.mean, self.weight, noise, diagonal=diagonal):
            yield ordered.order[part.rows], part
