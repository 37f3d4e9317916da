r"""The annealed path from a Gaussian start to the posterior, and walks along it.

Let e be standard normal and z = μ + Le. The start N(μ, LLᵀ) may be any Gaussian that y
determines. The densities along the path are

.. math:: \log f_t(e) = \log N(e \mid 0, I) + t \, r(e), \qquad
   r = \log p(y, z) - \log N(z \mid \mu, L L^T)

where exp r is an importance weight: f_0 is normalised and f_1 has the mass p(y). If the start is
near the posterior, one step size in units of e suits all latents.
"""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.scipy.linalg import solve_triangular
from jaxtyping import Array, Float

from wellposed._typing import Latent, Point, PRNGKey, Scalar
from wellposed.latents import StandardNormal
from wellposed.models import VAEModel
from wellposed.numerics import LOG_2PI

from .hamiltonian import transition

N_LEAPFROG = 10
_ACCEPTANCE = 0.65  # optimal for HMC in many dimensions (Neal, 2011, §5.4.4)
STEEP, GENTLE = 4.0, 2.0  # of the schedule: a start far from the posterior, or near it
_FIRST_STEP = 0.3
_GAIN = 0.5  # change of log step size per unit of acceptance
_LEAST_VARIANCE = 1e-6  # of e
_JITTER = 0.2  # relative; trajectories of one fixed length can be periodic


class Path(eqx.Module):
    """Annealed path of one datum, as the module defines it."""

    model: VAEModel
    y: Point
    loc: Latent
    factor: Float[Array, "k k"]  # L, lower triangular
    steepness: float = eqx.field(static=True)  # of the schedule

    def ratio(self, e: Latent) -> Scalar:
        """Return r(e), the log importance weight of a draw from the start, nats in model units."""
        z = self.loc + self.factor @ e
        log_likelihood = self.model.decode(z).log_prob(self.y)
        if isinstance(self.model.prior, StandardNormal):
            log_ratio = jnp.log(jnp.diag(self.factor)) + 0.5 * (e**2 - z**2)
            return log_likelihood + log_ratio.sum()
        log_start = -jnp.log(jnp.diag(self.factor)) - 0.5 * (e**2 + LOG_2PI)
        return log_likelihood + self.model.prior.log_prob(z) - log_start.sum()

    def position(self, z: Latent) -> Latent:
        """Return the e that maps to the latent z."""
        return solve_triangular(self.factor, z - self.loc, lower=True)

    def schedule(self, n_steps: int) -> Float[Array, " m+1"]:
        """Return inverse temperatures from 0 to 1: a rescaled sigmoid, denser at both ends.

        References: Grosse, Ancha & Roy (2016), §5.1; Wu et al. (2017), §4.
        """
        raw = jax.nn.sigmoid(self.steepness * jnp.linspace(-1.0, 1.0, n_steps + 1))
        return (raw - raw[0]) / (raw[-1] - raw[0])


class Walk(eqx.Module):
    """Result of one annealed walk of s chains over m steps."""

    log_weight: Float[Array, " s"]  # Σ (t_{i+1} − t_i) r(e_i), for either direction
    acceptance: Float[Array, " m"]  # mean over chains
    step_size: Float[Array, " m"]
    moments: Float[Array, "k+1 k+1"]  # Σ (1, e)(1, e)ᵀ over chains and last quarter of steps


def forwards(
    path: Path, e: Float[Array, "s k"], step_size: Float[Array, " m"], *, key: PRNGKey
) -> Walk:
    """Walk from draws of the start to the posterior; E exp(log_weight) = p(y)."""
    t = path.schedule(len(step_size))
    return _walk(path, e, jnp.diff(t), t[1:], step_size, 0.0, key=key)


def backwards(
    path: Path, e: Float[Array, "s k"], step_size: Float[Array, " m"], *, key: PRNGKey
) -> Walk:
    """Walk from draws of the posterior to the start; E exp(−log_weight) = 1/p(y)."""
    t = path.schedule(len(step_size))
    # The reverse of the transition into t_i uses its step size; none is needed at t_0.
    steps = jnp.concatenate([step_size[:-1][::-1], step_size[:1]])
    return _walk(path, e, jnp.diff(t)[::-1], t[:-1][::-1], steps, 0.0, key=key)


