"""Student t observation noise: tails that forgive outliers, as heavy as the data's."""

import dataclasses
import math
from typing import Any, Self

import jax.numpy as jnp
import numpy as np
from jax.scipy.special import betainc, betaln, ndtr
from jaxtyping import Array
from numpyro.distributions import Distribution, constraints
from numpyro.distributions import StudentT as StudentTLaw

from wellposed._fill import fill
from wellposed._typing import Density, Inputs, Leaves, Point, PRNGKey, Raw, Variance
from wellposed.numerics import LOG_2PI, compress_tails, invert, log_one_plus_square
from wellposed.transforms import Moments

from ..parts.abstract import require
from ..parts.constants import Constants
from ..parts.features import Features
from ..parts.scale import RATIO, Scale
from ..parts.scale_noise import AbstractScaleNoise
from .degrees import Degrees

_MANY = 30.0  # degrees of freedom from which the distribution function is Hill's
_FAR = 1e12  # where a tail of many degrees is empty, and w⁷ is still a float32
_WIDEST = 60.0  # asinh of the furthest quantile searched for, in scales

# Gauss-Legendre quadrature for logarithms of tails: on [0, 1], and on [0, 6.5] of 2q exp(−q²).
_INNER, _INNER_WEIGHTS = np.polynomial.legendre.leggauss(16)
_INNER, _INNER_WEIGHTS = 0.5 * (1.0 + _INNER), 0.5 * _INNER_WEIGHTS
_OUTER, _OUTER_WEIGHTS = np.polynomial.legendre.leggauss(80)
_OUTER = 3.25 * (1.0 + _OUTER)
_OUTER_WEIGHTS = 3.25 * _OUTER_WEIGHTS * 2.0 * _OUTER * np.exp(-(_OUTER**2))


