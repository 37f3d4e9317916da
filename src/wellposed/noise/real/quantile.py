"""Quantile heads: a likelihood whose location parameters are conditional quantiles."""

import dataclasses
import itertools
import math
from collections.abc import Sequence
from typing import Any, Self

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from numpyro.distributions import Distribution, constraints
from scipy.special import ndtri

from wellposed._checks import check_number
from wellposed._errors import SettingError
from wellposed._fill import fill
from wellposed._typing import Density, Inputs, Point, PRNGKey, Raw, Variance
from wellposed.numerics import LOG_2PI, absolute, compress_tails, on_device, positive
from wellposed.transforms import Moments

from ..parts.abstract import require
from ..parts.constants import Constants
from ..parts.features import Features
from ..parts.scale import LEARNS, LEAST, Scale
from ..parts.scale_noise import AbstractScaleNoise


class Quantile(AbstractScaleNoise):
    r"""Quantile heads at levels τ_1 < … < τ_K: an asymmetric Laplace with a step between heads.

    .. math:: p(y) = \frac{\tau_1 (1 - \tau_1)}{b} e^{-(1 - \tau_1)(q_1 - y)/b}, \quad
       \frac{\tau_{k+1} - \tau_k}{q_{k+1} - q_k}, \quad
       \frac{\tau_K (1 - \tau_K)}{b} e^{-\tau_K (y - q_K)/b}

    below q_1, between neighbours, and above q_K. The mass between heads is the difference of their
    levels, so that the τ_k-quantile of p(y|z) is q_k(z); with one head p is the asymmetric Laplace.
    The head nearest to the median is free and the gaps are positive, so heads never cross.

    Parameters
    ----------
    levels : one or more numbers in (0, 1), increasing
    scale : positive number, "shared", "feature" or "conditional"
        b, the scale of the tails.
    floor : None or number ≥ 0
        f, the smallest b; heads stay (τ_{k+1} − τ_k) f √12 apart. None takes resolution/√12 of
        the data.

    Raises
    ------
    SettingError
        For levels, a scale or a floor out of range.

    Notes
    -----
    *Bounded.* log p(y|z) ≤ Σ_j log max{1/(f_j √12), τ_1(1 − τ_1)/f_j, τ_K(1 − τ_K)/f_j}, the
    first where there are two heads or more; in the tails b in place of f where it is given.

    *The gradient.* The heads' is that of −(1/K) Σ_k ρ_k(y − q_k)/b with the pinball ρ_k(e) =
    max{τ_k e, (τ_k − 1) e}, which is least at the conditional quantiles, whatever the data's law;
    b has the gradient of log p. With one head this *is* the gradient of log p (Yu & Moyeed 2001).
    With more it is not, and no normalised density could have it: a score that is least at several
    quantiles is a sum of pinballs of each (Fissler & Ziegel 2016), and the integral of the
    exponential of minus such a sum depends on the gaps. Maximising log p itself puts the heads
    of an exponential law, for levels 0.15, 0.5, 0.85, at its 0.114, 0.478 and 0.820 quantiles.

    So training maximises the mean over heads of K asymmetric Laplace ELBOs, which is the ELBO of
    a mixture over heads with a uniform posterior; and every value reported is the ELBO, or the
    log density, of p above. A sum of pinballs alone is neither (Akrami et al. 2022).

    References: Yu & Moyeed (2001), eq. 4; Akrami, Joshi, Aydore & Leahy (2022), §2; Fissler &
    Ziegel (2016), on scores of several quantiles.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> noise = Quantile((0.1, 0.5, 0.9), scale=1.0)
    >>> heads = noise.quantiles(jnp.zeros(3))  # of one feature, (3, 1)
    >>> bool((jnp.diff(heads[:, 0]) > 0).all())
    True
    """

    levels: tuple[float, ...] = eqx.field(static=True)
    scale: Scale  # b
    floor: Array | None  # (d,), f of the gaps
    deviation: Array | None  # (d,), of the noise at raw zero
    constants: Constants | None

    def __init__(
        self,
        levels: Sequence[float] = (0.15, 0.5, 0.85),
        scale: float | str = "shared",
        *,
        floor: float | None = None,
    ):
        self.levels = _check_levels(levels)
        if not isinstance(scale, str):
            scale = check_number("scale", scale, LEARNS, above=0) ** 2
        self.scale = Scale(scale, floor=floor)
        self.floor = self.deviation = self.constants = None

    @property
    def n_raw(self) -> int:
        return len(self.levels) + self.scale.n_raw

    @property
    def heavy_tailed(self) -> bool:
        return True

    @property
    def linear_location(self) -> bool:
        """Whether a head is the median."""
        return 0.5 in self.levels

    def initialise(self, moments: Moments, *, key: PRNGKey | None = None) -> Self:
        """Start with the heads, and the tails, of a normal around the data's mean."""
        del key
        given = self.scale.floor
        as_scales = moments.variance * _normal_scale(self.levels) ** 2
        floor = moments.resolution / math.sqrt(12.0) if given is None else given
        return fill(
            self,
            scale=self.scale.initialise(dataclasses.replace(moments, variance=as_scales)),
            floor=on_device(np.broadcast_to(floor, moments.mean.shape)),
            deviation=on_device(0.5 * np.sqrt(moments.variance)),
            constants=Constants.of(moments),
        )

    def start_at(self, variance: Point) -> Self:
        """Return the noise with the heads, and the tails, of a normal of that variance."""
        require(self, self.scale.state)
        squared = variance * _normal_scale(self.levels) ** 2
        deviation = jnp.maximum(jnp.sqrt(variance), LEAST)
        return fill(self, scale=self.scale.with_variance(squared), deviation=deviation)

    def __call__(self, raw: Raw) -> Density:
        law = self._law(raw)
        if self.constants is None or self.floor is None:
            return Features(law)
        floor = jnp.maximum(self.floor, LEAST)
        return Features(law, self.constants.real(floor, floor))

    def quantiles(self, raw: Raw) -> Float[Array, "h d"]:
        """Return the heads, increasing, in model units; of features that never vary, theirs."""
        density = self(raw)
        return jnp.stack([density.icdf(jnp.asarray(level)) for level in self.levels])

    def encoder_input(self, y: Point) -> Inputs:
        return compress_tails(y)

    def log_density_bound(self, d: int) -> float:
        floor = np.zeros(d) if self.floor is None else np.asarray(self.floor, np.float64)
        tails, steps = self.scale.least(d), np.diff(self.levels)
        if not (tails > 0).all() or (steps.size and not (floor > 0).all()):
            return math.inf
        outer = np.array([self.levels[0], self.levels[-1]])
        bound = np.log((outer * (1 - outer)).max() / tails)
        if steps.size:
            bound = np.maximum(bound, -np.log(math.sqrt(12.0) * floor))
        if self.constants is not None:
            of_constants = -0.5 * LOG_2PI - np.log(np.maximum(floor, LEAST))
            bound = np.where(np.asarray(self.constants.varies), bound, of_constants)
        return float(bound.sum())

    def variance(self) -> Variance | None:
        """b² (1 − 2τ + 2τ²)/(τ(1 − τ))² of one head; of more, it depends on the gaps."""
        squared, (level, *others) = self.scale.variance(), self.levels
        return None if squared is None or others else squared * _inflation(level)

    def on_floor(self, variance: Variance) -> tuple[int, ...]:
        """Return the features whose b is at its floor.

        Where b depends on z, it is taken from the variance: two tails with no gap between them.
        """
        known = self.scale.variance()
        if known is None:
            known = variance / min(_inflation(self.levels[0]), _inflation(self.levels[-1]))
        return self.scale.on_floor(known, self.varies)

    def _law(self, raw: Raw) -> "QuantileLaw":
        d = raw.shape[0] // self.n_raw
        blocks = raw[: len(self.levels) * d].reshape(len(self.levels), d)
        centre = min(range(len(self.levels)), key=lambda k: abs(self.levels[k] - 0.5))
        normal = ndtri(np.asarray(self.levels))
        steps = np.diff(self.levels)[:, None]
        deviation = jnp.ones(d) if self.deviation is None else self.deviation
        floor = jnp.zeros(d) if self.floor is None else self.floor
        least = math.sqrt(12.0) * floor * steps
        above = jnp.maximum(deviation * np.diff(normal)[:, None] - least, least)
        gaps = least + jnp.maximum(above, LEAST) * positive(blocks[1:])
        middle = blocks[0] + deviation * float(normal[centre])
        down = -jnp.cumsum(gaps[:centre][::-1], axis=0)[::-1]
        up = jnp.cumsum(gaps[centre:], axis=0)
        heads = middle + jnp.concatenate([down, jnp.zeros((1, d)), up])
        scale = self.scale_of(raw[len(self.levels) * d :])
        return QuantileLaw(heads, gaps, scale, self.levels)


