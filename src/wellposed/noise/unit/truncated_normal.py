"""Truncated normal observation noise, for data on [0, 1]."""

import math
from typing import Any, Self

import jax
import jax.numpy as jnp
import numpy as np
import scipy.special
from jax.scipy.special import ndtr, ndtri
from jaxtyping import Array
from numpyro.distributions import Distribution, constraints

from wellposed._fill import fill
from wellposed._typing import Point, PRNGKey
from wellposed.numerics import LOG_2PI, log_normal_interval
from wellposed.transforms import Moments

from ..parts.constants import Constants
from ..parts.scale import Scale
from ..parts.units import FeatureUnits
from .location import AbstractUnit


class TruncatedNormal(AbstractUnit):
    r"""Independent normal noise, cut off at 0 and 1.

    .. math:: p(y \mid z) = \prod_j \frac{\phi((y_j - m_j)/s_j)}
       {s_j \, [\Phi((1 - m_j)/s_j) - \Phi(-m_j/s_j)]}, \qquad
       m_j = \mathrm{sigmoid}(\eta_j(z)), \quad s_j = f_j + \mathrm{softplus}(\rho_j)

    m and s are the location, which is the mode, and the scale of the normal before the cut; the
    mean lies further from the nearer end, and the variance is at most s².

    Parameters
    ----------
    variance : positive number, "shared", "feature" or "conditional"
        s², as σ² in :class:`Gaussian`.
    floor : None or number ≥ 0
        f, the smallest s; None takes resolution/√12 of the data.

    Raises
    ------
    SettingError
        For a variance or a floor out of range.

    Notes
    -----
    log p(y|z) ≤ −Σ_j [½ log 2π + log f_j + log(Φ(1/f_j) − ½)]: the peak 1/(s √2π Z) is highest
    where Z is smallest, with m on an end, and s (Φ(1/s) − ½) rises with s. So an edge may be
    twice as sharp as the Gaussian's peak.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> density = TruncatedNormal(0.01)(jnp.zeros(2))  # the location ½, s = 0.1
    >>> [round(float(v), 4) for v in (*density.mean, *density.variance)]
    [0.5, 0.5, 0.01, 0.01]
    """

    scale: Scale
    logit: Array | None  # (d,), of the location at raw zero
    centred: FeatureUnits | None
    constants: Constants | None

    def __init__(self, variance: float | str = "shared", *, floor: float | None = None):
        self.scale = Scale(variance, floor=floor)
        self.logit = self.centred = self.constants = None

    def initialise(self, moments: Moments, *, key: PRNGKey | None = None) -> Self:
        """Start with the data's mean, where a normal of the starting scale can have it."""
        del key
        scale = self.scale.initialise(moments)
        return fill(self, scale=scale, **self.start(scale, moments))

    def law(self, logit: Point, scale: Array) -> Distribution:
        return _TruncatedNormal(logit, jnp.broadcast_to(scale, logit.shape))

    def log_density_bound(self, d: int) -> float:
        least = self.scale.least(d)
        if not (least > 0).all():
            return math.inf
        # At μ on an end of the interval: Φ(1/s) − Φ(0) of the normal's mass is inside.
        inside = 0.5 * scipy.special.erf(math.sqrt(0.5) / least)
        return float(-0.5 * d * LOG_2PI - np.log(least).sum() - np.log(inside).sum())


class _TruncatedNormal(Distribution):
    """N(sigmoid(η), s²) on [0, 1] for each feature, batch shape (d,).

    Not numpyro's: with a scale far above one its normaliser is a difference of Φ near one half,
    and its variance of s² and s², which in float32 is −700 times too large at s = 1000.
    """

    support: Any = constraints.unit_interval
    pytree_data_fields = ("eta", "scale")

    def __init__(self, eta: Point, scale: Point):
        self.eta, self.scale = eta, scale
        super().__init__(batch_shape=eta.shape)

    @property
    def _loc(self) -> Point:
        return jax.nn.sigmoid(self.eta)

    @property
    def _ends(self) -> tuple[Point, Point]:
        """Both ends, standardised; the complement of the location loses no digit."""
        return -self._loc / self.scale, jax.nn.sigmoid(-self.eta) / self.scale

    @property
    def _log_mass(self) -> Point:
        return log_normal_interval(*self._ends)

    def log_prob(self, value: Point, intermediates: Any = None) -> Point:
        del intermediates
        t = (value - self._loc) / self.scale
        return -0.5 * (t**2 + LOG_2PI) - jnp.log(self.scale) - self._log_mass

    def sample(self, key: PRNGKey, sample_shape: tuple[int, ...] = ()) -> Array:
        return self.icdf(jax.random.uniform(key, self.shape(sample_shape)))

    @property
    def mean(self) -> Point:
        r"""m + s (φ(a) − φ(b))/Z, the difference as φ(a) [1 − e^{−w(a + b)/2}] with w = b − a."""
        a, b = self._ends
        mirrored = a + b < 0
        near = jnp.where(mirrored, b, a)
        falls = jnp.expm1(-0.5 * jnp.abs(a + b) / self.scale)
        pull = -jnp.exp(-0.5 * (near**2 + LOG_2PI) - self._log_mass) * falls
        return jnp.clip(self._loc + self.scale * jnp.where(mirrored, -pull, pull), 0.0, 1.0)

    @property
    def variance(self) -> Point:
        """Closed form while the interval is wider than s; quadrature where that would cancel."""
        a, b = self._ends
        mass = jnp.exp(self._log_mass)
        density = jnp.exp(-0.5 * (jnp.stack([a, b]) ** 2 + LOG_2PI)) / mass
        tilt = (self.mean - self._loc) / self.scale
        closed = self.scale**2 * (1.0 + a * density[0] - b * density[1] - tilt**2)
        return jnp.where(self.scale < 1.0, closed, self._smooth_variance)

    @property
    def _smooth_variance(self) -> Point:
        nodes, weights = np.polynomial.legendre.leggauss(16)
        y = jnp.asarray(0.5 * (nodes + 1.0), self.scale.dtype)[:, None]
        y = jnp.broadcast_to(y, (len(nodes), self.eta.shape[-1]))
        log_density = jax.vmap(self.log_prob)(y)
        mass = jnp.asarray(0.5 * weights, self.scale.dtype)[:, None] * jnp.exp(log_density)
        return (mass * (y - self.mean) ** 2).sum(axis=0)

    def cdf(self, value: Point) -> Point:
        low, high = self._ends
        reached = low + jnp.clip(value, 0.0, 1.0) / self.scale
        below = jnp.exp(log_normal_interval(low, reached) - self._log_mass)
        above = jnp.exp(log_normal_interval(reached, high) - self._log_mass)
        return jnp.where(reached < 0, below, 1.0 - above)

    def icdf(self, q: Point) -> Point:
        """Invert Φ on the side where q loses no digit, then correct the rounding by Newton."""
        low, high = self._ends
        mass = jnp.exp(self._log_mass)
        before, after = ndtr(low) + q * mass, ndtr(-high) + (1.0 - q) * mass
        t = jnp.where(before < after, ndtri(before), -ndtri(after))
        y = jnp.clip(self._loc + self.scale * t, 0.0, 1.0)
        for _ in range(2):
            step = (self.cdf(y) - q) * jnp.exp(-self.log_prob(y))
            y = jnp.clip(y - step, 0.0, 1.0)
        return y
