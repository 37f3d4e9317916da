r"""The annealed path from a start that can be drawn from to the posterior, and walks along it.

With e standard normal and z = μ + σe, the start N(μ, σ²) is any Gaussian that y determines, and

.. math:: \log f_t(e) = \log N(e \mid 0, I) + t \, r(e), \qquad
   r = \log p(y, z) - \log N(z \mid \mu, \sigma^2)

where exp r is an importance weight: f_0 is normalised and f_1 has the mass p(y). In units of e
one step size serves all latents where the start is near the posterior.
"""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from wellposed._typing import Latent, Point, PRNGKey, Scalar
from wellposed.models import VAEModel

N_LEAPFROG = 10
_ACCEPTANCE = 0.65  # optimal for HMC in many dimensions (Neal, 2011, §5.4.4)
_STEEPNESS = 4.0  # of the sigmoid schedule
_FIRST_STEP = 0.3
_GAIN = 0.5  # of log step size on an acceptance
_LEAST_VARIANCE = 1e-6  # of e
_JITTER = 0.2  # a trajectory of one length can return to where it began


class Path(eqx.Module):
    """The path of one datum; see the module."""

    model: VAEModel
    y: Point
    loc: Latent
    scale: Latent

    def ratio(self, e: Latent) -> Scalar:
        """r(e): the log importance weight of a draw from the start, nats in model units."""
        z = self.loc + self.scale * e
        log_ratio = jnp.log(self.scale) + 0.5 * (e**2 - z**2)
        return self.model.decode(z).log_prob(self.y) + log_ratio.sum()

    def position(self, z: Latent) -> Latent:
        """Return the e of a latent."""
        return (z - self.loc) / self.scale


class Walk(eqx.Module):
    """What chains along a path bring home, for s chains and m steps."""

    log_weight: Float[Array, " s"]  # Σ (t_{i+1} − t_i) r(e_i), whichever way it was walked
    acceptance: Float[Array, " m"]  # mean over chains
    step_size: Float[Array, " m"]
    mean: Float[Array, "m k"]  # of e over chains
    square: Float[Array, "m k"]  # mean of e² over chains


def schedule(n_steps: int) -> Float[Array, " m+1"]:
    """Inverse temperatures from 0 to 1, dense at both ends: a sigmoid, rescaled.

    References: Grosse, Ancha & Roy (2016), §5.1; Wu et al. (2017), §4.
    """
    raw = jax.nn.sigmoid(_STEEPNESS * jnp.linspace(-1.0, 1.0, n_steps + 1))
    return (raw - raw[0]) / (raw[-1] - raw[0])


def forwards(
    path: Path, e: Float[Array, "s k"], step_size: Float[Array, " m"], *, key: PRNGKey
) -> Walk:
    """Walk from draws of the start; E exp(log_weight) = p(y)."""
    t = schedule(len(step_size))
    return _walked(path, e, jnp.diff(t), t[1:], step_size, 0.0, key=key)


def backwards(
    path: Path, e: Float[Array, "s k"], step_size: Float[Array, " m"], *, key: PRNGKey
) -> Walk:
    """Walk from draws of the posterior, forwards in reverse; E exp(−log_weight) = 1/p(y)."""
    t = schedule(len(step_size))
    # The transition that reverses the one into t_i uses its step size; at t_0 none is needed.
    steps = jnp.concatenate([step_size[:-1][::-1], step_size[:1]])
    return _walked(path, e, jnp.diff(t)[::-1], t[:-1][::-1], steps, 0.0, key=key)


def step_sizes(
    path: Path, e: Float[Array, "s k"], n_steps: int, *, key: PRNGKey
) -> Float[Array, " m"]:
    """Step sizes that accept 0.65, found on a shorter walk of its own and frozen from there.

    A step size that depends on the walk it is used on, as in Wu et al. (2017), makes its
    transitions no longer leave f_t alone, and the bound no bound.
    """
    n_pilot = max(30, n_steps // 4)
    t = schedule(n_pilot)
    start = jnp.full((n_pilot,), _FIRST_STEP)
    found = _walked(path, e, jnp.diff(t), t[1:], start, _GAIN, key=key)
    return jnp.exp(jnp.interp(schedule(n_steps)[1:], t[1:], jnp.log(found.step_size)))


def fitted(path: Path, e: Float[Array, "s k"], n_steps: int, *, key: PRNGKey) -> Path:
    """Start from a Gaussian fitted to where a walk of its own ends, for a shorter path.

    A start may depend on y and on randomness that the walk from it does not share.
    """
    n_pilot = max(30, n_steps // 2)
    t = schedule(n_pilot)
    start = jnp.full((n_pilot,), _FIRST_STEP)
    found = _walked(path, e, jnp.diff(t), t[1:], start, _GAIN, key=key)
    late = -(n_pilot // 4)  # t > 0.9
    mean = found.mean[late:].mean(axis=0)
    variance = found.square[late:].mean(axis=0) - mean**2
    scale = jnp.sqrt(jnp.maximum(variance, _LEAST_VARIANCE))
    return Path(path.model, path.y, path.loc + path.scale * mean, path.scale * scale)


def _walked(
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
        e, log_weight, log_factor = carry
        weight, t, size, step_key = given
        r, slope = ratio(e)
        size = size * jnp.exp(log_factor)
        keys = jax.random.split(step_key, len(e))
        moved, accepted = jax.vmap(lambda *chain: _moved(path, t, size, *chain))(e, r, slope, keys)
        log_factor = log_factor + gain * (accepted.mean() - _ACCEPTANCE)
        told = accepted.mean(), size, moved.mean(axis=0), (moved**2).mean(axis=0)
        return (moved, log_weight + weight * r, log_factor), told

    start = (e, jnp.zeros(len(e)), jnp.zeros(()))
    given = (weights, temperatures, step_size, jax.random.split(key, len(weights)))
    (_, log_weight, _), told = jax.lax.scan(step, start, given)
    return Walk(log_weight, *told)


def _moved(
    path: Path, t: Scalar, size: Scalar, e: Latent, r: Scalar, slope: Latent, key: PRNGKey
) -> tuple[Latent, Scalar]:
    """One HMC transition that leaves f_t alone."""
    from blackjax.mcmc import hmc  # a second to import, and few need it

    jitter_key, hmc_key = jax.random.split(key)

    def log_density(e: Latent) -> Scalar:
        return -0.5 * (e**2).sum() + t * path.ratio(e)

    state = hmc.HMCState(e, -0.5 * (e**2).sum() + t * r, t * slope - e)
    jittered = size * jax.random.uniform(jitter_key, minval=1 - _JITTER, maxval=1 + _JITTER)
    moved, info = hmc.build_kernel()(
        hmc_key, state, log_density, jittered, jnp.ones_like(e), N_LEAPFROG
    )
    return moved.position, info.acceptance_rate