class StudentT(AbstractScaleNoise):
    r"""Independent Student t noise with learned degrees of freedom.

    .. math:: p(y \mid z) = \prod_j \frac{1}{s_j \sqrt{\nu_j} B(\frac12, \frac{\nu_j}{2})}
       \Bigl(1 + \frac{(y_j - \mu_j(z))^2}{\nu_j s_j^2}\Bigr)^{-(\nu_j + 1)/2}, \qquad
       s_j = f_j + \mathrm{softplus}(\rho_j)

    The scale s is the t's own, not its standard deviation: the variance is s² ν/(ν − 2). So the
    floor limits the width of the peak, whatever the tails, and the bound is the Gaussian's.

    Parameters
    ----------
    variance : positive number, "shared", "feature" or "conditional"
        s², as σ² in :class:`Gaussian`.
    floor : None or number ≥ 0
        f, the smallest s; None takes resolution/√12 of the data.
    degrees : number > 2, "shared", "feature" or "conditional"
        ν, given or learned.
    least_degrees : number in (2, 8)
        What learned degrees never fall below, so that the variance exists.
    ratio : number from 1.01 to 10⁶, or None
        Largest factor between s(z) and the feature's own s, as in :class:`Gaussian`.

    Raises
    ------
    SettingError
        For a variance, a floor, degrees or a ratio out of range.

    Notes
    -----
    log p(y|z) ≤ −Σ_j log(f_j √2π), with s in place of f where s² is given: the peak of scale one,
    1/(√ν B(½, ν/2)), rises with ν, to 1/√2π. Where ν is given, its own peak is the bound.

    References: Lange, Little & Taylor (1989); Hill (1970), for quantiles at many degrees.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> density = StudentT(1.0, degrees=4.0)(jnp.zeros(1))  # the variance is s² ν/(ν − 2)
    >>> density.variance.tolist(), round(float(density.log_prob(jnp.array([1e6]))), 2)
    ([2.0], -66.59)
    """

    scale: Scale
    degrees: Degrees
    constants: Constants | None

    def __init__(
        self,
        variance: float | str = "shared",
        *,
        floor: float | None = None,
        degrees: float | str = "shared",
        least_degrees: float = 2.1,
        ratio: float | None = RATIO,
    ):
        self.scale = Scale(variance, floor=floor, ratio=ratio)
        self.degrees = Degrees(degrees, least=least_degrees)
        self.constants = None

    @property
    def n_raw(self) -> int:
        return 1 + self.scale.n_raw + self.degrees.n_raw

    @property
    def heavy_tailed(self) -> bool:
        return True

    @property
    def linear_location(self) -> bool:
        return True

    def initialise(self, moments: Moments, *, key: PRNGKey | None = None) -> Self:
        """Start the standard deviation, not s, where :class:`Scale` starts a σ."""
        del key
        squared = moments.variance / _inflation(self.degrees.start)
        return fill(
            self,
            scale=self.scale.initialise(dataclasses.replace(moments, variance=squared)),
            degrees=self.degrees.initialise(moments),
            constants=Constants.of(moments),
        )

    def __call__(self, raw: Raw) -> Density:
        d = raw.shape[0] // self.n_raw
        split = d * (1 + self.scale.n_raw)
        scale = self.scale_of(raw[d:split])
        require(self, self.degrees.state)
        constants = self.constant_density(scale)
        return Features(_StudentT(raw[:d], scale, self.degrees(raw[split:])), constants)

    def encoder_input(self, y: Point) -> Inputs:
        return compress_tails(y)

    def log_density_bound(self, d: int) -> float:
        log_peak = -0.5 * LOG_2PI
        if self.degrees.given is not None:
            half = 0.5 * float(self.degrees.given)
            log_peak = (
                math.lgamma(half + 0.5) - math.lgamma(half) - 0.5 * math.log(2 * math.pi * half)
            )
        # Features that never vary are normal around their constant, whose peak is higher.
        normal = 0 if self.varies is None else int((~self.varies).sum())
        peaks = (d - normal) * log_peak - normal * 0.5 * LOG_2PI
        return peaks - self.scale.log_least(d)

    def parameters(self) -> Leaves:
        return self.scale.parameters() + self.degrees.parameters()

    def variance(self) -> Variance | None:
        squared, degrees = self.scale.variance(), self.degrees.known()
        return None if squared is None or degrees is None else squared * _inflation(degrees)

    def start_at(self, variance: Point) -> Self:
        """Return the noise with s at the variance, by s² = σ² (ν − 2)/ν at the present ν.

        Where ν depends on z, that is ν at raw zero.
        """
        require(self, self.scale.state)
        degrees = self.degrees.known()
        inflation = _inflation(self.degrees.start if degrees is None else degrees)
        return fill(self, scale=self.scale.with_variance(variance / inflation))

    def on_floor(self, variance: Variance) -> tuple[int, ...]:
        """Return the features whose s is at its floor.

        Where ν depends on z, the variance does not determine s, and the standard deviation,
        which is larger, takes its place.
        """
        degrees = self.degrees.known()
        squared = variance if degrees is None else variance / _inflation(degrees)
        return self.scale.on_floor(squared, self.varies)


def _inflation(degrees: Any) -> Any:
    """Variance of a t of scale one."""
    return degrees / (degrees - 2.0)


class _StudentT(Distribution):
    """A t for each feature, batch shape (d,).

    numpyro's, but for two functions: its normaliser is a difference of log Γ, off by 0.03 nats a
    feature in float32 at ν = 10⁵ and so above the bound; and its quantiles need another package.
    """

    support: Any = constraints.real
    pytree_data_fields = ("law",)

    def __init__(self, loc: Point, scale: Array, degrees: Array):
        self.law = StudentTLaw(degrees, loc, scale)
        super().__init__(batch_shape=self.law.batch_shape)

    def log_prob(self, value: Point, intermediates: Any = None) -> Point:
        del intermediates
        scale, degrees = self.law.scale, self.law.df
        fall = log_one_plus_square(value - self.law.loc, scale * jnp.sqrt(degrees))
        peak = -jnp.log(scale) - 0.5 * jnp.log(degrees) - betaln(0.5, 0.5 * degrees)
        return peak - 0.5 * (degrees + 1.0) * fall

    def sample(self, key: PRNGKey, sample_shape: tuple[int, ...] = ()) -> Array:
        return self.law.sample(key, sample_shape)

    @property
    def mean(self) -> Point:
        return self.law.mean

    @property
    def variance(self) -> Point:
        return self.law.variance

    def cdf(self, value: Point) -> Point:
        t = (value - self.law.loc) / self.law.scale
        return jnp.where(t < 0, self._tail(t), 1.0 - self._tail(t))

    def log_cdf(self, value: Point) -> Point:
        """log P(Y ≤ value), in nats."""
        return self._log_below(value - self.law.loc)

    def log_sf(self, value: Point) -> Point:
        """log P(Y ≥ value), in nats."""
        return self._log_below(self.law.loc - value)

    def _log_below(self, residual: Point) -> Point:
        tail = _log_tail(jnp.abs(residual), self.law.scale, self.law.df)
        return jnp.where(residual < 0, tail, jnp.log1p(-jnp.exp(tail)))

    def icdf(self, q: Point) -> Point:
        """Bisect for asinh t in the left tail, where no digit of q is lost."""
        left = jnp.minimum(q, 1.0 - q)
        asinh_t = invert(lambda v: self._tail(jnp.sinh(v)), left, -_WIDEST, 0.0)
        return self.law.loc + self.law.scale * jnp.where(q < 0.5, 1.0, -1.0) * jnp.sinh(asinh_t)

    def _tail(self, t: Array) -> Array:
        """P(T < −|t|); an incomplete beta function of large arguments is off in float32."""
        few = jnp.minimum(self.law.df, _MANY)
        many = jnp.maximum(self.law.df, _MANY)
        return jnp.where(self.law.df < _MANY, _exact_tail(t, few), _hills_tail(t, many))


