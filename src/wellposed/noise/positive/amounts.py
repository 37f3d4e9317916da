"""What the families on amounts, numbers above zero, have in common."""

import abc
import math
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool
from numpyro.distributions import Distribution

from wellposed._typing import Density, Leaves, Point, PRNGKey, Raw, Variance
from wellposed.numerics import damped, log_from, on_device
from wellposed.transforms import POSITIVE, Moments, Support

from ..parts.abstract import AbstractNoise
from ..parts.features import Features
from ..parts.scale import LEAST, Scale

# No relative scale is smaller: a float32 has no digits of an amount beyond it.
_SHARPEST = 1e-7

# Where zeros are shown to the encoder, in spreads of the logarithms from their mean.
_SHOWN_ZERO = -3.0


class Amounts(eqx.Module):
    """Amounts in the data, feature by feature, shape (d,) each: what their noise starts from."""

    log_mean: Point  # mean of the logarithms of the amounts above zero
    log_spread: Point  # their standard deviation
    mean: Point  # of the amounts above zero
    least: Point  # ℓ, the smallest amount that the measurement shows
    rounding: Point  # resolution/√12 as a share of the largest amount
    zeros: Point  # share of zeros
    varies: Bool[Array, " d"]

    @classmethod
    def of(cls, moments: Moments) -> "Amounts":
        """Take them from moments in data units, by way of their sample where there is one."""
        mean = np.asarray(moments.mean, np.float64)
        varies = np.asarray(moments.varies)
        high = mean if moments.highs is None else np.asarray(moments.highs, np.float64)
        low = mean if moments.lows is None else np.asarray(moments.lows, np.float64)
        step = np.asarray(moments.resolution, np.float64)
        found = _of_moments(moments) if moments.sample is None else _of_sample(moments.sample)
        log_mean, log_spread, of_positive, zeros = found
        # A feature that is constant, or has no amount in the sample, is its constant.
        constant = np.where(mean > 0, mean, np.where(step > 0, step, 1.0))
        known = varies & np.isfinite(log_mean)
        positive = np.where(low > 0, low, np.inf)
        least = np.minimum(positive, np.where(step > 0, step, np.inf))
        least = np.where(np.isfinite(least), least, 0.0)
        share = np.where(high > 0, step / np.where(high > 0, high, 1.0), 0.0) / math.sqrt(12.0)
        tiny = np.finfo(jnp.result_type(float)).tiny
        return cls(
            log_mean=on_device(np.where(known, log_mean, np.log(constant))),
            log_spread=on_device(np.where(known & (log_spread > 0), log_spread, 1.0)),
            mean=on_device(np.where(known, of_positive, constant)),
            least=on_device(np.maximum(least, tiny)),
            rounding=on_device(share),
            zeros=on_device(np.where(varies, zeros, mean == 0)),
            varies=jax.device_put(varies),
        )

    @property
    def in_logarithms(self) -> Moments:
        """Moments that make :class:`Scale` start at a share of the logarithms' spread."""
        log_mean, spread, rounding, varies = (
            np.asarray(a) for a in (self.log_mean, self.log_spread, self.rounding, self.varies)
        )
        # Where no feature varies there is no scale to share: each is as wide as its floor.
        counted: Any = varies if varies.any() else np.ones_like(varies)
        squared = np.where(varies, spread, 0.0) ** 2
        return Moments(log_mean, squared, math.sqrt(12.0) * rounding, counted)

    def shown(self, y: Point) -> Point:
        """(log y − mean)/spread, three spreads below the mean for zero."""
        logs = (log_from(y, self.least) - self.log_mean) / self.log_spread
        return jnp.where(y > 0, damped(logs), _SHOWN_ZERO)


def _of_sample(sample: np.ndarray) -> tuple[np.ndarray, ...]:
    rows = sample.astype(np.float64)
    above = rows > 0
    count = above.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        logs = np.log(np.where(above, rows, 1.0))
        mean = np.where(count > 0, logs.sum(axis=0) / count, np.nan)
        squares = np.where(above, (logs - mean) ** 2, 0.0)
        spread = np.sqrt(squares.sum(axis=0) / count)
        amount = np.where(above, rows, 0.0).sum(axis=0) / count
    return mean, np.nan_to_num(spread), amount, 1.0 - above.mean(axis=0)


