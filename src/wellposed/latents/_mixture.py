"""A mixture of Gaussians as prior."""

import equinox as eqx
import jax
from jaxtyping import Array, Float
from numpyro.distributions import Categorical, MixtureSameFamily, MultivariateNormal

from wellposed._typing import Latent, PRNGKey, Scalar


class GaussianMixture(eqx.Module):
    r"""m Gaussians with full covariances.

    .. math:: p(z) = \sum_i w_i \, N(z \mid \mu_i, L_i L_i^T)

    Parameters
    ----------
    log_weights : array of shape (m,), log w
    means : array of shape (m, k), μ
    cholesky : array of shape (m, k, k), L, lower triangular

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> prior = GaussianMixture(jnp.zeros(1), jnp.zeros((1, 2)), jnp.eye(2)[None])
    >>> prior.sample(key=jax.random.key(0)).shape
    (2,)
    """

    log_weights: Float[Array, " m"]
    means: Float[Array, "m k"]
    cholesky: Float[Array, "m k k"]

    def log_prob(self, z: Latent) -> Scalar:
        """log p(z), in nats."""
        components = MultivariateNormal(self.means, scale_tril=self.cholesky)
        return MixtureSameFamily(Categorical(logits=self.log_weights), components).log_prob(z)

    def sample(self, *, key: PRNGKey) -> Latent:
        """Draw one z, shape (k,); of the one component that it falls to, not of all m."""
        component_key, normal_key = jax.random.split(key)
        i = jax.random.categorical(component_key, self.log_weights)
        return self.means[i] + self.cholesky[i] @ jax.random.normal(normal_key, self.means[i].shape)