def _exact_tail(t: Array, degrees: Array) -> Array:
    """½ I_x(ν/2, ½) with x = ν/(ν + t²), or its complement where x nears one."""
    half, squared = jnp.full_like(degrees, 0.5), t**2
    far = betainc(0.5 * degrees, half, degrees / (degrees + squared))
    near = 1.0 - betainc(half, 0.5 * degrees, 1.0 / (1.0 + degrees / squared))
    return 0.5 * jnp.where(squared < degrees, near, far)


def _hills_tail(t: Array, degrees: Array) -> Array:
    """Φ(−z) with Hill's (1970) z, off by a hundred-millionth at thirty degrees and t = 4."""
    less = degrees - 0.5
    scale = 48.0 * less**2
    w = jnp.sqrt(less * jnp.log1p(jnp.minimum(jnp.abs(t), _FAR) ** 2 / degrees))
    cubic = (w**3 + 3.0 * w) / scale
    seventh = (4.0 * w**7 + 33.0 * w**5 + 240.0 * w**3 + 855.0 * w) / scale
    return ndtr(-w - cubic + seventh / (10.0 * (scale + 0.8 * w**4 + 100.0)))


def _log_tail(distance: Array, scale: Array, degrees: Array) -> Array:
    r"""log P(T > t) with t = distance/scale ≥ 0, for any t and ν, with finite gradients.

    Up to one, log(½ − ∫₀ᵗ p). Beyond, with a = ν/2 and x = 1/(1 + t²/ν), by P = ½ I_x(a, ½) and
    the substitution w = x e^{−q²/a} in the incomplete beta function,

    .. math:: P(T > t) = \frac{x^a}{2 a B(a, 1/2)}
       \int_0^\infty \frac{2 q e^{-q^2}}{\sqrt{1 - x e^{-q^2/a}}} \, dq
    """
    a, dtype = 0.5 * degrees, distance.dtype
    log_beta = betaln(0.5, a)
    peak = -0.5 * jnp.log(degrees) - log_beta
    close = distance < scale
    near = jnp.where(close, distance, scale) / scale
    s = near * jnp.asarray(_INNER, dtype)[:, None]
    density = jnp.exp(peak - (a + 0.5) * jnp.log1p(s**2 / degrees))
    within = near * (jnp.asarray(_INNER_WEIGHTS, dtype)[:, None] * density).sum(axis=0)
    far = jnp.where(close, scale, distance)
    fall = log_one_plus_square(far, scale * jnp.sqrt(degrees))  # −log x
    q = jnp.asarray(_OUTER, dtype)[:, None]
    root = jnp.sqrt(-jnp.expm1(-fall - q**2 / a))
    integral = (jnp.asarray(_OUTER_WEIGHTS, dtype)[:, None] / root).sum(axis=0)
    beyond = jnp.log(integral) - a * fall - jnp.log(2.0 * a) - log_beta
    return jnp.where(close, jnp.log(0.5 - within), beyond)
