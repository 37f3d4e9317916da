"""The standard normal prior."""

import equinox as eqx
import jax

from wellposed._typing import Latent, Posterior, PRNGKey, Scalar
from wellposed.numerics import LOG_2PI, kl_to_standard_normal


class StandardNormal(eqx.Module):
    """p(z) = N(0, I_k).

    Parameters
    ----------
    k : number of latents

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> round(float(StandardNormal(2).log_prob(jnp.zeros(2))), 4)
    -1.8379
    """

    k: int = eqx.field(static=True)

    def kl(self, q: Posterior) -> Latent:
        """Rate of each latent: KL(q(z_i | x) ‖ p(z_i)), shape (k,), in nats."""
        return kl_to_standard_normal(q.loc, q.scale)

    def log_prob(self, z: Latent) -> Scalar:
        """log p(z), in nats."""
        return -0.5 * ((z**2).sum() + self.k * LOG_2PI)

    def sample(self, *, key: PRNGKey) -> Latent:
        """Draw one z, shape (k,)."""
        return jax.random.normal(key, (self.k,))
