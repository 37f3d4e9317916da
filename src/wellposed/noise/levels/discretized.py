"""Bell curves, and mixtures of them, cut into cells of width one around the whole numbers."""

import abc
import dataclasses
import math
from typing import Any, Self

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from numpyro.distributions import Distribution, constraints

from wellposed import transforms
from wellposed._checks import check_count
from wellposed._errors import SettingError
from wellposed._fill import fill
from wellposed._typing import Density, Fitted, Leaves, Point, PRNGKey, Raw, Scalar, Variance
from wellposed.numerics import log_normal_interval, on_device
from wellposed.transforms import COUNTS, Moments, Support

from ..parts.abstract import require
from ..parts.constants import Constants
from ..parts.features import Features
from ..parts.scale import Scale
from ..parts.whole import AbstractWhole, LevelUnits, deviations, levels_of
from .enumerated import moments_of_cdf, quantile_of_cdf
from .logistic_mixture import log_logistic_mixture, logistic_mixture_cdf

_MOST_COMPONENTS = 5

# Smallest σ in levels: a cell already contains all but 1e-10 of a logistic.
_LEAST = 0.04

# A logistic's standard deviation is π/√3 of its scale.
_LOGISTIC_SCALE = math.sqrt(3.0) / math.pi


class Cells(eqx.Module):
    """Map raw outputs to the weights, locations and scales of each feature's components.

    A decoder's ``n_raw`` blocks are the locations, the scales where they depend on z, and the
    weights where there is more than one component. Locations are counted in deviations of the
    feature from its mean; at raw zero they lie evenly from one below to one above.
    """

    levels: int | None = eqx.field(static=True)
    mixture: int = eqx.field(static=True)
    scale: Scale  # standard deviations before rounding
    center: Fitted = None  # (d,)
    spread: Fitted = None  # (d,)
    constants: Constants | None = None
    shown: LevelUnits | None = None

    @property
    def n_raw(self) -> int:
        weights = self.mixture if self.mixture > 1 else 0
        return self.mixture * (1 + self.scale.n_raw) + weights

    @property
    def support(self) -> Support:
        return COUNTS if self.levels is None else transforms.levels(self.levels)

    def initialise(self, moments: Moments) -> "Cells":
        """Take levels and start from the data."""
        return dataclasses.replace(
            self,
            levels=levels_of(self.levels, moments),
            scale=self.scale.initialise(moments),
            center=on_device(moments.mean),
            spread=on_device(np.maximum(deviations(moments), 0.5)),
            constants=Constants.of(moments),
            shown=LevelUnits.of(moments),
        )

    def start_at(self, variance: Point, units: LevelUnits) -> "Cells":
        """Set the scale of one component, and count locations in the encoder's units."""
        # A cell adds the variance of its width to σ².
        scale = self.scale.with_variance(jnp.maximum(variance - 1 / 12, 0.0))
        spread = jnp.broadcast_to(jnp.asarray(units.spread), variance.shape)
        return dataclasses.replace(self, scale=scale, spread=spread)

    def __call__(self, raw: Raw, base: str) -> Density:
        blocks = raw.reshape(self.n_raw, -1)
        m = self.mixture
        offsets = np.linspace(-1.0, 1.0, m)[:, None] if m > 1 else np.zeros((1, 1))
        locations = self.center + self.spread * (blocks[:m] + offsets.astype(raw.dtype))
        scales = jnp.atleast_2d(self.scale(blocks[m : m + m * self.scale.n_raw]))
        log_weights = blocks[-m:] if m > 1 else jnp.zeros_like(locations)
        each = Discretized(base, log_weights, locations, scales, self.levels or 2)
        return Features(each, self.constants and self.constants.whole(self.levels))


