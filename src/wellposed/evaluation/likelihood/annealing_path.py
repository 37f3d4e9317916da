r"""The annealed path from a start that can be drawn from to the posterior, and walks along it.

With e standard normal and z = μ + Le, the start N(μ, LLᵀ) is any Gaussian that y determines, and

.. math:: \log f_t(e) = \log N(e \mid 0, I) + t \, r(e), \qquad
   r = \log p(y, z) - \log N(z \mid \mu, L L^T)

where exp r is an importance weight: f_0 is normalised and f_1 has the mass p(y). In units of e
one step size serves all latents where the start is near the posterior.
"""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.scipy.linalg import solve_triangular
from jaxtyping import Array, Float

from wellposed._typing import Latent, Point, PRNGKey, Scalar
from wellposed.models import VAEModel

N_LEAPFROG = 10
_ACCEPTANCE = 0.65  # optimal for HMC in many dimensions (Neal, 2011, §5.4.4)
STEEP, GENTLE = 4.0, 2.0  # schedules for a start that is far from the posterior, and near it
_FIRST_STEP = 0.3
_GAIN = 0.5  # of log step size on an acceptance
_LEAST_VARIANCE = 1e-6  # of e
_JITTER = 0.2  # a trajectory of one length can return to where it began


class Path(eqx.Module):
    """The path of one datum; see the module."""

    model: VAEModel
    y: Point
    loc: Latent
    factor: Float[Array, "k k"]  # L, lower triangular
    steepness: float = eqx.field(static=True)  # of the schedule

    def ratio(self, e: Latent) -> Scalar:
        """r(e): the log importance weight of a draw from the start, nats in model units."""
        z = self.loc + self.factor @ e
        log_ratio = jnp.log(jnp.diag(self.factor)) + 0.5 * (e**2 - z**2)
        return self.model.decode(z).log_prob(self.y) + log_ratio.sum()

    def position(self, z: Latent) -> Latent:
        """Return the e of a latent."""
        return solve_triangular(self.factor, z - self.loc, lower=True)

    def schedule(self, n_steps: int) -> Float[Array, " m+1"]:
        """Inverse temperatures from 0 to 1, denser at both ends: a sigmoid, rescaled.

        References: Grosse, Ancha & Roy (2016), §5.1; Wu et al. (2017), §4.
        """
        raw = jax.nn.sigmoid(self.steepness * jnp.linspace(-1.0, 1.0, n_steps + 1))
        return (raw - raw[0]) / (raw[-1] - raw[0])


class Walk(eqx.Module):
    """What chains along a path bring home, for s chains and m steps."""

    log_weight: Float[Array, " s"]  # Σ (t_{i+1} − t_i) r(e_i), whichever way it was walked
    acceptance: Float[Array, " m"]  # mean over chains
    step_size: Float[Array, " m"]
    moments: Float[Array, "k+1 k+1"]  # Σ (1, e)(1, e)ᵀ over chains and the last quarter of steps


def forwards(
    path: Path, e: Float[Array, "s k"], step_size: Float[Array, " m"], *, key: PRNGKey
) -> Walk:
    """Walk from draws of the start; E exp(log_weight) = p(y)."""
    t = path.schedule(len(step_size))
    return _walk(path, e, jnp.diff(t), t[1:], step_size, 0.0, key=key)


def backwards(
    path: Path, e: Float[Array, "s k"], step_size: Float[Array, " m"], *, key: PRNGKey
) -> Walk:
    """Walk from draws of the posterior, forwards in reverse; E exp(−log_weight) = 1/p(y)."""
    t = path.schedule(len(step_size))
    # The transition that reverses the one into t_i uses its step size; at t_0 none is needed.
    steps = jnp.concatenate([step_size[:-1][::-1], step_size[:1]])
    return _walk(path, e, jnp.diff(t)[::-1], t[:-1][::-1], steps, 0.0, key=key)


def step_sizes(
    path: Path, e: Float[Array, "s k"], n_steps: int, *, key: PRNGKey
) -> Float[Array, " m"]:
    """Step sizes that accept 0.65, found on a shorter walk of its own and frozen from there.

    A step size that depends on the walk it is used on, as in Wu et al. (2017), makes its
    transitions no longer leave f_t alone, and the bound no bound.
    """
    n_pilot = max(30, n_steps // 4)
    t = path.schedule(n_pilot)
    start = jnp.full((n_pilot,), _FIRST_STEP)
    found = _walk(path, e, jnp.diff(t), t[1:], start, _GAIN, key=key)
    return jnp.exp(jnp.interp(path.schedule(n_steps)[1:], t[1:], jnp.log(found.step_size)))


def fit_start(path: Path, e: Float[Array, "s k"], n_steps: int, *, key: PRNGKey) -> Path:
    """Start from a Gaussian fitted to where a walk of its own ends, for a shorter path.

    A start may depend on y and on randomness that the walk from it does not share.
    """
    n_pilot = max(30, n_steps // 2)
    t = path.schedule(n_pilot)
    start = jnp.full((n_pilot,), _FIRST_STEP)
    found = _walk(path, e, jnp.diff(t), t[1:], start, _GAIN, key=key)
    n = found.moments[0, 0]
    mean = found.moments[0, 1:] / n
    covariance = found.moments[1:, 1:] / n - jnp.outer(mean, mean)
    # Fewer draws than these leave more noise than correlation off the diagonal.
    kept = n / (n + 2 * len(mean))
    variance = jnp.maximum(jnp.diag(covariance), _LEAST_VARIANCE)
    shrunk = kept * covariance + jnp.diag(variance - kept * jnp.diag(covariance))
    # One LAPACK call of a batch at a time: two that run at once in one program, on as many threads,
    # wait for each other for ever in jaxlib 0.10. ``position`` waits for this one.
    factor = jnp.linalg.cholesky(shrunk)
    # Rounding can leave a matrix of nearly equal columns without one.
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
    """Weigh, then move, at each temperature; ``gain`` adapts the step size on the way."""
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
    """One HMC transition that leaves f_t alone."""
    from blackjax.mcmc import hmc  # half a second to import, and few need it

    def log_density(e: Latent) -> Scalar:
        return -0.5 * (e**2).sum() + t * path.ratio(e)

    here: Any = -0.5 * (e**2).sum() + t * r
    kernel: Any = hmc.build_kernel()
    state = hmc.HMCState(e, here, t * slope - e)
    moved, info = kernel(key, state, log_density, size, jnp.ones_like(e), N_LEAPFROG)
    return moved.position, info.acceptance_rate
