r"""p(z | y) where log p(y | z) is replaced with a quadratic function of z.

Around a point a, with the gradient g and the curvature Λ of log p(y | z),

.. math:: \log p(y \mid z) \approx c + g^T (z - a) - \tfrac12 (z - a)^T \Lambda (z - a)

Under a prior of m Gaussians N(μ_i, Q_i⁻¹) with weights w_i, the posterior is again a mixture of m
Gaussians, with precisions P_i = Λ + Q_i, means a + δ_i and weights ω_i:

.. math:: \delta_i = P_i^{-1} (g + Q_i (\mu_i - a)), \quad
   \omega_i \propto w_i \sqrt{|Q_i| / |P_i|}
   \exp \tfrac12 (\delta_i^T P_i \delta_i - (\mu_i - a)^T Q_i (\mu_i - a))

For a linear decoder with Gaussian noise it is the posterior.
"""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.linalg import solve_triangular
from jaxtyping import Array, Float

from wellposed._compiled import compiled_soon
from wellposed._typing import Latent, Scalar
from wellposed.latents import GaussianMixture, StandardNormal
from wellposed.models import Inferred, VAEModel
from wellposed.numerics import LOG_2PI

from .mode_search import find_mode
from .student_mixture import StudentMixture, from_precisions

_PRIOR_DRAWS = 4096
_MOST_PARTS = 8  # components of the posterior; the prior may have more
_WIDEST = 1.0  # scale of the first metric of the search, in units of the prior


class PriorParts(eqx.Module):
    """A prior as a mixture of Gaussians.

    Parameters
    ----------
    log_weights : array of shape (m,), log w
    means : array of shape (m, k), μ
    whiteners : array of shape (m, k, k), B, with Q = BᵀB
    precisions : array of shape (m, k, k), Q
    log_dets : array of shape (m,), log |Q|
    exact : whether the mixture is the prior; otherwise it is a Gaussian with its moments
    """

    log_weights: Float[Array, " m"]
    means: Float[Array, "m k"]
    whiteners: Float[Array, "m k k"]
    precisions: Float[Array, "m k k"]
    log_dets: Float[Array, " m"]
    exact: bool = eqx.field(static=True)

    def log_prob(self, z: Latent) -> Scalar:
        """log p(z) of the mixture, in nats."""
        # For many z, one product; differences from the mean of the means have its size.
        origin = self.means.mean(axis=0)
        offsets = jnp.einsum("mij,mj->mi", self.whiteners, self.means - origin)
        e = (self.whiteners.reshape(-1, len(z)) @ (z - origin)).reshape(offsets.shape) - offsets
        log_each = 0.5 * (self.log_dets - (e**2).sum(axis=1) - len(z) * LOG_2PI)
        return jax.nn.logsumexp(self.log_weights + log_each)


def parts_of(prior: Any) -> PriorParts:
    """Return a prior's components; of a prior that is no mixture, a Gaussian with its moments.

    Parameters
    ----------
    prior : StandardNormal, GaussianMixture, or an object with ``log_prob`` and ``sample(key=)``
    """
    dtype = np.dtype(jnp.result_type(float))
    if isinstance(prior, StandardNormal):
        eye: Any = np.eye(prior.k, dtype=dtype)[None]
        zero: Any = np.zeros(1, dtype)
        numbers: Any = (zero, np.zeros_like(eye[0, :1]), eye, eye, zero)
        return PriorParts(*jax.device_put(numbers), exact=True)
    if isinstance(prior, GaussianMixture):
        log_weights, means, roots = (np.asarray(a, np.float64) for a in prior.parameters())
        roots = np.tril(roots)
        log_weights = log_weights - np.logaddexp.reduce(log_weights)
    else:
        z = np.asarray(_draws(prior), np.float64)
        log_weights, means = np.zeros(1), z.mean(axis=0)[None]
        roots = np.linalg.cholesky(np.cov(z, rowvar=False).reshape(1, z.shape[1], z.shape[1]))
    whiteners = np.linalg.inv(roots)
    log_dets = 2 * np.log(np.abs(np.diagonal(whiteners, axis1=1, axis2=2))).sum(axis=1)
    precisions = np.swapaxes(whiteners, 1, 2) @ whiteners
    parts: Any = (log_weights, means, whiteners, precisions, log_dets)
    parts = tuple(part.astype(dtype) for part in parts)
    return PriorParts(*jax.device_put(parts), exact=isinstance(prior, GaussianMixture))


