"""Whole numbers from a mixture of logistics, cut into cells of width one."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from wellposed._typing import Point

# Narrower, and the cell's width over the scale, e^{-1/s}, leaves float32.
LEAST_SCALE = 0.02


def log_logistic_mixture(
    value: Point,
    log_weights: Float[Array, "m d"],
    locations: Float[Array, "m d"],
    scales: Float[Array, "#m #d"],
    levels: int,
) -> Point:
    r"""Log probability of whole numbers v in 0, …, L − 1, each feature its own mixture, in nats.

    .. math:: P(v) = \sum_m w_m [σ(b_m) - σ(a_m)], \quad
       a_m, b_m = (v \mp \tfrac12 - \mu_m)/s_m, \quad a = -\infty \text{ at } 0, \;
       b = \infty \text{ at } L - 1

    With :math:`σ(b) − σ(a) = σ(b) σ(−a) (1 − e^{−1/s})`, reflected so that the cell lies right of
    μ, a component is :math:`e^{-\max(x, 0)} (1 - e^{-1/s}) / [(1 + e^{-|x|})(1 + q)]` with x the
    nearer end and q = e^{−x−1/s} = e^{-1/s} t or e^{-1/s}/t for t = e^{−|x|}: nothing cancels,
    and a component costs three exponentials, all components together two logarithms.

    Parameters
    ----------
    value : shape (d,), whole numbers
    log_weights : shape (m, d), up to a constant for each feature
    locations : shape (m, d), in levels
    scales : shape (m, d), or one where components or features share it; at least
        ``LEAST_SCALE`` levels
    levels : L

    References: Salimans et al. (2017), PixelCNN++, §2.1.
    """
    bottom, top = value <= 0, value >= levels - 1
    side = jnp.where(bottom, -1.0, 1.0)
    apart = value - locations
    gap = jnp.where(bottom | top, side * apart, jnp.abs(apart))  # from μ outwards
    rate = 1.0 / scales
    nearer = (gap - 0.5) * rate
    far = jnp.maximum(nearer, 0.0)
    t = jnp.exp(-jnp.abs(nearer))
    within = -jnp.expm1(-rate)
    # Each branch sees only arguments that it can bear, or its gradient is NaN.
    inside = nearer < 0
    centred = jnp.where(inside & ~(bottom | top), t, 1.0)
    q = (1.0 - within) * jnp.where(inside, 1.0 / centred, t)
    middle = within / ((1.0 + t) * (1.0 + q))
    share = jnp.where(bottom | top, 1.0 / (1.0 + t), middle)
    if locations.shape[0] == 1:
        return (jnp.log(share) - far)[0]
    # The largest term's exponent comes out first: all components may be hundreds of nats away.
    weighed = log_weights - far
    most = jax.lax.stop_gradient(weighed.max(axis=0))
    total = jnp.sum(jnp.exp(weighed - most) * share, axis=0)
    return jnp.log(total) + most - jax.nn.logsumexp(log_weights, axis=0)


def logistic_mixture_cdf(
    value: Point,
    log_weights: Float[Array, "m d"],
    locations: Float[Array, "m d"],
    scales: Float[Array, "#m #d"],
    levels: int,
) -> Point:
    """P(V ≤ v) of whole numbers v, shape (d,); arguments as :func:`log_logistic_mixture`."""
    below = jax.nn.sigmoid((jnp.floor(value) + 0.5 - locations) / scales)
    within = jnp.sum(jax.nn.softmax(log_weights, axis=0) * below, axis=0)
    return jnp.where(value >= levels - 1, 1.0, jnp.where(value < 0, 0.0, within))
