"""Beta observation noise, for data on [0, 1]."""

import dataclasses
import math
from typing import Any, Self

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import betainc
from jaxtyping import Array
from numpyro.distributions import Distribution, constraints

from wellposed._checks import check_number
from wellposed._fill import fill
from wellposed._typing import Point, PRNGKey
from wellposed.numerics import invert, stirling_excess
from wellposed.transforms import Moments

from ..parts.constants import Constants
from ..parts.scale import LEARNS, Scale
from ..parts.units import FeatureUnits
from .location import AbstractUnit


class Beta(AbstractUnit):
    r"""Independent Beta noise, by its mode m and its concentration κ about the mode.

    .. math:: p(y \mid z) = \prod_j \mathrm{Beta}(y_j \mid 1 + \kappa_j m_j,
       1 + \kappa_j (1 - m_j)), \qquad m_j = \mathrm{sigmoid}(\eta_j(z)), \quad
       1/\kappa_j = f_j + \mathrm{softplus}(\rho_j)

    Every m in [0, 1] is possible with every κ ≥ 0, and these are all shapes a, b ≥ 1, for which
    the density is finite at both ends. (By its mean, the smallest concentration would depend on
    the mean.) At an end, 1/κ is the width of an edge, approximately exponential, and no
    measurement is sharper than f.

    Parameters
    ----------
    concentration : positive number, "shared", "feature" or "conditional"
        κ = a + b − 2: given; or learned, one for all features, one each, or a function of z.
    floor : None or number ≥ 0
        f, the smallest 1/κ; None takes resolution/√12 of the data.

    Raises
    ------
    SettingError
        For a concentration or a floor out of range.

    Notes
    -----
    log p(y|z) ≤ Σ_j log(1 + 1/f_j), with κ in place of 1/f where it is given: with s of
    :func:`wellposed.numerics.stirling_excess`, log p = log(1 + κ) + s(κ) − s(κm) − s(κ(1 − m))
    − κ KL(m ‖ y), and a concave s with s(0) = 0 is subadditive. The bound is the density at an
    end with the mode there; inside, the smallest standard deviation is some √(m(1 − m) f).

    With a mode inside, the density at the ends is zero: at 0 and 1 it is taken one rounding step
    of a number near one inwards, where its logarithm is finite.

    References: Loaiza-Ganem & Cunningham (2019), on Beta decoders.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> density = Beta(8.0)(jnp.zeros(2))  # the mode ½ with κ = 8: Beta(5, 5)
    >>> [round(float(v), 4) for v in (*density.mean, *density.variance)]
    [0.5, 0.5, 0.0227, 0.0227]
    """

    width: Scale  # 1/κ
    logit: Array | None  # (d,), of the mode at raw zero
    centred: FeatureUnits | None
    constants: Constants | None

    def __init__(self, concentration: float | str = "shared", *, floor: float | None = None):
        if not isinstance(concentration, str):
            concentration = check_number("concentration", concentration, LEARNS, above=0) ** -2
        self.width = Scale(concentration, floor=floor)
        self.logit = self.centred = self.constants = None

    @property
    def scale(self) -> Scale:
        """1/κ."""
        return self.width

    def initialise(self, moments: Moments, *, key: PRNGKey | None = None) -> Self:
        """Start with the data's mean, and half their standard deviation where both are possible."""
        del key
        width = self.width.initialise(_as_widths(moments))
        return fill(self, width=width, **self.start(width, moments))

    def law(self, logit: Point, scale: Array) -> Distribution:
        return _Beta(logit, jnp.broadcast_to(1.0 / scale, logit.shape))

    def log_density_bound(self, d: int) -> float:
        least = self.scale.least(d)
        return float(np.log1p(1.0 / least).sum()) if (least > 0).all() else math.inf


def _as_widths(moments: Moments) -> Moments:
    """Moments whose variance makes :class:`Scale` start at the width of the data.

    var = μ(1 − μ)/(κ + 3) is set to a quarter of the data's, which needs κ ≥ 1. Shapes of one or
    more have no mean as near to an end as μ unless κ > 1/μ − 2.
    """
    mean = np.clip(np.asarray(moments.mean, np.float64), 1e-6, 1.0 - 1e-6)
    spread = np.maximum(moments.variance, 1e-12)
    by_variance = 4.0 * mean * (1.0 - mean) / spread - 3.0
    by_mean = 1.25 * (1.0 / np.minimum(mean, 1.0 - mean) - 2.0)
    variance: Any = (2.0 / np.maximum(by_variance, by_mean)) ** 2
    return dataclasses.replace(moments, variance=variance)


class _Beta(Distribution):
    """A Beta for each feature by the logit of its mode and its concentration, batch shape (d,).

    numpyro's is −∞ at 0 and 1, and its log Γ of large shapes cancel.
    """

    support: Any = constraints.unit_interval
    pytree_data_fields = ("eta", "kappa")

    def __init__(self, eta: Point, kappa: Point):
        self.eta, self.kappa = eta, kappa
        super().__init__(batch_shape=eta.shape)

    @property
    def _shapes(self) -> tuple[Point, Point]:
        """The shapes a and b."""
        return (
            1.0 + self.kappa * jax.nn.sigmoid(self.eta),
            1.0 + self.kappa * jax.nn.sigmoid(-self.eta),
        )

    def log_prob(self, value: Point, intermediates: Any = None) -> Point:
        del intermediates
        least = jnp.finfo(self.eta.dtype).eps
        log_peak = jnp.log1p(self.kappa) + stirling_excess(self.kappa)
        divergence = jnp.zeros(())
        for eta, part in ((self.eta, value), (-self.eta, 1.0 - value)):
            share, log_share = jax.nn.sigmoid(eta), jax.nn.log_sigmoid(eta)
            log_peak -= stirling_excess(self.kappa * share)
            divergence += share * (log_share - jnp.log(jnp.clip(part, least, 1.0)))
        return log_peak - self.kappa * jnp.maximum(divergence, 0.0)

    def sample(self, key: PRNGKey, sample_shape: tuple[int, ...] = ()) -> Array:
        return jax.random.beta(key, *self._shapes, self.shape(sample_shape))

    @property
    def mean(self) -> Point:
        return self._shapes[0] / (2.0 + self.kappa)

    @property
    def variance(self) -> Point:
        a, b = self._shapes
        return (a / (a + b)) * (b / (a + b)) / (a + b + 1.0)

    def cdf(self, value: Point) -> Point:
        return betainc(*self._shapes, jnp.clip(value, 0.0, 1.0))

    def icdf(self, q: Point) -> Point:
        return invert(self.cdf, q, 0.0, 1.0)
