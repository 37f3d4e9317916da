"""The standard normal prior."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from wellposed._typing import Latent, Posterior, PRNGKey, Scalar
from wellposed.numerics import LOG_2PI, kl_to_standard_normal

from ._abstract import AbstractPrior


class StandardNormal(AbstractPrior):
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

    @property
    def notation(self) -> str:
        return "N(0, I)"

    def kl(self, q: Posterior) -> Latent:
        """Rate of each latent: KL(q(z_i | x) ‖ p(z_i)), shape (k,), in nats."""
        return kl_to_standard_normal(q.loc, q.scale)

    def rate(self, q: Posterior, log_ratio: Float[Array, "*draws"]) -> Scalar:
        """KL(q(z | x) ‖ p(z)), in nats, in closed form."""
        del log_ratio
        return jnp.sum(self.kl(q))

    def log_ratio(self, q: Posterior, standard: Latent) -> Scalar:
        # Latent by latent: a collapsed one contributes exactly zero.
        z = q.loc + q.scale * standard
        return (jnp.log(q.scale) + 0.5 * (standard**2 - z**2)).sum()

    def log_prob(self, z: Latent) -> Scalar:
        """log p(z), in nats."""
        return -0.5 * ((z**2).sum() + self.k * LOG_2PI)

    def sample(self, *, key: PRNGKey) -> Latent:
        """Draw one z, shape (k,)."""
        return jax.random.normal(key, (self.k,))

    def moments(self) -> tuple[Latent, Latent]:
        return jnp.zeros(self.k), jnp.ones(self.k)
