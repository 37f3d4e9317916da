"""log p(x) by importance sampling, with its own account of how far to trust it."""

import functools
import math
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from wellposed._errors import SettingError
from wellposed._typing import Point, PRNGKey, Scalar
from wellposed.models import VAEModel
from wellposed.objectives import log_weights

from ._rows import over_rows

_WEIGHTS_AT_ONCE = 4096  # rows × samples of one decoder product: large enough to be efficient
_OUTPUTS_AT_ONCE = 8_000_000  # decoder outputs in memory


class LogLikelihood(eqx.Module):
    """Estimates of log p(x) for each datum, in nats and data units, all of shape (n,)."""

    value: Float[Array, "*batch"]
    standard_error: Float[Array, "*batch"]  # of value, by the delta method
    effective_sample_size: Float[Array, "*batch"]  # (Σw)² / Σw², between 1 and n_samples


def log_likelihood(model: VAEModel, rows: Any, *, n_samples: int, key: PRNGKey) -> LogLikelihood:
    r"""Estimate log p(x) = log E_q[p(x, z) / q(z | x)] with exactly ``n_samples`` draws a row.

    The estimate is below log p(x) on average, by about half its squared standard error where
    that is small; an effective sample size near one means that one draw decided.

    Parameters
    ----------
    model : VAEModel
    rows : array of shape (n, d), data units
    n_samples : draws of z a row, ≥ 1
    key : PRNG key; each row's draws depend on its content and on this alone

    Raises
    ------
    SettingError
        If ``n_samples`` is below one.

    References: Burda, Grosse & Salakhutdinov (2016), §5.
    """
    if n_samples < 1:
        raise SettingError(f"n_samples must be 1 or more; got {n_samples}. 128 is a start.")
    outputs = np.asarray(rows).shape[1] * model.noise.n_raw
    at_once = max(64, min(_WEIGHTS_AT_ONCE, _OUTPUTS_AT_ONCE // outputs))
    block = min(n_samples, at_once)
    chunk = max(1, min(256, at_once // n_samples))
    return over_rows(_visit(n_samples, block), model, rows, key=key, chunk=chunk)


@functools.lru_cache
def _visit(n_samples: int, block: int):
    """Build the visit of one datum: full blocks in a scan, then what is left over."""
    full, rest = divmod(n_samples, block)

    def visit(model: VAEModel, x: Point, *, key: PRNGKey) -> LogLikelihood:
        transform_key, latent_key = jax.random.split(key)
        found = model.infer(x, key=transform_key)

        def add(sums, index, size):
            block_key = jax.random.fold_in(latent_key, index)
            likelihood, ratio = log_weights(model, found.y, found.q, n_samples=size, key=block_key)
            log_w = likelihood + ratio
            first = jnp.logaddexp(sums[0], jax.nn.logsumexp(log_w))
            return first, jnp.logaddexp(sums[1], jax.nn.logsumexp(2 * log_w))

        start = (jnp.full((), -jnp.inf), jnp.full((), -jnp.inf))
        sums, _ = jax.lax.scan(lambda s, i: (add(s, i, block), None), start, jnp.arange(full))
        log_sum, log_squares = add(sums, full, rest) if rest else sums
        size = jnp.exp(2 * log_sum - log_squares)
        return LogLikelihood(
            log_sum - math.log(n_samples) + found.log_det,
            jnp.sqrt(_relative_variance(size, n_samples)),
            size,
        )

    return visit


def _relative_variance(size: Scalar, n_samples: int) -> Scalar:
    """Variance of the mean weight over its square; one draw tells nothing of it: NaN."""
    if n_samples == 1:
        return jnp.full((), jnp.nan)
    return jnp.maximum(1 / size - 1 / n_samples, 0.0) * n_samples / (n_samples - 1)
