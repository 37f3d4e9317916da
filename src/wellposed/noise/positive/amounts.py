"""What the families on amounts, numbers above zero, have in common."""

import abc
import math
from typing import Any, Self

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool
from numpyro.distributions import Distribution

from wellposed._fill import fill
from wellposed._typing import Density, Inputs, Point, PRNGKey, Raw, Variance
from wellposed.numerics import compress_tails, log_from, on_device
from wellposed.transforms import POSITIVE, Moments, Support

from ..parts.features import Features
from ..parts.scale import LEAST
from ..parts.scale_noise import AbstractScaleNoise

# No relative scale is smaller: a float32 has no digits of an amount beyond it.
_SHARPEST = 1e-7

# The encoder's input for a zero, in spreads of the logarithms from their mean.
ZERO_INPUT = -3.0


class Amounts(eqx.Module):
    """Amounts in the data, feature by feature, shape (d,) each: what their noise starts from."""

    log_mean: Point  # mean of the logarithms of the amounts above zero
    log_spread: Point  # their standard deviation
    mean: Point  # of the amounts above zero
    least: Point  # ℓ, the smaller of the resolution and the smallest amount above zero
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
        sample = moments.sample
        log_mean, log_spread, of_positive, zeros = (
            _of_moments(moments) if sample is None else _of_sample(sample)
        )
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

    def encoder_input(self, y: Point) -> Inputs:
        """(log y − mean)/spread, three spreads below the mean for zero."""
        logs = (log_from(y, self.least) - self.log_mean) / self.log_spread
        return jnp.where(y > 0, compress_tails(logs), ZERO_INPUT)


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


class AbstractAmount(AbstractScaleNoise):
    """Noise on numbers above zero, by a location and a relative scale of each feature."""

    data: eqx.AbstractVar[Amounts | None]

    @property
    def constants(self) -> None:
        """None: a feature that never varies has the same law, with a scale of its own."""
        return None

    @property
    def support(self) -> Support:
        return POSITIVE

    @abc.abstractmethod
    def amounts(self, location: Point, scale: Point, least: Point) -> Distribution:
        """Return the distribution of each feature, batch shape (d,).

        Parameters
        ----------
        location : shape (d,), on the logarithmic scale
        scale : shape (d,), of the logarithm, or relative to the mean
        least : shape (d,), ℓ
        """

    @abc.abstractmethod
    def center(self, data: Amounts) -> Point:
        """Return the location at raw zero, shape (d,)."""

    @abc.abstractmethod
    def log_peak_of(self, scale: np.ndarray) -> np.ndarray:
        """Return the supremum of the log density of log x, in nats; inf for a scale of zero."""

    def initialise(self, moments: Moments, *, key: PRNGKey | None = None) -> Self:
        del key
        data = Amounts.of(moments)
        return fill(self, scale=self.scale.initialise(data.in_logarithms), data=data)

    def law(self, raw: Raw) -> Distribution:
        """Return the distribution of each feature, batch shape (d,)."""
        d = raw.shape[0] // self.n_raw
        location, scale = raw[:d], self._relative_scale(raw[d:], raw[:d])
        if self.data is None:
            return self.amounts(location, scale, jnp.full(d, jnp.finfo(raw.dtype).tiny))
        moved = jnp.where(self.data.varies, self.data.log_spread * compress_tails(location), 0.0)
        return self.amounts(self.center(self.data) + moved, scale, self.data.least)

    def __call__(self, raw: Raw) -> Density:
        return Features(self.law(raw))

    def encoder_input(self, y: Point) -> Inputs:
        return y if self.data is None else self.data.encoder_input(y)

    def log_peaks(self, d: int) -> np.ndarray:
        """Return the supremum of each feature's log density in nats, shape (d,)."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.log_peak_of(self._least_scale(d)) - self._log_least_amount(d)

    def log_density_bound(self, d: int) -> float:
        return float(self.log_peaks(d).sum())

    def on_floor(self, variance: Variance) -> tuple[int, ...]:
        """Return the features whose relative scale is at its floor.

        Where it depends on z, the deviation relative to the mean of the data takes its place.
        """
        known = self.scale.variance()
        if self.data is None:
            return ()
        relative = variance / self.data.mean**2 if known is None else known
        return self.scale.on_floor(relative, self.data.varies)

    def _relative_scale(self, raw: Array, like: Point) -> Point:
        """Relative scale of each feature: its floor, where the feature never varies."""
        scale = jnp.broadcast_to(jnp.maximum(self.scale_of(raw), _SHARPEST), like.shape)
        if self.data is None:
            return scale
        return jnp.where(self.data.varies, scale, jnp.maximum(self.data.rounding, LEAST))

    def _least_scale(self, d: int) -> np.ndarray:
        """Smallest relative scale that each feature can reach, shape (d,)."""
        least = self.scale.least(d)
        least = np.where(least > 0, np.maximum(least, _SHARPEST), 0.0)  # without a floor, no bound
        if self.data is None:
            return least
        of_constants = np.maximum(np.asarray(self.data.rounding, np.float64), LEAST)
        return np.where(np.asarray(self.data.varies), least, of_constants)

    def _log_least_amount(self, d: int) -> np.ndarray:
        """log ℓ of each feature, shape (d,); −∞ before the noise has data."""
        if self.data is None:
            return np.full(d, -np.inf)
        return np.log(np.asarray(self.data.least, np.float64))
