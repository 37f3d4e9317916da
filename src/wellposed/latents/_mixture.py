"""A mixture of Gaussians as prior."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from wellposed._typing import Latent, Leaves, PRNGKey, Scalar
from wellposed.numerics import LOG_2PI

from ._abstract import AbstractPrior
from ._triangular import invert_lower


class GaussianMixture(AbstractPrior):
    r"""m Gaussians with full covariances, fitted to codes or learned with the ELBO.

    .. math:: p(z) = \sum_i w_i \, N(z \mid \mu_i, L_i L_i^T)

    Parameters
    ----------
    log_weights : array of shape (m,), log w up to a constant
    means : array of shape (m, k), μ
    cholesky : array of shape (m, k, k), L; its entries above the diagonal are not read

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> prior = GaussianMixture(jnp.zeros(1), jnp.zeros((1, 2)), jnp.eye(2)[None])
    >>> prior.sample(key=jax.random.key(0)).shape, round(float(prior.log_prob(jnp.zeros(2))), 4)
    ((2,), -1.8379)
    """

    log_weights: Float[Array, " m"]
    means: Float[Array, "m k"]
    cholesky: Float[Array, "m k k"]

    def __init__(self, log_weights: Array, means: Array, cholesky: Array):
        self.log_weights, self.means, self.cholesky = log_weights, means, cholesky

    @property
    def k(self) -> int:
        return self.means.shape[1]

    @property
    def notation(self) -> str:
        m = len(self.log_weights)
        return "the Gaussian prior" if m == 1 else f"the mixture of {m} Gaussians"

    def parameters(self) -> Leaves:
        return self.log_weights, self.means, self.cholesky

    def log_prob(self, z: Latent) -> Scalar:
        """log p(z), in nats."""
        # Under vmap over data the inverses are computed once, and their products with all data are
        # one matrix product; a product for each component takes ten times as long. Differences
        # from the mean of the means have the size of the mixture, wherever it is.
        inverse, origin = invert_lower(self.cholesky), self.means.mean(axis=0)
        offsets = jnp.einsum("mij,mj->mi", inverse, self.means - origin[None])
        distance = (inverse.reshape(-1, self.k) @ (z - origin)).reshape(offsets.shape) - offsets
        scales = jnp.abs(jnp.diagonal(self.cholesky, axis1=1, axis2=2))
        log_each = -0.5 * ((distance**2).sum(1) + self.k * LOG_2PI) - jnp.log(scales).sum(1)
        return jax.nn.logsumexp(jax.nn.log_softmax(self.log_weights) + log_each)

    def sample(self, *, key: PRNGKey) -> Latent:
        """Draw one z, shape (k,); of the one component that it falls to, not of all m."""
        component_key, normal_key = jax.random.split(key)
        i = jax.random.categorical(component_key, self.log_weights)
        noise = jax.random.normal(normal_key, self.means[i].shape)
        return self.means[i] + jnp.tril(self.cholesky[i]) @ noise

    def moments(self) -> tuple[Latent, Latent]:
        weights = jax.nn.softmax(self.log_weights)
        mean = weights @ self.means
        within = (jnp.tril(self.cholesky) ** 2).sum(2)
        return mean, jnp.sqrt(weights @ (within + (self.means - mean[None]) ** 2))
