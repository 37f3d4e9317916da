"""Beta observation noise, for data on [0, 1]."""

import dataclasses
import math
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import betainc
from jaxtyping import Array
from numpyro.distributions import Distribution, constraints

from wellposed._checks import check_number
from wellposed._compiled import compiled_soon
from wellposed._typing import Density, Fitted, Leaves, Point, PRNGKey, Raw, Variance
from wellposed.numerics import inverted, on_device, stirling_excess
from wellposed.transforms import UNIT, Moments, Support

from ..parts.abstract import AbstractNoise
from ..parts.centred import Centred
from ..parts.constants import Constants, pinned
from ..parts.features import Features
from ..parts.scale import LEARNS, Scale

# Modes start within (0.001, 0.999): nearer to an end the sigmoid has no slope to leave by.
_FURTHEST = 7.0


class Beta(AbstractNoise):
    r"""Independent Beta noise, by its mode m and its concentration κ about the mode.

    .. math:: p(y \mid z) = \prod_j \mathrm{Beta}(y_j \mid 1 + \kappa_j m_j,
       1 + \kappa_j (1 - m_j)), \qquad m_j = \mathrm{sigmoid}(\eta_j(z)), \quad
       1/\kappa_j = f_j + \mathrm{softplus}(\rho_j)

    Every m in [0, 1] goes with every κ ≥ 0, and these are all shapes a, b ≥ 1: no end is
    infinite. (By its mean, the smallest concentration would depend on the mean.) At an end, 1/κ
    is the width of an edge, near enough exponential, that no measurement shows sharper than f.

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
    """

    width: Scale  # 1/κ
    logit: Fitted  # (d,), of the mode at raw zero
    centred: Centred | None
    constants: Constants | None

    def __init__(self, concentration: float | str = "shared", *, floor: float | None = None):
        if not isinstance(concentration, str):
            concentration = check_number("concentration", concentration, LEARNS, above=0) ** -2
        self.width = Scale(concentration, floor=floor)
        self.logit = self.centred = self.constants = None

    @property
    def n_raw(self) -> int:
        return 1 + self.width.n_raw

    @property
    def support(self) -> Support:
        return UNIT

    @property
    def solved_by_squares(self) -> bool:
        return False

    def initialise(self, moments: Moments, *, key: PRNGKey | None = None) -> "Beta":
        """Start with the data's mean, and half their standard deviation where both can be had."""
        del key
        width = self.width.initialise(_as_widths(moments))
        logit = _logit_of(width, on_device(moments.mean))
        return eqx.tree_at(
            lambda n: (n.width, n.logit, n.centred, n.constants),
            self,
            (width, logit, Centred.of(moments), Constants.of(moments)),
            is_leaf=lambda leaf: leaf is None,
        )

    def __call__(self, raw: Raw) -> Density:
        d = raw.shape[0] // self.n_raw
        width = self.width(raw[d:])
        eta = raw[:d] if self.logit is None else raw[:d] + self.logit
        constants = self.constants and self.width.for_constants(self.constants, width)
        each = _Beta(eta, jnp.broadcast_to(1.0 / width, eta.shape))
        return Features(pinned(each, constants))

    def presented(self, y: Point) -> Point:
        return y if self.centred is None else self.centred(y)

    def log_density_bound(self, d: int) -> float:
        least = self.width.least(d)
        return float(np.log1p(1.0 / least).sum()) if (least > 0).all() else math.inf

    def learned(self) -> Leaves:
        return self.width.learned()

    def refitted(self, squared_residual: Point) -> "Beta":
        del squared_residual
        return self

    def variance(self) -> Variance | None:
        """None: a Beta's variance depends on its mode, and so on z."""
        return None

    def on_floor(self, variance: Variance) -> tuple[int, ...]:
        """Return the features whose 1/κ rests on its floor.

        Where κ depends on z, the standard deviation stands in, which is 1/κ at an edge and larger
        inside.
        """
        known = self.width.variance()
        varies = self.constants and self.constants.varies
        return self.width.on_floor(variance if known is None else known, varies)


@compiled_soon
def _logit_of(width: Scale, mean: Point) -> Point:
    """Raw numbers at which the noise of that width has the mean; one program, kept."""
    start = 1.0 / jnp.broadcast_to(width(jnp.zeros_like(mean)), mean.shape)
    return inverted(lambda eta: _Beta(eta, start).mean, mean, -_FURTHEST, _FURTHEST)


def _as_widths(moments: Moments) -> Moments:
    """Moments whose variance makes :class:`Scale` start at the width that the data call for.

    var = μ(1 − μ)/(κ + 3), set to a quarter of the data's, asks for κ ≥ 1. Shapes of one or more
    have no mean as near to an end as μ unless κ > 1/μ − 2.
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
        return inverted(self.cdf, q, 0.0, 1.0)
