"""What the noise models with a scale have in common."""

import abc
from typing import Any, Self

import equinox as eqx
from jaxtyping import Array, Bool
from numpyro.distributions import Distribution

from wellposed._fill import fill
from wellposed._typing import Density, Leaves, Point, PRNGKey, Raw, Variance
from wellposed.numerics import LOG_2PI
from wellposed.transforms import REALS, Moments, Support

from .abstract import AbstractNoise, require
from .constants import ConstantDensity, Constants
from .features import Features
from .scale import Scale

_NORMAL_LOG_PEAK = -0.5 * LOG_2PI  # of features that never vary


class AbstractScaleNoise(AbstractNoise):
    """Noise with a :class:`Scale` for each feature, which has a floor.

    The decoder puts out one location a feature and, where the scale depends on z, one raw scale.

    Examples
    --------
    >>> import wellposed as wp
    >>> isinstance(wp.noise.Gaussian(), AbstractScaleNoise)
    True
    """

    scale: eqx.AbstractVar[Scale]
    constants: eqx.AbstractVar[Constants | None]

    @property
    def n_raw(self) -> int:
        return 1 + self.scale.n_raw

    @property
    def support(self) -> Support:
        return REALS

    @property
    def varies(self) -> Bool[Array, " d"] | None:
        """Which features vary in the data; None where all do."""
        return None if self.constants is None else self.constants.varies

    def parameters(self) -> Leaves:
        return self.scale.parameters()

    def on_floor(self, variance: Variance) -> tuple[int, ...]:
        """Return the features whose scale is at its floor.

        Where the scale depends on z, the standard deviation takes its place.
        """
        known = self.scale.variance()
        return self.scale.on_floor(variance if known is None else known, self.varies)

    def scale_of(self, raw: Raw) -> Array:
        """Scale of each feature, shape () or (d,), from its decoder outputs.

        Raises
        ------
        SettingError
            Before :meth:`initialise`, for a scale that is learned.
        """
        require(self, self.scale.state)
        return self.scale(raw)

    def constant_density(self, scale: Array) -> ConstantDensity | None:
        """Density of features that never vary, where the others have the scale ``scale``."""
        return self.constants and self.scale.for_constants(self.constants, scale)


class AbstractLocationScale(AbstractScaleNoise):
    """Independent noise on the real line, by a location and a standard deviation of each feature.

    A subclass has the fields ``scale`` and ``constants`` and defines :meth:`law` and
    :attr:`log_peak`.

    Examples
    --------
    >>> import wellposed as wp
    >>> isinstance(wp.noise.Laplace(), AbstractLocationScale)
    True
    """

    @abc.abstractmethod
    def law(self, location: Point, scale: Array) -> Distribution:
        """Return the distribution of each feature, batch shape (d,).

        Parameters
        ----------
        location : shape (d,)
        scale : standard deviation, shape () or (d,)
        """

    @property
    @abc.abstractmethod
    def log_peak(self) -> float:
        """Largest log density of a feature of standard deviation one, in nats."""

    def initialise(self, moments: Moments, *, key: PRNGKey | None = None) -> Self:
        del key
        scale = self.scale.initialise(moments)
        return fill(self, scale=scale, constants=Constants.of(moments))

    def __call__(self, raw: Raw) -> Density:
        d = raw.shape[0] // self.n_raw
        scale = self.scale_of(raw[d:])
        constants: Any = self.constant_density(scale)
        return Features(self.law(raw[:d], scale), constants)

    def start_at(self, variance: Point) -> Self:
        require(self, self.scale.state)
        return fill(self, scale=self.scale.with_variance(variance))

    def variance(self) -> Variance | None:
        return self.scale.variance()

    def on_floor(self, variance: Variance) -> tuple[int, ...]:
        return self.scale.on_floor(variance, self.varies)

    def log_density_bound(self, d: int) -> float:
        """d log_peak − Σ_j log f_j, with the normal's peak for features that never vary."""
        constant = 0 if self.varies is None else int((~self.varies).sum())
        if not constant or self.log_peak >= _NORMAL_LOG_PEAK:
            return d * self.log_peak - self.scale.log_least(d)
        peaks = (d - constant) * self.log_peak + constant * _NORMAL_LOG_PEAK
        return peaks - self.scale.log_least(d)