def _inflation(level: float) -> float:
    """Variance of an asymmetric Laplace of scale one."""
    return (1 - 2 * level + 2 * level**2) / (level * (1 - level)) ** 2


def _normal_scale(levels: tuple[float, ...]) -> float:
    """The b that is likeliest for a standard normal whose quantiles are the heads.

    The mean over both tails, weighted by mass, of (1 − τ_1) or τ_K times the tail's mean excess.
    """
    low, high = levels[0], levels[-1]
    peak_low, peak_high = (math.exp(-0.5 * (ndtri(v) ** 2 + LOG_2PI)) for v in (low, high))
    left = (1 - low) * (peak_low + low * ndtri(low))
    right = high * (peak_high - (1 - high) * ndtri(high))
    return (left + right) / (1 + low - high)


def _check_levels(levels: Sequence[float]) -> tuple[float, ...]:
    numbers = tuple(float(level) for level in levels)
    increasing = all(low < high for low, high in itertools.pairwise(numbers))
    if not numbers or not increasing or numbers[0] <= 0 or numbers[-1] >= 1:
        raise SettingError(
            f"levels must be numbers in (0, 1), increasing; got {numbers}. (0.15, 0.5, 0.85) are a "
            "median and, for a Gaussian, one standard deviation on either side."
        )
    return numbers


class QuantileLaw(Distribution):
    """The law of :class:`Quantile` for each feature, batch shape (d,).

    Gaps are arguments beside the heads: differences of heads at 10⁴ would be rounding errors.
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
        """Log density; the gradient by the heads is that of their pinballs ."""
        del intermediates
        heads, gaps, scale = self.heads, self.gaps, self.scale
        fixed = QuantileLaw(*jax.lax.stop_gradient((heads, gaps)), scale, self.levels)
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
