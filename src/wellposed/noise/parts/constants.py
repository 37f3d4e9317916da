"""Features that never vary in the training data, and their density.

If they were fitted, their scale would shrink for as long as training lasts, and one exception among
the draws would cause others around it.

One rule for all families, Laplace's rule of succession: after n rows the constant has the
probability (n + 1)/(n + 2) and all other values together 1/(n + 2). Each step of the resolution
away from the constant has half of the probability of the step before it. Where there are L levels,
the others are equally likely.
"""

import math
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool
from numpyro.distributions import Distribution, constraints

from wellposed._typing import Point, PRNGKey
from wellposed.numerics import (
    LOG_2PI,
    absolute,
    half_square,
    invert,
    log_laplace_below,
    log_normal_below,
    on_device,
)
from wellposed.transforms import Moments

from .stable_laws import StableNormal


class ConstantDensity(eqx.Module):
    """Which features vary, and a density for all d of them that the others have.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from wellposed.noise.parts import Constants
    >>> constants = Constants(jnp.array([3.0, 0.0]), jnp.array([False, True]), 10)
    >>> found = constants.real(jnp.ones(2), jnp.zeros(2))
    >>> isinstance(found, ConstantDensity)
    True
    """

    varies: Bool[Array, " d"]
    density: Any  # numpyro distribution of batch shape (d,); read where ``varies`` is false

    def replace(self, own: Array, of: Callable[[Any], Array]) -> Array:
        """Return ``own`` (…, d) with ``of(density)`` in the features that never vary."""
        return jnp.where(self.varies, own, of(self.density))


class Constants(eqx.Module):
    """The constants of features that never vary; entries of the others are not used.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> Constants(jnp.array([3.0, 0.0]), jnp.array([False, True]), 10).varies.tolist()
    [False, True]
    """

    value: Point
    varies: Bool[Array, " d"]
    n: int = eqx.field(static=True)  # rows in which they did not vary
    step: Array | None = None  # (d,), their resolution; None in files of older versions

    @classmethod
    def of(cls, moments: Moments) -> "Constants | None":
        """Take the constants from the data; None where every feature varies."""
        if bool(np.asarray(moments.varies).all()):
            return None
        step = on_device(moments.resolution)
        return cls(on_device(moments.mean), jax.device_put(moments.varies), moments.n, step)

    def real(self, scale: Array, least: Array) -> ConstantDensity:
        """Real numbers: N(constant, scale²), or an exception.

        Steps are those of the resolution, or of ``least`` where that is larger: the smallest
        scale that the noise can have, so that no exception is denser than its bound.
        """
        if self.step is None:
            return ConstantDensity(
                self.varies, StableNormal(self.value, jnp.broadcast_to(scale, self.value.shape))
            )
        step = jnp.maximum(self.step, least)
        widths = (jnp.broadcast_to(each, self.value.shape) for each in (scale, step))
        return ConstantDensity(self.varies, Near(self.value, *widths, self.n))

    def whole(self, levels: int | None) -> ConstantDensity:
        """Whole numbers, 0 to ``levels`` − 1 or without end: the constant, or an exception."""
        return ConstantDensity(self.varies, Exceptional(self.value, self.n, levels))


class Near(Distribution):
    r"""A real constant c, observed n times; batch shape (d,).

    .. math:: p(y) = \frac{n + 1}{n + 2} N(y \mid c, \sigma^2)
       + \frac{1}{n + 2} \frac{\log 2}{2r} 2^{-|y - c| / r}

    with r the step: the real counterpart of :class:`Exceptional`. A value t steps away costs
    t log 2 nats, in every family.
    """

    support: Any = constraints.real
    pytree_data_fields = ("value", "scale", "step")
    pytree_aux_fields = ("n",)

    def __init__(self, value: Point, scale: Point, step: Point, n: int):
        self.value, self.scale, self.step, self.n = value, scale, step, n
        super().__init__(batch_shape=jnp.shape(value))

    @property
    def _width(self) -> Point:
        """Mean distance of an exception."""
        return self.step / math.log(2.0)

    @property
    def _exception(self) -> float:
        return 1.0 / (self.n + 2)

    def log_prob(self, value: Point, intermediates: Any = None) -> Point:
        del intermediates
        apart = value - self.value
        near = half_square(apart, self.scale) + jnp.log(self.scale) + 0.5 * LOG_2PI
        far = absolute(apart, self._width) + jnp.log(2.0 * self._width)
        usual, rare = math.log1p(-self._exception), math.log(self._exception)
        return jnp.logaddexp(usual - near, rare - far)

    def sample(self, key: PRNGKey, sample_shape: tuple[int, ...] = ()) -> Array:
        which_key, near_key, far_key = jax.random.split(key, 3)
        shape, dtype = self.shape(sample_shape), self.value.dtype
        near = self.scale * jax.random.normal(near_key, shape, dtype)
        far = self._width * jax.random.laplace(far_key, shape, dtype)
        rare = jax.random.bernoulli(which_key, self._exception, shape)
        return self.value + jnp.where(rare, far, near)

    @property
    def mean(self) -> Point:
        return self.value

    @property
    def variance(self) -> Point:
        return self.scale**2 + self._exception * (2.0 * self._width**2 - self.scale**2)

    def cdf(self, value: Point) -> Point:
        apart = value - self.value
        near = jax.scipy.special.ndtr(apart / self.scale)
        tail = 0.5 * jnp.exp(-absolute(apart, self._width))
        far = jnp.where(apart < 0, tail, 1.0 - tail)
        return near + self._exception * (far - near)

    def log_cdf(self, value: Point) -> Point:
        """log P(Y ≤ value), in nats."""
        return self._log_below(value - self.value)

    def log_sf(self, value: Point) -> Point:
        """log P(Y ≥ value), in nats."""
        return self._log_below(self.value - value)

    def _log_below(self, apart: Point) -> Point:
        near, far = log_normal_below(apart, self.scale), log_laplace_below(apart, self._width)
        usual, rare = math.log1p(-self._exception), math.log(self._exception)
        return jnp.logaddexp(usual + near, rare + far)

    def icdf(self, q: Point) -> Point:
        """Bisect in the lower half, where no digit of q is lost."""
        left = jnp.minimum(q, 1.0 - q)
        furthest = 40.0 * self.scale + 800.0 * self.step
        away = invert(lambda t: self.cdf(self.value + t), left, -furthest, 0.0 * furthest)
        return self.value + jnp.where(q == 0.5, 0.0, jnp.where(q < 0.5, 1.0, -1.0) * away)