def _of_moments(moments: Moments) -> tuple[np.ndarray, ...]:
    """Those of a log-normal of the same mean and variance."""
    mean, variance = (np.asarray(a, np.float64) for a in (moments.mean, moments.variance))
    safe = np.where(mean > 0, mean, 1.0)
    squared = np.log1p(variance / safe**2)
    return np.log(safe) - 0.5 * squared, np.sqrt(squared), safe, np.zeros_like(mean)


class AbstractAmount(AbstractNoise):
    """Noise on numbers above zero, by a location and a relative scale of each feature."""

    scale: eqx.AbstractVar[Scale]  # of the logarithm, or relative to the mean
    data: eqx.AbstractVar[Amounts | None]

    @property
    def n_raw(self) -> int:
        return 1 + self.scale.n_raw

    @property
    def support(self) -> Support:
        return POSITIVE

    @property
    def solved_by_squares(self) -> bool:
        return False

    @abc.abstractmethod
    def law(self, raw: Raw) -> Distribution:
        """Return the distribution of each feature, batch shape (d,)."""

    @abc.abstractmethod
    def log_peaks(self, d: int) -> np.ndarray:
        """Return the supremum of each feature's log density in nats, shape (d,)."""

    @abc.abstractmethod
    def initialise(self, moments: Moments, *, key: PRNGKey | None = None) -> "AbstractAmount":
        """Return the noise with its start, and its floor, taken from the data."""

    def __call__(self, raw: Raw) -> Density:
        return Features(self.law(raw))

    def presented(self, y: Point) -> Point:
        return y if self.data is None else self.data.shown(y)

    def log_density_bound(self, d: int) -> float:
        return float(self.log_peaks(d).sum())

    def learned(self) -> Leaves:
        return self.scale.learned()

    def refitted(self, squared_residual: Point) -> "AbstractAmount":
        del squared_residual
        return self

    def variance(self) -> Variance | None:
        """None: the variance grows with the square of the location, and so depends on z."""
        return None

    def on_floor(self, variance: Variance) -> tuple[int, ...]:
        """Return the features whose relative scale rests on its floor.

        Where it depends on z, the deviation relative to the mean of the data stands in.
        """
        known = self.scale.variance()
        if self.data is None:
            return ()
        relative = variance / self.data.mean**2 if known is None else known
        return self.scale.on_floor(relative, self.data.varies)


def scale_of(noise: AbstractAmount, raw: Array, like: Point) -> Point:
    """Relative scale of each feature: its floor, where the feature never varies."""
    scale = jnp.broadcast_to(jnp.maximum(noise.scale(raw), _SHARPEST), like.shape)
    if noise.data is None:
        return scale
    return jnp.where(noise.data.varies, scale, jnp.maximum(noise.data.rounding, LEAST))


def started(noise: AbstractAmount, moments: Moments) -> AbstractAmount:
    """Return the noise with what it takes from the data."""
    data = Amounts.of(moments)
    scale = noise.scale.initialise(data.in_logarithms)
    return eqx.tree_at(
        lambda n: (n.scale, n.data), noise, (scale, data), is_leaf=lambda leaf: leaf is None
    )


def least_scale(noise: AbstractAmount, d: int) -> np.ndarray:
    """Smallest relative scale that each feature can reach, shape (d,)."""
    least = noise.scale.least(d)
    least = np.where(least > 0, np.maximum(least, _SHARPEST), 0.0)  # none has no bound
    if noise.data is None:
        return least
    pinned = np.maximum(np.asarray(noise.data.rounding, np.float64), LEAST)
    return np.where(np.asarray(noise.data.varies), least, pinned)


def log_least_amount(noise: AbstractAmount, d: int) -> np.ndarray:
    """log ℓ of each feature, shape (d,); −∞ before the noise has seen data."""
    if noise.data is None:
        return np.full(d, -np.inf)
    return np.log(np.asarray(noise.data.least, np.float64))
