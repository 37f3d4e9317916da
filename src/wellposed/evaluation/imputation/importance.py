r"""Missing entries of rows given the observed ones, by self-normalised importance sampling.

With draws z_1 … z_s from a proposal q for the row, refined as for log p(x), and the weights
w_i ∝ p(x_obs, z_i) / q(z_i) that sum to one,

.. math:: E[f(x_{mis}) \mid x_{obs}] \approx \sum_i w_i \, E[f(x_{mis}) \mid x_{obs}, z_i]

A draw of x_mis has z_i with the probability w_i, and is then from p(x_mis | x_obs, z_i).

References: Mattei & Frellsen (2019), eqs 11-12, with q(z | x) in place of the refined proposal.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from wellposed._budget import at_once
from wellposed._typing import Latent, Point, PRNGKey
from wellposed.models import VAEModel, draw_keys

from .._rows import over_rows
from ..likelihood.importance_weights import effective_size
from ..likelihood.local_posterior import PriorParts, parts_of
from ..likelihood.pareto_k import pareto_k, tail_size
from ..likelihood.refined import cut_refined, pilot_size, refine
from ..variance.affine_units import is_affine
from .record import Imputations

_NOISE_DRAWS = 4  # a latent, for means through a curved transform


def impute_by_importance(
    model: VAEModel, rows: np.ndarray, *, key: PRNGKey, n_samples: int, n_draws: int, n_levels: int
) -> Imputations:
    """Complete rows; see :func:`wellposed.evaluation.impute` for the parameters."""
    parts = parts_of(model.prior)
    d, width = rows.shape[1], rows.shape[1] * max(model.noise.n_raw, n_levels, _NOISE_DRAWS)
    block, chunk = cut_refined(model, d, parts)
    chunk = min(chunk, max(1, at_once(n_samples * width + n_draws * d, 64)))
    return over_rows(
        _impute,
        (model, parts),
        rows,
        key=key,
        chunk=1 << (chunk.bit_length() - 1),
        n_samples=n_samples,
        n_pilot=pilot_size(n_samples, parts.means.shape[1], block),
        block=block,
        n_draws=n_draws,
        n_levels=n_levels,
        affine=is_affine(model),
    )


def _impute(
    given: tuple[VAEModel, PriorParts],
    x: Point,
    *,
    key: PRNGKey,
    n_samples: int,
    n_pilot: int,
    block: int,
    n_draws: int,
    n_levels: int,
    affine: bool,
) -> Imputations:
    model, parts = given
    inferred, keys = model.infer(x, key=key), draw_keys(key, 4)
    pilot_key, latent_key, choice_key, noise_key = keys
    proposal = refine(model, parts, inferred, n_pilot=n_pilot, block=block, key=pilot_key)
    z, log_w = proposal.draw(n_samples, latent_key)
    weights, y = jax.nn.softmax(log_w), inferred.y

    def completed(z: Latent, key: PRNGKey) -> Point:
        return model.transform.inverse(_decoded(model, z).complete(y, key=key))

    def mean_of(z: Latent, key: PRNGKey) -> Point:
        if affine:
            return _decoded(model, z).conditional_mean(y)
        draws = jax.vmap(completed, (None, 0))(z, jax.random.split(key, _NOISE_DRAWS))
        return draws.mean(axis=0)

    means = jax.vmap(mean_of)(z, jax.random.split(noise_key, n_samples))
    mean = weights @ means
    chosen = z[jax.random.categorical(choice_key, log_w, shape=(n_draws,))]
    draw_key = jax.random.fold_in(noise_key, 1)
    draws = jax.vmap(completed)(chosen, jax.random.split(draw_key, n_draws))
    seen = ~jnp.isnan(x)
    levels = _levels(model, z, weights, n_levels) if n_levels else None
    log_sum, log_squares = jax.nn.logsumexp(log_w), jax.nn.logsumexp(2 * log_w)
    largest = jax.lax.top_k(log_w, min(n_samples, tail_size(n_samples) + 1))[0]
    return Imputations(
        jnp.where(seen, x, model.transform.inverse(mean) if affine else mean),
        levels,
        jnp.where(seen, x, draws),
        effective_size(log_sum, log_squares, n_samples),
        pareto_k(largest, n_samples),
    )


def _levels(
    model: VAEModel, z: Float[Array, "s k"], weights: Float[Array, " s"], n_levels: int
) -> Float[Array, "levels d"]:
    """Return the probability of each whole number below ``n_levels`` for each feature."""

    def probability(level: Array) -> Point:
        each = jax.vmap(lambda one: jnp.exp(model.decode(one).feature_log_prob(level)))(z)
        return weights @ each

    d = model.transform.inverse(model.decode(z[0]).mean).shape
    levels = jnp.broadcast_to(jnp.arange(n_levels, dtype=weights.dtype)[:, None], (n_levels, *d))
    return jax.lax.map(probability, levels)


def _decoded(model: VAEModel, z: Latent) -> Any:
    """p(y | z), of a type that is known where the noise allows missing entries."""
    return model.decode(z)
