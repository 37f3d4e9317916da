r"""How heavy the tail of importance weights is: the shape k̂ of a generalised Pareto distribution.

Weights whose tail has the shape k have 1/k moments. Below ½ their variance is finite and the
central limit theorem holds; from 0.7 upwards no number of draws that one could make brings the
mean of the weights near its expectation, and its standard error says nothing of that.

References: Zhang & Stephens (2009); Vehtari, Simpson, Gelman, Yao & Gabry (2024), §3.
"""

import math

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from wellposed._typing import Scalar

_LEAST = 5  # weights in a tail that a shape can be fitted to
_PRIOR_DRAWS, _PRIOR_SHAPE = 10, 0.5  # Vehtari et al.'s prior, worth ten weights of the shape ½


def tail_size(n_samples: int) -> int:
    """Weights that count as the tail of ``n_samples``: min(0.2 s, 3 √s)."""
    return min(n_samples // 5, math.ceil(3 * math.sqrt(n_samples)))


def pareto_k(largest: Float[Array, " m"], n_samples: int) -> Scalar:
    r"""Estimate k̂ from the largest log weights.

    With w_0 ≤ w_1 ≤ … ≤ w_m the tail and, below it, its threshold, the excesses w_i − w_0 are
    fitted by a generalised Pareto distribution. In b = k/σ its likelihood has one parameter left,
    and k(b) = mean log(1 − b x) in Zhang & Stephens' sign; b̂ is its mean over a grid, weighted by
    the profile likelihood. The weak prior moves k̂ towards ½ where the tail is short.

    Parameters
    ----------
    largest : array of shape (m,), the m = :func:`tail_size` + 1 largest log weights or more,
        in descending order
    n_samples : s, draws in all

    Returns
    -------
    k̂; NaN where fewer than 25 draws leave no tail
    """
    m = tail_size(n_samples)
    if m < _LEAST:
        return jnp.full((), jnp.nan)
    top, threshold = largest[:m][::-1], largest[m]
    # Weights are known to rounding only: near-equal ones would look like a few that stand out.
    rounding = 4 * jnp.finfo(top.dtype).eps * jnp.maximum(1.0, jnp.abs(top))
    log_excess = top + jnp.log(rounding - jnp.expm1(threshold - top))
    shape = _fitted_shape(log_excess)
    return (m * shape + _PRIOR_DRAWS * _PRIOR_SHAPE) / (m + _PRIOR_DRAWS)


def _fitted_shape(log_excess: Float[Array, " m"]) -> Scalar:
    """Zhang & Stephens' estimate of k, from excesses in ascending order.

    In units of the first quartile, and of logarithms: the tail of a bad encoder's weights spans
    hundreds of nats.
    """
    m = log_excess.shape[0]
    n_grid = 30 + int(math.sqrt(m))
    log_x = log_excess - log_excess[int(m / 4 + 0.5) - 1]
    grid = 1 - jnp.sqrt(n_grid / (jnp.arange(1, n_grid + 1) - 0.5))
    b = grid / 3 + jnp.exp(-log_x[-1])
    shapes = _shape(b, log_x)
    log_profile = m * (jnp.log(-b / shapes) - shapes - 1)
    return _shape((jax.nn.softmax(log_profile) @ b)[None], log_x)[0]


def _shape(b: Float[Array, " g"], log_x: Float[Array, " m"]) -> Float[Array, " g"]:
    """Mean of log(1 − b x); b x < 1, and −b x may exceed any float."""
    negative = b < 0
    log_b = jnp.log(jnp.where(negative, -b, 1.0))
    heavy = jax.nn.softplus(log_b[:, None] + log_x)
    light = jnp.log1p(-jnp.where(negative, 0.0, b)[:, None] * jnp.exp(jnp.minimum(log_x, 80.0)))
    return jnp.where(negative[:, None], heavy, light).mean(axis=1)
