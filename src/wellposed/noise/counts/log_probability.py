"""Probabilities of counts that are exact in float32: Poisson and negative binomial.

Every other law of counts here is a product and quotient of these.
"""

import functools

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from wellposed.numerics import stirling_excess

# The gradient is that of counts at most this far off, because an optimiser squares it.
_FARTHEST = 1e12


@jax.custom_jvp
def log_poisson(
    value: Float[Array, "*shape"], log_mean: Float[Array, "*shape"]
) -> Float[Array, "*shape"]:
    r"""Log of the Poisson probability of whole numbers x, in nats; no derivative in x.

    .. math:: -g(x) - D(x, m), \quad g(x) = \log x! - x \log x + x, \quad
       D(x, m) = x \log(x/m) + m - x

    The plain formula subtracts numbers of size x log x: at 10⁵ float32 keeps no digit after the
    point. D vanishes at x = m and g grows as log x, so that what is added is what is meant.

    References: Loader (2000), Fast and accurate computation of binomial probabilities.
    """
    mean = jnp.exp(log_mean)
    return -stirling_excess(value) - _deviance(value, log_mean, mean, value - mean)


@log_poisson.defjvp
def _log_poisson_jvp(primals: tuple, tangents: tuple) -> tuple[Array, Array]:
    value, log_mean = primals
    limited = jnp.clip(value - jnp.exp(log_mean), -_FARTHEST, _FARTHEST)
    return log_poisson(value, log_mean), limited * tangents[1]


@jax.custom_jvp
def log_negative_binomial(
    value: Float[Array, "*shape"],
    log_mean: Float[Array, "*shape"],
    concentration: Float[Array, "*shape"],
) -> Float[Array, "*shape"]:
    r"""Log probability of whole numbers x of mean m and variance m + m²/r, in nats.

    .. math:: \log \tfrac{r}{n} + g(n) - g(r) - g(x) - D(r, np) - D(x, nq), \quad
       n = x + r, \; p = \tfrac{r}{r + m}, \; q = 1 - p

    with g and D of :func:`log_poisson`, whose limit for r → ∞ it reaches: a difference of log Γ
    loses half a nat at r = 10⁶. The excesses r − np = p(m − x) = −(x − nq) are taken exactly.
    Derivatives are written out, by log m p(x − m); there is none in x.

    References: Loader (2000).
    """
    n, mean = value + concentration, jnp.exp(log_mean)
    log_both = jnp.log(concentration + mean)
    p = concentration / (concentration + mean)
    log_n, log_r = jnp.log(n), jnp.log(concentration)
    excess = p * (value - mean)
    of_value = _deviance(value, log_n + log_mean - log_both, value - excess, excess)
    of_rest = _deviance(concentration, log_n + log_r - log_both, n * p, -excess)
    rests = stirling_excess(n) - stirling_excess(concentration) - stirling_excess(value)
    return log_r - log_n + rests - of_value - of_rest


@log_negative_binomial.defjvp
def _log_negative_binomial_jvp(primals: tuple, tangents: tuple) -> tuple[Array, Array]:
    r"""By r: ψ(n) − ψ(r) + log(r/n) + log(1 + u) − u, u = (x − m)/(r + m), which does not
    cancel once the logarithms in ψ(n) − ψ(r) are taken out.
    """
    value, log_mean, concentration = primals
    _, log_mean_dot, concentration_dot = tangents
    n, mean = value + concentration, jnp.exp(log_mean)
    apart = jnp.clip((value - mean) / (concentration + mean), -_FARTHEST, _FARTHEST)
    near = jnp.abs(apart) < 0.5  # far below the mean, 1 + u rounds to zero
    ratio = jnp.where(near, jnp.log1p(apart), jnp.log(n) - jnp.log(concentration + mean))
    by_concentration = ratio - apart + _digamma_rest(n) - _digamma_rest(concentration)
    tangent = concentration * apart * log_mean_dot + by_concentration * concentration_dot
    return log_negative_binomial(value, log_mean, concentration), tangent


def _digamma_rest(z: Array) -> Array:
    """ψ(z) − log z, by the series of its derivative as :func:`stirling_excess` by its own."""
    large = z > 16.0
    w = jnp.where(large, z, z + 8.0)
    v = 1.0 / (w * w)
    series = v * (1 / 12 - v * (1 / 120 - v * (1 / 252 - v * (1 / 240 - v / 132))))
    terms = [1.0 / (jnp.where(large, 1.0, z) + i) for i in range(8)]
    step = jnp.log1p(8.0 / jnp.where(large, 1.0, z)) - functools.reduce(jnp.add, terms)
    return jnp.where(large, 0.0, step) - 0.5 / w - series


def _deviance(x: Array, log_mean: Array, mean: Array, excess: Array) -> Array:
    """x log(x/m) + m − x, with x − m given."""
    near = jnp.abs(excess) < 0.1 * x
    step = jnp.where(near, excess, 0.0) / jnp.where(near, mean, 1.0)
    apart = ~near & (x > 0)
    ratio = jnp.where(apart, jnp.log(jnp.where(apart, x, 1.0)) - log_mean, jnp.log1p(step))
    return jnp.where(x > 0, x * ratio, 0.0) - excess