@compiled_soon
def _draws(prior: Any) -> Float[Array, "n k"]:
    keys = jax.random.split(jax.random.key(0), _PRIOR_DRAWS)
    return jax.vmap(lambda key: prior.sample(key=key))(keys)


def log_prior(model: VAEModel, parts: PriorParts) -> Callable[[Latent], Scalar]:
    """Return log p(z) as a function of z, without a factorisation in compiled code.

    LAPACK calls that do not depend on one another deadlock if they run at once: see
    ``_combine``. Those of a mixture's factors have been computed on the host.
    """
    return parts.log_prob if isinstance(model.prior, GaussianMixture) else model.prior.log_prob


def local_posterior(
    model: VAEModel, parts: PriorParts, inferred: Inferred
) -> tuple[Latent, StudentMixture, Scalar]:
    """Return a mode of log p(y, z) near the encoder's mean, the posterior around it, and its mass.

    The posterior has at most eight components, the largest; the mass is the sum of their weights.

    The curvature of log p(y | z) is floored at zero, so that no component is wider than its
    component of the prior. If it is not finite, the encoder's variances take its place.

    Parameters
    ----------
    model : VAEModel
    parts : of the model's prior
    inferred : the datum
    """
    q, y = inferred.q, inferred.y
    loc, scale = jnp.asarray(q.loc), jnp.asarray(q.scale)

    log_p = log_prior(model, parts)

    def log_likelihood(z: Latent) -> Array:
        return model.decode(z).log_prob(y)

    def log_joint(z: Latent) -> Array:
        return log_likelihood(z) + log_p(z)

    mode = find_mode(log_joint, loc, jnp.minimum(scale, _WIDEST))
    gradient = jax.grad(log_likelihood)

    def twice(z: Latent) -> tuple[Array, Array]:
        first = gradient(z)
        return first, first

    hessian, slope = jax.jacfwd(twice, has_aux=True)(mode)
    curvature = -hessian
    finite = jnp.isfinite(slope).all() & jnp.isfinite(curvature).all()
    mode = jnp.where(finite, mode, loc)
    fallback = jnp.maximum(1 / scale**2 - 1, 0.0)
    curvature = _floor(jnp.where(finite, curvature, jnp.diag(fallback)))
    # The slope of the fallback is that which the prior N(0, I) balances.
    slope = jnp.where(finite, slope, loc)
    if parts.exact:
        offsets = parts.means - mode
    else:
        slope = slope + jax.grad(log_p)(mode)
        offsets = jnp.zeros_like(parts.means)
    return mode, *_combine(parts, curvature, slope, offsets, mode)


def _floor(curvature: Float[Array, "k k"]) -> Float[Array, "k k"]:
    values, vectors = jnp.linalg.eigh(0.5 * (curvature + curvature.T))
    return (vectors * jnp.maximum(values, 0.0)) @ vectors.T


def _combine(
    parts: PriorParts,
    curvature: Float[Array, "k k"],
    slope: Latent,
    offsets: Float[Array, "m k"],
    origin: Latent,
) -> tuple[StudentMixture, Scalar]:
    """Return the largest components of the posterior, and their share of its mass.

    ``offsets`` are μ − a of the module's equations.
    """
    # LAPACK calls depend on one another: two that run at once, on as many threads, deadlock in
    # jaxlib 0.10.
    roots = jnp.linalg.cholesky(curvature + parts.precisions)
    pulls = jnp.einsum("cij,cj->ci", parts.precisions, offsets)
    whitened = solve_triangular(roots, (slope + pulls)[:, :, None], lower=True)[:, :, 0]
    gained = (whitened**2).sum(axis=1) - (offsets * pulls).sum(axis=1)
    log_dets = jnp.log(jnp.diagonal(roots, axis1=1, axis2=2)).sum(axis=1)
    log_weights = jax.nn.log_softmax(parts.log_weights + 0.5 * (parts.log_dets + gained) - log_dets)
    log_weights, kept = jax.lax.top_k(log_weights, min(_MOST_PARTS, len(log_weights)))
    mixture = from_precisions(log_weights, offsets[kept], roots[kept])
    moves = jnp.einsum("cij,cj->ci", mixture.scales, whitened[kept])
    mass = jax.nn.logsumexp(log_weights)
    mixture = eqx.tree_at(
        lambda m: (m.log_weights, m.means), mixture, (log_weights - mass, origin + moves)
    )
    return mixture, jnp.exp(mass)