def step_sizes(
    path: Path, e: Float[Array, "s k"], n_steps: int, *, key: PRNGKey
) -> Float[Array, " m"]:
    """Adapt step sizes to an acceptance of 0.65 on a separate, shorter pilot walk.

    Wu et al. (2017) adapt the step size on the walk that uses it. Its transitions then no longer
    leave f_t invariant, and the estimate is not a bound.
    """
    n_pilot = max(30, n_steps // 4)
    t = path.schedule(n_pilot)
    start = jnp.full((n_pilot,), _FIRST_STEP)
    pilot = _walk(path, e, jnp.diff(t), t[1:], start, _GAIN, key=key)
    return jnp.exp(jnp.interp(path.schedule(n_steps)[1:], t[1:], jnp.log(pilot.step_size)))


def fit_start(path: Path, e: Float[Array, "s k"], n_steps: int, *, key: PRNGKey) -> Path:
    """Return a shorter path, from a Gaussian fitted to the end of a separate pilot walk.

    The start may depend on y, and on random numbers that are independent of the later walk.
    """
    n_pilot = max(30, n_steps // 2)
    t = path.schedule(n_pilot)
    start = jnp.full((n_pilot,), _FIRST_STEP)
    pilot = _walk(path, e, jnp.diff(t), t[1:], start, _GAIN, key=key)
    n = pilot.moments[0, 0]
    mean = pilot.moments[0, 1:] / n
    covariance = pilot.moments[1:, 1:] / n - jnp.outer(mean, mean)
    # Shrink the off-diagonal entries, which are mostly noise if draws are few.
    kept = n / (n + 2 * len(mean))
    variance = jnp.maximum(jnp.diag(covariance), _LEAST_VARIANCE)
    shrunk = kept * covariance + jnp.diag(variance - kept * jnp.diag(covariance))
    # One batched LAPACK call at a time: two calls that run at once in one program, on as many
    # threads, deadlock in jaxlib 0.10. ``position`` depends on this call, and so runs after it.
    factor = jnp.linalg.cholesky(shrunk)
    # With rounding, a matrix of nearly equal columns can fail to be positive definite.
    factor = jnp.where(jnp.isfinite(factor).all(), factor, jnp.diag(jnp.sqrt(variance)))
    loc = path.loc + path.factor @ mean
    return Path(path.model, path.y, loc, path.factor @ factor, GENTLE)


def _walk(
    path: Path,
    e: Float[Array, "s k"],
    weights: Float[Array, " m"],
    temperatures: Float[Array, " m"],
    step_size: Float[Array, " m"],
    gain: float,
    *,
    key: PRNGKey,
) -> Walk:
    """Weight and then move the chains at each temperature; ``gain`` adapts the step size."""
    ratio = jax.vmap(jax.value_and_grad(path.ratio))

    def step(carry: Any, given: Any) -> Any:
        e, log_weight, log_factor, moments = carry
        weight, t, size, jitter, late, step_key = given
        r, slope = ratio(e)
        size = size * jnp.exp(log_factor)
        keys = jax.random.split(step_key, len(e))
        moved, accepted = jax.vmap(lambda *chain: _move(path, t, jitter * size, *chain))(
            e, r, slope, keys
        )
        log_factor = log_factor + gain * (accepted.mean() - _ACCEPTANCE)
        ones_and_e = jnp.concatenate([jnp.ones((len(e), 1)), moved], axis=1)
        moments = moments + late * ones_and_e.T @ ones_and_e
        return (moved, log_weight + weight * r, log_factor, moments), (accepted.mean(), size)

    m, k = len(weights), e.shape[1]
    jitter_key, move_key = jax.random.split(key)
    jitter = jax.random.uniform(jitter_key, (m,), minval=1 - _JITTER, maxval=1 + _JITTER)
    start = (e, jnp.zeros(len(e)), jnp.zeros(()), jnp.zeros((k + 1, k + 1)))
    late = jnp.arange(m) >= m - m // 4
    keys = jax.random.split(move_key, m)
    given = (weights, temperatures, step_size, jitter, 1.0 * late, keys)
    (_, log_weight, _, moments), (acceptance, sizes) = jax.lax.scan(step, start, given)
    return Walk(log_weight, acceptance, sizes, moments)


def _move(
    path: Path, t: Scalar, size: Scalar, e: Latent, r: Scalar, slope: Latent, key: PRNGKey
) -> tuple[Latent, Scalar]:
    """Make one HMC transition that leaves f_t invariant."""

    def log_density(e: Latent) -> Scalar:
        return -0.5 * (e**2).sum() + t * path.ratio(e)

    here = -0.5 * (e**2).sum() + t * r
    moved = transition(log_density, e, here, t * slope - e, size, N_LEAPFROG, key=key)
    return moved.position, moved.acceptance
