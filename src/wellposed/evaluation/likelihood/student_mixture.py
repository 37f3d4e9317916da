"""Mixtures of Gaussians or Student's t: proposals for importance sampling."""

import math
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.scipy.linalg import solve_triangular
from jaxtyping import Array, Bool, Float

from wellposed._typing import Latent, PRNGKey
from wellposed.numerics import LOG_2PI

DEGREES = 6  # of freedom, an even number: χ² is then a product of uniform numbers


class StudentMixture(eqx.Module):
    r"""c multivariate t distributions with six degrees of freedom ν, or c Gaussians.

    .. math:: q(z) = \sum_i w_i \, t_\nu(z \mid m_i, S_i S_i^T)

    Parameters
    ----------
    log_weights : array of shape (c,), log w, normalised
    means : array of shape (c, k), m
    scales : array of shape (c, k, k), S, so that z = m + S e
    whiteners : array of shape (c, k, k), S⁻¹
    log_dets : array of shape (c,), log |det S|
    gaussian : whether the components are Gaussians
    """

    log_weights: Float[Array, " c"]
    means: Float[Array, "c k"]
    scales: Float[Array, "c k k"]
    whiteners: Float[Array, "c k k"]
    log_dets: Float[Array, " c"]
    gaussian: Bool[Array, "*one"]

    def sample(self, n: int, *, key: PRNGKey) -> Float[Array, "n k"]:
        """Draw z_1 … z_n."""
        # One call of the generator, which takes long to compile.
        k, largest = self.means.shape[1], 1 - float(jnp.finfo(self.means.dtype).epsneg)
        shape = n, k + 1 + DEGREES // 2
        u = jax.random.uniform(key, shape, self.means.dtype, minval=-largest, maxval=largest)
        e = math.sqrt(2) * jax.scipy.special.erfinv(u[:, :k])
        u = 0.5 * (1 + u[:, k:])  # in (0, 1]
        squares = -2 * jnp.log(u[:, 1:]).sum(axis=1)  # χ² with ν degrees of freedom
        stretch = jnp.where(self.gaussian, 1.0, jnp.sqrt(DEGREES / squares))
        # The component in whose share of (0, 1] the uniform number lies; none has an empty share.
        above = jnp.cumsum(jnp.exp(self.log_weights))
        below = jnp.concatenate([jnp.zeros(1), above[:-1]])
        share = above[-1] * u[:, :1]
        chosen = ((below < share) & (share <= above)).astype(e.dtype)
        moved = _products(self.scales, stretch[:, None] * e) + self.means
        return (chosen[:, :, None] * moved).sum(axis=1)

    def log_probs(self, z: Float[Array, "n k"]) -> Float[Array, "n c"]:
        """Return log w_i + log q_i(z) of each component, in nats."""
        k = z.shape[1]
        # Differences from the mean of the means have the size of the mixture, wherever it is.
        origin = self.means.mean(axis=0)
        offsets = jnp.einsum("cij,cj->ci", self.whiteners, self.means - origin)
        squares = ((_products(self.whiteners, z - origin) - offsets) ** 2).sum(axis=2)
        normal = -0.5 * (squares + k * LOG_2PI)
        heavy = _log_constant(k) - 0.5 * (DEGREES + k) * jnp.log1p(squares / DEGREES)
        return self.log_weights - self.log_dets + jnp.where(self.gaussian, normal, heavy)

    def log_prob(self, z: Float[Array, "n k"]) -> Float[Array, " n"]:
        """Return log q(z) of n latents, in nats."""
        return jax.nn.logsumexp(self.log_probs(z), axis=1)

    def moments(self) -> tuple[Latent, Float[Array, "k k"]]:
        """Return the mean and covariance of the mixture of Gaussians, not of t distributions."""
        weights = jnp.exp(self.log_weights)
        mean = weights @ self.means
        between = self.means - mean
        within = jnp.einsum("c,cij,clj->il", weights, self.scales, self.scales)
        return mean, within + jnp.einsum("c,ci,cj->ij", weights, between, between)

    def with_tails(self, gaussian: Bool[Array, "*one"]) -> "StudentMixture":
        """Return the mixture with the tails of a Gaussian, or of a t distribution."""
        return eqx.tree_at(lambda m: m.gaussian, self, gaussian)


def from_precisions(
    log_weights: Float[Array, " c"], means: Float[Array, "c k"], roots: Float[Array, "c k k"]
) -> StudentMixture:
    """Return the mixture of t distributions with the precisions RRᵀ, given lower triangular R."""
    k = means.shape[1]
    identity = jnp.broadcast_to(jnp.eye(k), roots.shape)
    scales = solve_triangular(roots, identity, lower=True, trans=1)
    log_dets = -jnp.log(jnp.diagonal(roots, axis1=1, axis2=2)).sum(axis=1)
    return StudentMixture(
        log_weights, means, scales, jnp.swapaxes(roots, 1, 2), log_dets, jnp.asarray(False)
    )


def from_covariance(mean: Latent, root: Float[Array, "k k"]) -> StudentMixture:
    """Return one t distribution with the scale matrix LLᵀ, given the lower triangular L."""
    whitener = solve_triangular(root, jnp.eye(len(mean)), lower=True)
    log_det = jnp.log(jnp.diag(root)).sum()
    one = mean[None], root[None], whitener[None], log_det[None]
    return StudentMixture(jnp.zeros(1), *one, jnp.asarray(False))


def independent(mean: Latent, scale: Latent) -> StudentMixture:
    """Return one t distribution with a diagonal scale matrix, given its roots."""
    one = mean[None], jnp.diag(scale)[None], jnp.diag(1 / scale)[None], jnp.log(scale).sum()[None]
    return StudentMixture(jnp.zeros(1), *one, jnp.asarray(False))


def join(parts: list[StudentMixture], log_shares: list[Any]) -> StudentMixture:
    """Return the mixture of mixtures with given log shares; the tails are those of the first."""
    weighted = [
        eqx.tree_at(lambda m: m.log_weights, part, part.log_weights + share)
        for part, share in zip(parts, log_shares, strict=True)
    ]
    same = [part.with_tails(parts[0].gaussian[None]) for part in weighted]
    joined: StudentMixture = jax.tree.map(lambda *leaves: jnp.concatenate(leaves), *same)
    return joined.with_tails(parts[0].gaussian)


def _products(matrices: Float[Array, "c k k"], z: Float[Array, "n k"]) -> Float[Array, "n c k"]:
    """Return the products of all matrices with all vectors, as one matrix product."""
    c, k, _ = matrices.shape
    return (z @ matrices.reshape(c * k, k).T).reshape(len(z), c, k)


def _log_constant(k: int) -> float:
    """Return the log density at the mode of a standard t distribution of k dimensions."""
    half = DEGREES / 2
    return math.lgamma(half + k / 2) - math.lgamma(half) - 0.5 * k * math.log(DEGREES * math.pi)
