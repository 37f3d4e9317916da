"""A mixture of probabilistic principal component analysers."""

import dataclasses
from functools import cached_property

import jax
import jax.numpy as jnp
import numpy as np
import scipy.special

from wellposed._typing import PRNGKey

from ._ppca import PPCAModel


@dataclasses.dataclass(frozen=True)
class MixturePPCAModel:
    r"""i ~ π, z ~ N(0, I_k), x | z, i ~ N(W_i z + μ_i, σ_i² I_d), in model units and float64.

    .. math:: p(x) = \sum_i \pi_i \, N(x \mid \mu_i, W_i W_i^T + \sigma_i^2 I)

    Which component i a row belongs to is a latent variable as well. With i in one-hot form e, all
    latents of a row are u = (e, e_1 z, …, e_m z), m (1 + k) numbers, in which E[x | u] is linear.

    Parameters
    ----------
    log_weights : log π, shape (m,)
    mean : μ, shape (m, d)
    weight : W, shape (m, d, k)
    noise_variance : σ², shape (m,), model units²

    References: Tipping & Bishop (1999), Mixtures of probabilistic principal component analysers.

    Examples
    --------
    >>> model = MixturePPCAModel(
    ...     np.log([0.5, 0.5]), np.array([[-9.0], [9.0]]), np.ones((2, 1, 1)), np.ones(2)
    ... )
    >>> model.posterior_means(np.array([[11.0]])).round(3).tolist()
    [[0.0, 1.0, 0.0, 1.0]]
    """

    log_weights: np.ndarray
    mean: np.ndarray
    weight: np.ndarray
    noise_variance: np.ndarray

    @cached_property
    def components(self) -> tuple[PPCAModel, ...]:
        """The components, each a probabilistic PCA."""
        parts = zip(self.mean, self.weight, self.noise_variance, strict=True)
        return tuple(PPCAModel(mean, weight, float(noise)) for mean, weight, noise in parts)

    @property
    def n_latents(self) -> int:
        """Number of latents with the one-hot ones, m (1 + k)."""
        m, _, k = self.weight.shape
        return m * (1 + k)

    def joint_log_density(self, rows: np.ndarray) -> np.ndarray:
        """log p(x, i) of rows of shape (n, d): shape (n, m), nats."""
        each = [component.log_density(rows) for component in self.components]
        return np.stack(each, axis=1) + self.log_weights

    def log_density(self, rows: np.ndarray) -> np.ndarray:
        """log p(x) of rows of shape (n, d), of their observed entries: shape (n,), nats."""
        return np.logaddexp.reduce(self.joint_log_density(rows), axis=1)

    def responsibilities(self, rows: np.ndarray) -> np.ndarray:
        """p(i | x) of rows of shape (n, d): shape (n, m)."""
        return scipy.special.softmax(self.joint_log_density(rows), axis=1)

    def posterior_means(self, rows: np.ndarray) -> np.ndarray:
        """E[u | x] of rows of shape (n, d): p(i | x), then p(i | x) E[z | x, i], (n, m(1 + k))."""
        shares = self.responsibilities(rows)
        each = [component.posterior_means(rows) for component in self.components]
        latents = [share[:, None] * z for share, z in zip(shares.T, each, strict=True)]
        return np.concatenate([shares, *latents], axis=1)

    def decode(self, latents: np.ndarray) -> np.ndarray:
        """E[x | u] of latents of shape (n, m(1 + k)): shape (n, d)."""
        m, d, _ = self.weight.shape
        flat = self.weight.transpose(0, 2, 1).reshape(-1, d)
        return latents[:, :m] @ self.mean + latents[:, m:] @ flat

    def conditional(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and variance of each entry given the observed ones of its row, each (n, d).

        Observed entries have themselves as mean, bit for bit, and variance zero.
        """
        shares = self.responsibilities(rows).T[:, :, None]
        each = [component.conditional(rows) for component in self.components]
        means, variances = (np.stack(parts) for parts in zip(*each, strict=True))
        mean = (shares * means).sum(axis=0)
        variance = (shares * (variances + (means - mean) ** 2)).sum(axis=0)
        missing = np.isnan(rows)
        return np.where(missing, mean, rows), np.where(missing, variance, 0.0)

    def conditional_draws(self, rows: np.ndarray, n_draws: int, *, key: PRNGKey) -> np.ndarray:
        """Draw the missing entries of rows (n, d) given the observed ones: (s, n, d)."""
        choice_key, *keys = jax.random.split(key, 1 + len(self.log_weights))
        with jax.enable_x64(True):
            logits = jnp.asarray(self.joint_log_density(rows))
            shape = (n_draws, len(rows))
            of = np.asarray(jax.random.categorical(choice_key, logits, shape=shape))
        draws = np.broadcast_to(rows, (n_draws, *rows.shape)).astype(np.float64)
        for i, component in enumerate(self.components):
            drawn = component.conditional_draws(rows, n_draws, key=keys[i])
            draws = np.where((of == i)[:, :, None], drawn, draws)
        return draws

    def draw(self, n_draws: int, *, key: PRNGKey) -> tuple[np.ndarray, np.ndarray]:
        """E[x | z, i] of n draws of z and i, shape (n, d), and their σ_i, shape (n, 1)."""
        component_key, latent_key = jax.random.split(key)
        m, d, k = self.weight.shape
        with jax.enable_x64(True):
            logits = jnp.asarray(self.log_weights)
            of = np.asarray(jax.random.categorical(component_key, logits, shape=(n_draws,)))
            latents = np.asarray(jax.random.normal(latent_key, (n_draws, k)))
        means = np.empty((n_draws, d))
        for i in range(m):
            means[of == i] = self.components[i].decode(latents[of == i])
        return means, np.sqrt(self.noise_variance)[of][:, None]
