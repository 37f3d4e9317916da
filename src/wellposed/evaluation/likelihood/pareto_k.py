r"""Tail weight of importance weights: the shape k̂ of a generalised Pareto distribution.

Weights whose tail has the shape k have 1/k moments. For k below ½ their variance is finite and
the central limit theorem holds. For k above 0.7 no feasible number of draws gives a mean weight
near its expectation, and its standard error does not show this.

References: Zhang & Stephens (2009); Vehtari, Simpson, Gelman, Yao & Gabry (2024), §3.
"""

import math

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from wellposed._typing import Scalar

_LEAST = 5  # weights in a tail, for a fit of its shape
_PRIOR_DRAWS, _PRIOR_SHAPE = 10, 0.5  # prior of Vehtari et al.: ten weights with shape ½


def tail_size(n_samples: int) -> int:
    """Return the number of weights in the tail of s = ``n_samples`` draws: min(0.2 s, 3 √s)."""
    return min(n_samples // 5, math.ceil(3 * math.sqrt(n_samples)))


def pareto_k(largest: Float[Array, " m"], n_samples: int) -> Scalar:
    r"""Estimate k̂ from the largest log weights.

    The tail is w_1 ≤ … ≤ w_m and w_0 ≤ w_1 is its threshold. A generalised Pareto distribution
    is fitted to the excesses w_i − w_0. Given b = k/σ, the shape that maximises the likelihood is
    k(b) = mean log(1 − b x), with the sign of Zhang & Stephens; b̂ is the mean of b over a grid,
    weighted by the profile likelihood. A weak prior moves k̂ towards ½ if the tail is short.

    Parameters
    ----------
    largest : array of shape (m,), the m = :func:`tail_size` + 1 largest log weights or more,
        in descending order
    n_samples : s, the total number of draws

    Returns
    -------
    k̂, a scalar; NaN for fewer than 25 draws

    Examples
    --------
    >>> quantiles = (jnp.arange(1000) + 0.5) / 1000  # of weights u^(−1), whose tail has the shape 1
    >>> bool(pareto_k(-jnp.log(quantiles), 1000) > 0.7)
    True
    """
    m = tail_size(n_samples)
    if m < _LEAST:
        return jnp.full((), jnp.nan)
    top, threshold = largest[:m][::-1], largest[m]
    # Rounding errors of near-equal weights would otherwise resemble a heavy tail.
    rounding = 4 * jnp.finfo(top.dtype).eps * jnp.maximum(1.0, jnp.abs(top))
    log_excess = top + jnp.log(rounding - jnp.expm1(threshold - top))
    shape = _fitted_shape(log_excess)
    return (m * shape + _PRIOR_DRAWS * _PRIOR_SHAPE) / (m + _PRIOR_DRAWS)


def _fitted_shape(log_excess: Float[Array, " m"]) -> Scalar:
    """Return Zhang & Stephens' estimate of k, from excesses in ascending order.

    Excesses are logarithms in units of the first quartile, because the tail of a poor encoder's
    weights spans hundreds of nats.
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
    """Return the mean of log(1 − b x), for b x < 1; −b x may exceed the largest float."""
    negative = b < 0
    log_b = jnp.log(jnp.where(negative, -b, 1.0))
    heavy = jax.nn.softplus(log_b[:, None] + log_x)
    light = jnp.log1p(-jnp.where(negative, 0.0, b)[:, None] * jnp.exp(jnp.minimum(log_x, 80.0)))
    return jnp.where(negative[:, None], heavy, light).mean(axis=1)
