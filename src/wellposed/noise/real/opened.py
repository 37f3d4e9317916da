"""An asymmetric Laplace, opened between heads at prescribed levels."""

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array
from numpyro.distributions import Distribution, constraints

from wellposed._typing import Point, PRNGKey
from wellposed.numerics import absolute


class Opened(Distribution):
    """The law of :class:`wellposed.noise.Quantile` for each feature, batch shape (d,).

    Gaps come beside the heads: taken as differences, those of heads at 10⁴ would be rounding.
    """

    support: Any = constraints.real
    pytree_data_fields = ("heads", "gaps", "scale")
    pytree_aux_fields = ("levels",)

    def __init__(self, heads: Array, gaps: Array, scale: Array, levels: tuple[float, ...]):
        self.heads, self.gaps, self.levels = heads, gaps, levels
        self.scale = jnp.broadcast_to(scale, heads.shape[1:])
        super().__init__(batch_shape=heads.shape[1:])

    @property
    def _steps(self) -> np.ndarray:
        return np.diff(self.levels).reshape(-1, 1)

    @property
    def _tails(self) -> tuple[Point, Point]:
        """Mean excess below the first head and above the last."""
        return self.scale / (1.0 - self.levels[0]), self.scale / self.levels[-1]

    def log_prob(self, value: Point, intermediates: Any = None) -> Point:
        """Log density; the heads' gradient is their pinballs', see there."""
        del intermediates
        heads, gaps, scale = self.heads, self.gaps, self.scale
        fixed = Opened(*jax.lax.stop_gradient((heads, gaps)), scale, self.levels)
        fit = self._pinballs(value, jax.lax.stop_gradient(scale))
        return fixed.log_density(value) + (jax.lax.stop_gradient(fit) - fit)

    def _pinballs(self, value: Point, scale: Point) -> Point:
        """Mean over heads of ρ_k(y − q_k)/b."""
        error = jax.lax.stop_gradient(value) - self.heads
        level = jnp.asarray(self.levels, error.dtype)[:, None]
        return absolute(jnp.maximum(level * error, (level - 1.0) * error), scale[None]).mean(axis=0)

    def log_density(self, value: Point) -> Point:
        first, last = self.levels[0], self.levels[-1]
        below, above = self.heads[0] - value, value - self.heads[-1]
        left, right = self._tails
        left = math.log(first * (1 - first)) - absolute(jnp.maximum(below, 0.0), left)
        right = math.log(last * (1 - last)) - absolute(jnp.maximum(above, 0.0), right)
        log_density = jnp.where(below > 0, left, right) - jnp.log(self.scale)
        for k, step in enumerate(np.diff(self.levels)):
            inside = (self.heads[k] <= value) & (value < self.heads[k + 1])
            flat = math.log(step) - jnp.log(self.gaps[k])
            log_density = jnp.where(inside, flat, log_density)
        return log_density

    def sample(self, key: PRNGKey, sample_shape: tuple[int, ...] = ()) -> Array:
        dtype = self.heads.dtype
        least = jnp.finfo(dtype).tiny
        return self.icdf(jax.random.uniform(key, self.shape(sample_shape), dtype, minval=least))

    @property
    def mean(self) -> Point:
        return self.heads[0] + self._from_first

    @property
    def _from_first(self) -> Point:
        """The mean less the first head."""
        (left, right), top = self._tails, self._reached
        between = self._steps * (top - 0.5 * self.gaps)
        span = self.gaps.sum(axis=0)
        return between.sum(axis=0) - self.levels[0] * left + (1 - self.levels[-1]) * (span + right)

    @property
    def _reached(self) -> Array:
        """Heads after the first, less the first."""
        return jnp.cumsum(self.gaps, axis=0)

    @property
    def variance(self) -> Point:
        """Sum over pieces of mass · (variance inside + (mean of the piece − mean)²)."""
        left, right = self._tails
        mean, top = self._from_first, self._reached
        inner = self._steps * (self.gaps**2 / 12.0 + (top - 0.5 * self.gaps - mean) ** 2)
        below = left**2 + (-left - mean) ** 2
        above = right**2 + (self.gaps.sum(axis=0) + right - mean) ** 2
        return self.levels[0] * below + inner.sum(axis=0) + (1 - self.levels[-1]) * above

    def cdf(self, value: Point) -> Point:
        (left, right), first, last = self._tails, self.levels[0], self.levels[-1]
        between = jnp.full_like(value, first)
        for k, step in enumerate(np.diff(self.levels)):
            between += step * jnp.clip((value - self.heads[k]) / self.gaps[k], 0.0, 1.0)
        below = first * jnp.exp(-jnp.maximum(self.heads[0] - value, 0.0) / left)
        above = 1.0 - (1.0 - last) * jnp.exp(-jnp.maximum(value - self.heads[-1], 0.0) / right)
        inner = jnp.where(value > self.heads[-1], above, between)
        return jnp.where(value < self.heads[0], below, inner)

    def icdf(self, q: Point) -> Point:
        (left, right), first, last = self._tails, self.levels[0], self.levels[-1]
        between = self.heads[0]
        for k, step in enumerate(np.diff(self.levels)):
            between += self.gaps[k] * jnp.clip((q - self.levels[k]) / step, 0.0, 1.0)
        below = self.heads[0] + left * jnp.log(jnp.minimum(q / first, 1.0))
        above = self.heads[-1] - right * jnp.log(jnp.minimum((1.0 - q) / (1.0 - last), 1.0))
        return jnp.where(q < first, below, jnp.where(q > last, above, between))
