"""Whole numbers from a mixture of logistics, cut into cells of width one."""

import functools

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from wellposed._typing import Point, Scalar


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

    σ(b) − σ(a) = σ(b) σ(−a) (1 − e^{−1/s}) exactly. Reflected so that the cell lies right of μ,
    with x its nearer and y > 0 its farther end, in scales from μ, that is

    .. math:: e^{-\max(x, 0)} (1 - e^{-1/s}) / [(1 + e^{-|x|})(1 + e^{-y})]

    where nothing cancels: a component costs four exponentials, all together two logarithms. The
    derivatives are written out, since reverse mode would keep every branch; there is none in v.

    Parameters
    ----------
    value : shape (d,), whole numbers
    log_weights : shape (m, d), up to a constant for each feature
    locations : shape (m, d), in levels
    scales : shape (m, d), or one where components or features share it; positive, in levels
    levels : L

    References: Salimans et al. (2017), PixelCNN++, §2.1.
    """
    return _log_mixture(levels, value, log_weights, locations, scales)


@functools.partial(jax.custom_jvp, nondiff_argnums=(0,))
def _log_mixture(
    levels: int, value: Point, log_weights: Array, locations: Array, scales: Array
) -> Point:
    ends = _Ends(levels, value, locations, 1.0 / scales)
    return _total(log_weights, ends)[0] - jax.nn.logsumexp(log_weights, axis=0)


@_log_mixture.defjvp
def _log_mixture_jvp(levels: int, primals: tuple, tangents: tuple) -> tuple[Point, Point]:
    r"""∂ log P_m/∂μ = ±[σ(x) − σ(−y)]/s and, by 1/s, (g + ½)σ(−y) − (g − ½)σ(x) + 1/(e^{1/s} − 1).

    g is the distance of v from μ; a mixture's derivative weighs them by the components' shares.
    """
    value, log_weights, locations, scales = primals
    _, weights_dot, locations_dot, scales_dot = tangents
    rate = 1.0 / scales
    ends = _Ends(levels, value, locations, rate)
    total, shares = _total(log_weights, ends)
    at_near = jnp.where(ends.near > 0, 1.0, ends.t) / (1.0 + ends.t)  # σ(x)
    at_far = ends.q / (1.0 + ends.q)  # σ(−y)
    by_location = shares * ends.side * rate * (at_near - at_far)
    faded = jnp.where(ends.edge, 0.0, jnp.exp(-rate)) / ends.within
    by_rate = (ends.gap + 0.5) * at_far - (ends.gap - 0.5) * at_near + faded
    tangent = by_location * locations_dot - shares * by_rate * rate**2 * scales_dot
    tangent = tangent + (shares - jax.nn.softmax(log_weights, axis=0)) * weights_dot
    return total - jax.nn.logsumexp(log_weights, axis=0), tangent.sum(axis=0)


class _Ends:
    """The nearer and the farther end of v's cell, outwards from each component's location.

    At an edge of the levels the farther end is infinite, and the nearer one the edge's own.
    """

    def __init__(self, levels: int, value: Point, locations: Array, rate: Array):
        bottom, top = value <= 0, value >= levels - 1
        self.edge = bottom | top
        apart = value - locations
        outwards = jnp.where(apart < 0, -1.0, 1.0)
        self.side = jnp.where(bottom, -1.0, jnp.where(top, 1.0, outwards))
        self.gap = self.side * apart
        self.near = (self.gap - 0.5) * rate
        self.t = jnp.exp(-jnp.abs(self.near))
        self.q = jnp.where(self.edge, 0.0, jnp.exp(-(self.gap + 0.5) * rate))
        self.within = jnp.where(self.edge, 1.0, -jnp.expm1(-rate))


def _total(log_weights: Array, ends: _Ends) -> tuple[Point, Array]:
    """Log of Σ_m e^{weight_m} P_m, and the share of each component in it."""
    share = ends.within / ((1.0 + ends.t) * (1.0 + ends.q))
    # The largest exponent comes out first: all components may be hundreds of nats away.
    weighed = log_weights - jnp.maximum(ends.near, 0.0)
    most = weighed.max(axis=0)
    terms = jnp.exp(weighed - most) * share
    total = terms.sum(axis=0)
    return most + jnp.log(total), terms / total


def logistic_mixture_cdf(
    value: Point | Scalar,
    log_weights: Float[Array, "m d"],
    locations: Float[Array, "m d"],
    scales: Float[Array, "#m #d"],
    levels: int,
) -> Point:
    """P(V ≤ v) of whole numbers v, shape (d,); arguments as :func:`log_logistic_mixture`."""
    below = jax.nn.sigmoid((jnp.floor(value) + 0.5 - locations) / scales)
    within = jnp.sum(jax.nn.softmax(log_weights, axis=0) * below, axis=0)
    return jnp.where(value >= levels - 1, 1.0, jnp.where(value < 0, 0.0, within))