class AbstractDiscretized(AbstractWhole):
    """Noise whose density is a :class:`Discretized` one."""

    cells: eqx.AbstractVar[Cells]

    @property
    @abc.abstractmethod
    def base(self) -> str:
        """Return which curve is cut: "logistic" or "normal"."""

    @property
    def n_raw(self) -> int:
        return self.cells.n_raw

    @property
    def shown(self) -> LevelUnits | None:
        return self.cells.shown

    @property
    def support(self) -> Support:
        return self.cells.support

    def initialise(self, moments: Moments, *, key: PRNGKey | None = None) -> Self:
        del key
        return fill(self, cells=self.cells.initialise(moments))

    def __call__(self, raw: Raw) -> Density:
        require(self, self.cells.center)
        return self.cells(raw, self.base)

    @property
    def linear_location(self) -> bool:
        """Whether there is one component.

        The location is the curve's before it is cut, which is the mean but for the ends.
        """
        return self.cells.mixture == 1

    def start_at(self, variance: Point) -> Self:
        """Return the noise with σ² = ``variance`` − 1/12, and locations in the encoder's units.

        With more than one component it returns itself.
        """
        if not self.linear_location:
            return self
        units = require(self, self.cells.shown)
        return fill(self, cells=self.cells.start_at(variance, units))

    def parameters(self) -> Leaves:
        return self.cells.scale.parameters()

    def variance(self) -> Variance | None:
        """σ² before rounding and cutting, or None where it depends on z."""
        return self.cells.scale.variance() if self.cells.mixture == 1 else None


class DiscretizedGaussian(AbstractDiscretized):
    r"""Independent whole numbers 0, …, L − 1 from Gaussians, cut into cells.

    .. math:: P(v \mid z) = \sum_m w_m [Φ((v + ½ - μ_m)/σ_m) - Φ((v - ½ - μ_m)/σ_m)]

    with tails to ±∞ at the edges.

    Parameters
    ----------
    levels : int ≥ 2 or None
        L; None takes the largest value of the data plus one.
    variance : positive number, "shared", "feature" or "conditional"
        σ² before rounding, in levels squared: given, learned for all features or each, or a
        decoder output for each component. σ never falls below 0.04.
    mixture : 1 to 5 components

    Raises
    ------
    SettingError
        For settings outside these ranges.

    Notes
    -----
    log P ≤ 0. A feature that never varies has its constant, with Laplace's rule for the
    exception.

    References: Ho, Jain & Abbeel (2020), eq. 13.

    Examples
    --------
    >>> import jax
    >>> import wellposed as wp
    >>> summary = wp.transforms.summarise(np.array([[0, 1], [2, 3], [4, 4]]))
    >>> moments = wp.transforms.Identity().moments(summary, key=jax.random.key(0))
    >>> density = DiscretizedGaussian(levels=5).initialise(moments)(np.zeros(2, np.float32))
    >>> round(float(density.mean[0]), 4)  # the data's mean
    2.0
    """

    cells: Cells

    def __init__(
        self, levels: int | None = None, variance: float | str = "shared", mixture: int = 1
    ):
        self.cells = _check_cells(levels, variance, mixture)

    @property
    def base(self) -> str:
        return "normal"


class DiscretizedLogistic(AbstractDiscretized):
    r"""Independent whole numbers 0, …, L − 1 from logistics, cut into cells.

    .. math:: P(v \mid z) = \sum_m w_m [σ((v + ½ - μ_m)/s_m) - σ((v - ½ - μ_m)/s_m)]

    with tails to ±∞ at the edges, and s = σ√3/π for a logistic of standard deviation σ.

    Parameters
    ----------
    levels : int ≥ 2 or None
        L; None takes the largest value of the data plus one.
    variance : positive number, "shared", "feature" or "conditional"
        σ² before rounding, in levels squared: given, learned for all features or each, or a
        decoder output for each component. σ never falls below 0.04.
    mixture : 1 to 5 components

    Raises
    ------
    SettingError
        For settings outside these ranges.

    Notes
    -----
    log P ≤ 0, so that maximum likelihood has a maximum without a floor, and −log₂ P is the
    length of a code. A feature that never varies has its constant, with Laplace's rule for the
    exception.

    References: Salimans et al. (2017), PixelCNN++, §2.1; Kingma et al. (2016), §5.2.

    Examples
    --------
    >>> import jax
    >>> import wellposed as wp
    >>> summary = wp.transforms.summarise(np.array([[0, 1], [2, 3], [4, 4]]))
    >>> moments = wp.transforms.Identity().moments(summary, key=jax.random.key(0))
    >>> noise = DiscretizedLogistic(levels=5, mixture=2).initialise(moments)
    >>> noise.n_raw  # locations, scales and weights of two components
    6
    """

    cells: Cells

    def __init__(
        self,
        levels: int | None = None,
        variance: float | str = "conditional",
        mixture: int = 1,
    ):
        self.cells = _check_cells(levels, variance, mixture)

    @property
    def base(self) -> str:
        return "logistic"


