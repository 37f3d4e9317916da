"""Importance weights of one datum, computed in blocks; memory holds one block at a time."""

import math
from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from wellposed._budget import at_once
from wellposed._typing import PRNGKey, Scalar
from wellposed.models import Inferred, VAEModel
from wellposed.objectives import log_weights

State = TypeVar("State")
Weigh: TypeAlias = Callable[[int, PRNGKey], Float[Array, " s"]]

LEAST, MOST = 64, 4096  # rows × samples of one decoder product: large enough to be efficient


def cut(model: VAEModel, d: int, n_samples: int) -> tuple[int, int]:
    """Return the draws in a block and the rows in a chunk, for ``n_samples`` draws per row."""
    product = max(LEAST, at_once(d * model.noise.n_raw, MOST))
    return min(n_samples, product), max(1, min(256, product // n_samples))


def weigh_encoder(model: VAEModel, inferred: Inferred) -> Weigh:
    """Return the function that draws from the encoder's q(z | x), and weighs its draws."""

    def weigh(size: int, key: PRNGKey) -> Float[Array, " s"]:
        likelihood, ratio = log_weights(model, inferred.y, inferred.q, n_samples=size, key=key)
        return likelihood + ratio

    return weigh


def fold_weights(
    add: Callable[[State, Float[Array, " s"]], State],
    start: State,
    weigh: Weigh,
    *,
    n_samples: int,
    block: int,
    key: PRNGKey,
) -> State:
    """Fold ``add(state, log_w)`` over the log weights of ``n_samples`` draws, in model units.

    A scan covers the full blocks; one more call covers the remaining draws.

    Parameters
    ----------
    add : function of the state and of the log weights of a block of draws
    start : first state
    weigh : function of a number of draws and a key; it returns the log weights of new draws
    n_samples : draws in all
    block : draws at a time
    key : PRNG key
    """
    full, rest = divmod(n_samples, block)

    def step(state: State, index: Any, size: int) -> State:
        return add(state, weigh(size, jax.random.fold_in(key, index)))

    state, _ = jax.lax.scan(lambda s, i: (step(s, i, block), None), start, jnp.arange(full))
    return step(state, full, rest) if rest else state


def log_mean_weight(log_sum: Scalar, n_samples: int) -> Scalar:
    """Return the log of the mean weight from the log of the sum of weights."""
    return log_sum - math.log(n_samples)


def effective_size(log_sum: Scalar, log_squares: Scalar, n_samples: int) -> Scalar:
    """Return (Σw)² / Σw² from the logs of both sums.

    The result is clipped to [1, ``n_samples``], because the difference of large logarithms loses
    its digits: those of a row far from the data have none after the point.
    """
    return jnp.clip(jnp.exp(2 * log_sum - log_squares), 1.0, 1.0 * n_samples)


def relative_error(size: Scalar, n_samples: int) -> Scalar:
    """Return the relative standard error of the mean weight: the standard error of its log.

    ``size`` is the effective sample size. The result is NaN for one draw.

    References: Owen (2013), §9.3, the delta method.
    """
    if n_samples == 1:
        return jnp.full((), jnp.nan)
    variance = jnp.maximum(1 / size - 1 / n_samples, 0.0) * n_samples / (n_samples - 1)
    return jnp.sqrt(variance)
