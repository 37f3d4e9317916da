"""Truncated normal observation noise, for data on [0, 1]."""

import math
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import scipy.special
from jax.scipy.special import ndtr, ndtri
from jaxtyping import Array
from numpyro.distributions import Distribution, constraints

from wellposed._compiled import compiled_soon
from wellposed._typing import Density, Fitted, Leaves, Point, PRNGKey, Raw, Variance
from wellposed.numerics import LOG_2PI, inverted, log_normal_interval, on_device
from wellposed.transforms import UNIT, Moments, Support

from ..parts.abstract import AbstractNoise
from ..parts.centred import Centred
from ..parts.constants import Constants, pinned
from ..parts.features import Features
from ..parts.scale import Scale

# Locations start within (0.001, 0.999): nearer to an end the sigmoid has no slope to leave by.
_FURTHEST = 7.0


class TruncatedNormal(AbstractNoise):
    r"""Independent normal noise, cut off at 0 and 1.

    .. math:: p(y \mid z) = \prod_j \frac{\phi((y_j - m_j)/s_j)}
       {s_j \, [\Phi((1 - m_j)/s_j) - \Phi(-m_j/s_j)]}, \qquad
       m_j = \mathrm{sigmoid}(\eta_j(z)), \quad s_j = f_j + \mathrm{softplus}(\rho_j)

    m and s are the location, which is the mode, and the scale of the normal before the cut; the
    mean is drawn inwards, and the variance is at most s².

    Parameters
    ----------
    variance : positive number, "shared", "feature" or "conditional"
        s², as :class:`Gaussian` takes σ².
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
    """

    scale: Scale
    logit: Fitted  # (d,), of the location at raw zero
    centred: Centred | None
    constants: Constants | None

    def __init__(self, variance: float | str = "shared", *, floor: float | None = None):
        self.scale = Scale(variance, floor=floor)
        self.logit = self.centred = self.constants = None

    @property
    def n_raw(self) -> int:
        return 1 + self.scale.n_raw

    @property
    def support(self) -> Support:
        return UNIT

    @property
    def solved_by_squares(self) -> bool:
        return False

    def initialise(self, moments: Moments, *, key: PRNGKey | None = None) -> "TruncatedNormal":
        """Start with the data's mean, where a normal of the starting scale can have it."""
        del key
        scale = self.scale.initialise(moments)
        logit = _logit_of(scale, on_device(moments.mean))
        return eqx.tree_at(
            lambda n: (n.scale, n.logit, n.centred, n.constants),
            self,
            (scale, logit, Centred.of(moments), Constants.of(moments)),
            is_leaf=lambda leaf: leaf is None,
        )

    def __call__(self, raw: Raw) -> Density:
        d = raw.shape[0] // self.n_raw
        scale = self.scale(raw[d:])
        eta = raw[:d] if self.logit is None else raw[:d] + self.logit
        constants = self.constants and self.scale.for_constants(self.constants, scale)
        each = _TruncatedNormal(eta, jnp.broadcast_to(scale, eta.shape))
        return Features(pinned(each, constants))

    def presented(self, y: Point) -> Point:
        return y if self.centred is None else self.centred(y)

    def log_density_bound(self, d: int) -> float:
        least = self.scale.least(d)
        if not (least > 0).all():
            return math.inf
        # At μ on an end of the interval: Φ(1/s) − Φ(0) of the normal's mass is inside.
        inside = 0.5 * scipy.special.erf(math.sqrt(0.5) / least)
        return float(-0.5 * d * LOG_2PI - np.log(least).sum() - np.log(inside).sum())

    def learned(self) -> Leaves:
        return self.scale.learned()

    def refitted(self, squared_residual: Point) -> "TruncatedNormal":
        del squared_residual
        return self

    def variance(self) -> Variance | None:
        """None: it depends on where the ends cut, and so on z."""
        return None

    def on_floor(self, variance: Variance) -> tuple[int, ...]:
        """Return the features whose s rests on its floor.

        Where s depends on z, the standard deviation stands in, which is smaller at an edge: down
        to 0.6 s.
        """
        known = self.scale.variance()
        varies = self.constants and self.constants.varies
        return self.scale.on_floor(variance if known is None else known, varies)


@compiled_soon
def _logit_of(scale: Scale, mean: Point) -> Point:
    """Raw numbers at which the noise of that scale has the mean; one program, kept."""
    start = jnp.broadcast_to(scale(jnp.zeros_like(mean)), mean.shape)
    return inverted(lambda eta: _TruncatedNormal(eta, start).mean, mean, -_FURTHEST, _FURTHEST)


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
        """Invert Φ on the side where q loses no digit, then take out the rounding by Newton."""
        low, high = self._ends
        mass = jnp.exp(self._log_mass)
        before, after = ndtr(low) + q * mass, ndtr(-high) + (1.0 - q) * mass
        t = jnp.where(before < after, ndtri(before), -ndtri(after))
        y = jnp.clip(self._loc + self.scale * t, 0.0, 1.0)
        for _ in range(2):
            step = (self.cdf(y) - q) * jnp.exp(-self.log_prob(y))
            y = jnp.clip(y - step, 0.0, 1.0)
        return y