def _check_cells(levels: int | None, variance: float | str, mixture: int) -> Cells:
    """Check the settings of a discretised noise.

    Raises
    ------
    SettingError
        For fewer than two levels, a variance too small or unknown, or a number of components
        that is not one to five.
    """
    if levels is not None:
        transforms.levels(levels)
    mixture = check_count("mixture", mixture, "1 is a single component.", most=_MOST_COMPONENTS)
    # A probability needs no limit of σ(z); on MNIST a limit of ten costs 0.03 bits.
    scale = Scale(variance, floor=_LEAST, ratio=None)
    if scale.given is not None and float(scale.given) < _LEAST**2:
        raise SettingError(
            f"A variance must be at least {_LEAST**2:g}, in levels squared, to reach the next "
            f'level at all; got {variance}. "shared" learns it from the data.'
        )
    return Cells(None if levels is None else int(levels), mixture, scale)


class Discretized(Distribution):
    r"""P(v) = Σ_m w_m [F_m(v + ½) − F_m(v − ½)], tails to ±∞ at the edges; batch shape (d,)."""

    support: Any = constraints.nonnegative_integer
    pytree_data_fields = ("log_weights", "locations", "scales")
    pytree_aux_fields = ("base", "levels")

    def __init__(
        self,
        base: str,
        log_weights: Float[Array, "m d"],
        locations: Float[Array, "m d"],
        deviations: Float[Array, "#m #d"],
        levels: int,
    ):
        self.base, self.levels = base, levels
        self.log_weights, self.locations = log_weights, locations
        self.scales = deviations * (_LOGISTIC_SCALE if base == "logistic" else 1.0)
        super().__init__(batch_shape=locations.shape[1:])

    @property
    def _components(self) -> tuple[Array, Array, Array]:
        return self.log_weights, self.locations, self.scales

    def log_prob(self, value: Point, intermediates: Any = None) -> Point:
        del intermediates
        value = jnp.asarray(value, self.locations.dtype)
        if self.base == "logistic":
            return log_logistic_mixture(value, *self._components, self.levels)
        return _log_normal_mixture(value, *self._components, self.levels)

    def cdf(self, value: Point | Scalar) -> Point:
        value = jnp.asarray(value, self.locations.dtype)
        if self.base == "logistic":
            return logistic_mixture_cdf(value, *self._components, self.levels)
        return _normal_mixture_cdf(value, *self._components, self.levels)

    def icdf(self, q: Point) -> Point:
        return quantile_of_cdf(self.cdf, self.levels, q)

    def sample(self, key: PRNGKey, sample_shape: tuple[int, ...] = ()) -> Array:
        component_key, draw_key = jax.random.split(key)
        shape = self.shape(sample_shape)
        chosen = jax.random.categorical(component_key, self.log_weights.T, shape=shape)
        at = (chosen, jnp.arange(shape[-1]))
        draw = jax.random.logistic if self.base == "logistic" else jax.random.normal
        scales = jnp.broadcast_to(self.scales, self.locations.shape)
        drawn = self.locations[at] + scales[at] * draw(draw_key, shape, self.locations.dtype)
        return jnp.clip(jnp.round(drawn), 0, self.levels - 1)

    @property
    def mean(self) -> Point:
        return self._moments[0]

    @property
    def variance(self) -> Point:
        return self._moments[1]

    @property
    def _moments(self) -> tuple[Point, Point]:
        return moments_of_cdf(self.cdf, self.levels, self.locations[0])


def _log_normal_mixture(
    value: Point, log_weights: Array, locations: Array, scales: Array, levels: int
) -> Point:
    low = jnp.where(value <= 0, -jnp.inf, (value - 0.5 - locations) / scales)
    high = jnp.where(value >= levels - 1, jnp.inf, (value + 0.5 - locations) / scales)
    each = log_normal_interval(low, high)
    return jax.nn.logsumexp(jax.nn.log_softmax(log_weights, axis=0) + each, axis=0)


def _normal_mixture_cdf(
    value: Point | Scalar, log_weights: Array, locations: Array, scales: Array, levels: int
) -> Point:
    below = jax.scipy.special.ndtr((jnp.floor(value) + 0.5 - locations) / scales)
    within = jnp.sum(jax.nn.softmax(log_weights, axis=0) * below, axis=0)
    return jnp.where(value >= levels - 1, 1.0, jnp.where(value < 0, 0.0, within))
