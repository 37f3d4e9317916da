"""What probabilistic PCA and factor analysis share."""

import abc

import jax
import numpy as np

from wellposed._typing import PRNGKey


class AbstractLinearGaussian(abc.ABC):
    """z ~ N(0, I_k), x | z ~ N(Wz + μ, Ψ), in model units and float64."""

    mean: np.ndarray
    weight: np.ndarray

    @property
    @abc.abstractmethod
    def noise_scale(self) -> np.ndarray:
        """Standard deviation of the noise, of a shape that broadcasts with (n, d)."""

    @abc.abstractmethod
    def log_density(self, rows: np.ndarray) -> np.ndarray:
        """log p(x) of rows of shape (n, d): shape (n,), nats."""

    @abc.abstractmethod
    def posterior_means(self, rows: np.ndarray) -> np.ndarray:
        """E[z | x] of rows of shape (n, d): shape (n, k)."""

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
