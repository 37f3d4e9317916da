"""The amortisation gap: the encoder's q against a diagonal Gaussian optimised for each datum."""

import math
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike
from numpyro.distributions import Normal

from wellposed._budget import at_once
from wellposed._checks import check_count
from wellposed._forks import check_process
from wellposed._typing import Latent, Point, Posterior, PRNGKey, Scalar
from wellposed.evaluation import over_rows
from wellposed.models import Inferred, VAEModel, draw_keys

from .._optimiser import Moments, adam
from .gaps import AmortisationGap

_PAIRS = 2  # of draws z = μ ± σε in a step
_STEP = 0.1  # the first step's length, in q's own standard deviations


def amortisation_gap(
    model: VAEModel, rows: ArrayLike, *, key: PRNGKey, n_steps: int = 300, n_samples: int = 256
) -> AmortisationGap:
    r"""Compare the ELBO under the encoder's q with that under the best diagonal Gaussian.

    For each row, (μ, log σ) are optimised from the encoder's by Adam, whose rate decays to zero
    along a half cosine. Steps are in units of q's own standard deviations, so a latent of posterior
    width 10⁻³ needs as many steps as one of width 1. Each step uses fresh draws, in antithetic
    pairs μ ± σε: s fixed draws would be overfitted, by about k/s nats.

    Then the better q of each row is chosen on ``n_samples`` fresh draws, and compared with the
    encoder's on as many other draws, with the same ε for both. Where the encoder's q is kept, the
    gap is exactly zero. The mean gap is therefore an unbiased estimate for the chosen q, and on
    average a lower bound of the gap to the best q.

    Parameters
    ----------
    model : VAEModel
    rows : array of shape (n, d), data units
    key : PRNG key; dequantisation adds the same noise as in the other scores
    n_steps : int ≥ 0, steps of the optimisation
    n_samples : int ≥ 2, draws of z in each comparison

    Raises
    ------
    SettingError
        If a number is out of range.

    References: Cremer, Li & Duvenaud (2018), §3 and §5.1.

    Examples
    --------
    >>> amortisation_gap(vae.model_, X[:5], key=key, n_steps=20).encoder.shape
    (5,)
    """
    check_process()
    n_steps = check_count("n_steps", n_steps, "300 is a start.", low=0)
    n_samples = check_count("n_samples", n_samples, "256 is a start.", low=2)
    rows = np.asarray(rows)
    chunk = at_once(2 * _PAIRS * rows.shape[1] * model.noise.n_raw, 128)
    settings: dict[str, Any] = {"n_steps": n_steps, "n_samples": n_samples}
    parts = over_rows(_compare_bounds, model, rows, key=key, chunk=chunk, **settings)
    return AmortisationGap(*(np.asarray(part, np.float64) for part in parts))


def _compare_bounds(
    model: VAEModel, x: Point, *, key: PRNGKey, n_steps: int, n_samples: int
) -> tuple[Scalar, ...]:
    inferred, (own_key,) = model.infer(x, key=key), draw_keys(key, 1)
    climb_key, choice_key, judge_key = jax.random.split(own_key, 3)
    best = _climb(model, inferred, n_steps, key=climb_key)
    choice = _compare(model, inferred, best, n_samples, key=choice_key)
    better = choice.gain > 0
    comparison = _compare(model, inferred, best, n_samples, key=judge_key)
    kept = jnp.where(better, comparison.gain, 0.0)
    error = jnp.where(better, comparison.gain_error, 0.0)
    return comparison.encoder, comparison.encoder + kept, error, better


class _Comparison(eqx.Module):
    """The ELBO under the encoder's q, and the gain of another q with its standard error."""

    encoder: Scalar
    gain: Scalar
    gain_error: Scalar


def _climb(model: VAEModel, inferred: Inferred, n_steps: int, *, key: PRNGKey) -> Posterior:
    """Maximise the ELBO of one datum over (μ, log σ)."""
    start = (inferred.q.loc, jnp.log(inferred.q.scale))

    def elbo(place: tuple[Latent, Latent], step_key: PRNGKey) -> Scalar:
        # The slope is that of log p(x, z) − log q(z) in z alone, unbiased since E ∂ log q = 0: it
        # has no noise where q is the posterior (Roeder, Wu & Duvenaud, 2017).
        loc, scale = place[0], jnp.exp(place[1])
        still = jax.lax.stop_gradient((loc, scale))
        drawn = jax.random.normal(step_key, (_PAIRS, *loc.shape))
        z = loc + scale * jnp.concatenate([drawn, -drawn])
        likelihood = jax.vmap(lambda latent: model.decode(latent).log_prob(inferred.y))(z)
        # Of log q up to a constant.
        ratio = jax.vmap(model.prior.log_prob)(z) + 0.5 * (((z - still[0]) / still[1]) ** 2).sum(1)
        return jnp.mean(likelihood + ratio)

    def step(carry, inputs):
        place, memory = carry
        step_key, rate = inputs
        slope = jax.grad(elbo)(place, step_key)
        scale = jnp.exp(place[1])
        direction: Any
        direction, memory = adam((slope[0] * scale, slope[1]), memory)
        moved = place[0] + rate * scale * direction[0], place[1] + rate * direction[1]
        return (moved, memory), None

    turns = jnp.pi * jnp.arange(n_steps) / max(n_steps, 1)
    rates = (0.5 * _STEP * (1 + jnp.cos(turns))).astype(start[0].dtype)
    keys = jax.random.split(key, n_steps)
    (place, _), _ = jax.lax.scan(step, (start, Moments.of(start)), (keys, rates))
    return Normal(place[0], jnp.exp(place[1]))


def _compare(
    model: VAEModel, inferred: Inferred, other: Posterior, n_samples: int, *, key: PRNGKey
) -> _Comparison:
    """Compare both q with the same standard normal draws, one draw at a time to save memory."""

    def log_weight(q: Posterior, drawn: Latent) -> Scalar:
        # log p(x, z) − log q(z) and not the closed KL: constant where q is the posterior.
        z = q.loc + q.scale * drawn
        return model.decode(z).log_prob(inferred.y) + model.prior.log_ratio(q, drawn)

    def judge(sample_key: PRNGKey) -> tuple[Scalar, Scalar]:
        drawn = jax.random.normal(sample_key, inferred.q.loc.shape)
        own = log_weight(inferred.q, drawn)
        return own, log_weight(other, drawn) - own

    own, gains = jax.lax.map(judge, jax.random.split(key, n_samples))
    error = jnp.std(gains, ddof=1) / math.sqrt(n_samples)
    return _Comparison(own.mean() + inferred.log_det, gains.mean(), error)