class Exceptional(Distribution):
    r"""A constant c, observed n times, by Laplace's rule of succession; batch shape (d,).

    On L levels, P(c) = (n + 1)/(n + L) and 1/(n + L) for each other. On whole numbers without
    end, P(c) = (n + 1)/(n + 2), and the r-th smallest of the others has 2^{-r}/(n + 2).
    """

    support: Any = constraints.nonnegative_integer
    pytree_data_fields = ("value",)
    pytree_aux_fields = ("n", "levels")

    def __init__(self, value: Point, n: int, levels: int | None):
        self.value, self.n, self.levels = jnp.asarray(value), n, levels
        super().__init__(batch_shape=self.value.shape)

    @property
    def _log_exception(self) -> float:
        """Log probability of any exception at all."""
        others = 1 if self.levels is None else self.levels - 1
        return math.log(others) - math.log(self.n + 1 + others)

    def log_prob(self, value: Point, intermediates: Any = None) -> Point:
        del intermediates
        if self.levels is None:
            rank = value + (value < self.value)
            other = self._log_exception - math.log(2.0) * rank
        else:
            other = jnp.full_like(value, self._log_exception - math.log(self.levels - 1))
        return jnp.where(value == self.value, math.log1p(-math.exp(self._log_exception)), other)

    def sample(self, key: PRNGKey, sample_shape: tuple[int, ...] = ()) -> Array:
        return self.icdf(jax.random.uniform(key, self.shape(sample_shape)))

    @property
    def mean(self) -> Point:
        return self.value + math.exp(self._log_exception) * self._others[0]

    @property
    def variance(self) -> Point:
        exception = math.exp(self._log_exception)
        away, square = self._others
        return exception * square - (exception * away) ** 2

    @property
    def _others(self) -> tuple[Point, Point]:
        """E(V − c) and E(V − c)² of an exception: around c, or a large c leaves no digits."""
        c = self.value
        if self.levels is None:  # of ranks r, E r = 2 and E r² = 6; below c the value is r − 1
            return 1.0 + 0.5**c - c, c * (c - 2.0) + 3.0 * (1.0 + 0.5**c)
        last = self.levels - 1
        total, squares = 0.5 * last * (last + 1), last * (last + 1) * (2 * last + 1) / 6
        first = (total - self.levels * c) / last
        return first, (squares + c * (self.levels * c - 2.0 * total)) / last

    def cdf(self, value: Point) -> Point:
        exception = math.exp(self._log_exception)
        reached = value >= self.value
        if self.levels is None:
            others = 1 - 0.5 ** jnp.maximum(value + ~reached, 0)
        else:
            others = (jnp.clip(value, -1, self.levels - 1) + 1 - reached) / (self.levels - 1)
        return exception * others + (1 - exception) * reached

    def icdf(self, q: Point) -> Point:
        exception = math.exp(self._log_exception)
        before = exception * self._below()
        low = q < before
        share = jnp.where(low, q, q - (1 - exception)) / exception  # of the others' mass
        share = jnp.clip(share, 0.0, 1.0)
        if self.levels is None:
            rank = jnp.maximum(jnp.ceil(-jnp.log2(jnp.maximum(1 - share, 1e-30))), 1)
            other = jnp.where(low, rank - 1, rank)
        else:
            place = jnp.clip(jnp.floor(share * (self.levels - 1)), 0, self.levels - 2)
            other = jnp.where(place < self.value, place, place + 1)
        inside = (q >= before) & (q <= before + 1 - exception)
        return jnp.where(inside, self.value, other)

    def _below(self) -> Point:
        """Share of the exceptions that lie below the constant."""
        if self.levels is None:
            return 1 - 0.5**self.value
        return self.value / (self.levels - 1)
