"""The contract of priors that are part of a model."""

import abc

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from wellposed._typing import Latent, Leaves, Posterior, PRNGKey, Scalar
from wellposed.numerics import LOG_2PI, kl_to_standard_normal


class AbstractPrior(eqx.Module):
    """p(z) of one latent vector: what is sampled is what is scored.

    A subclass defines ``k``, ``log_prob``, ``sample`` and ``moments``.

    Examples
    --------
    >>> from wellposed.latents import StandardNormal
    >>> isinstance(StandardNormal(2), AbstractPrior)
    True
    """

    k: eqx.AbstractVar[int]

    @abc.abstractmethod
    def log_prob(self, z: Latent) -> Scalar:
        """log p(z), in nats."""

    @abc.abstractmethod
    def sample(self, *, key: PRNGKey) -> Latent:
        """Draw one z, shape (k,)."""

    @abc.abstractmethod
    def moments(self) -> tuple[Latent, Latent]:
        """Mean and standard deviation of each latent under p(z), shapes (k,)."""

    @property
    def notation(self) -> str:
        """The distribution in texts for people."""
        return "p(z)"

    def parameters(self) -> Leaves:
        """Return the leaves that the optimiser updates."""
        return ()

    def log_ratio(self, q: Posterior, standard: Latent) -> Scalar:
        """log p(z) − log q(z | x) at z = loc + scale · standard, in nats.

        Parameters
        ----------
        q : q(z | x)
        standard : draw of N(0, I), shape (k,)
        """
        log_q = -0.5 * (standard**2 + LOG_2PI) - jnp.log(q.scale)
        return self.log_prob(q.loc + q.scale * standard) - log_q.sum()

    def rate(self, q: Posterior, log_ratio: Float[Array, "*draws"]) -> Scalar:
        """KL(q(z | x) ‖ p(z)), in nats, from :meth:`log_ratio` at draws of q.

        Exact, whatever the draws, where it has a closed form.
        """
        del q
        return -log_ratio.mean()

    def kl(self, q: Posterior) -> Latent:
        r"""Rate of each latent against its own marginal, shape (k,), in nats.

        .. math:: KL(q(z_i \mid x) \| N(m_i, s_i^2))

        with the moments of p(z_i): zero where q(z_i | x) is that normal whatever x is, as it is of
        a collapsed latent once p(z_i) fits its codes. For N(0, I) the sum over latents is the
        rate; for another prior it is not.
        """
        mean, deviation = self.moments()
        return kl_to_standard_normal((q.loc - mean) / deviation, q.scale / deviation)
