"""Continuous Bernoulli observation noise, for data on [0, 1]."""

import math
from typing import Any, Self

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array
from numpyro.distributions import Distribution, constraints

from wellposed._checks import check_number
from wellposed._compiled import compiled_soon
from wellposed._fill import fill
from wellposed._typing import Density, Inputs, Point, PRNGKey, Raw
from wellposed.numerics import bounded, invert, on_device, scalar
from wellposed.transforms import UNIT, Moments, Support

from ..parts.abstract import AbstractNoise
from ..parts.constants import Constants
from ..parts.features import Features
from ..parts.scale import LEAST
from ..parts.units import FeatureUnits

# Below this |η| the closed forms subtract 1/η from a number like it, and series take over.
_NEAR = 0.5

# Coefficients of η², η⁴, … in log[(η/2)/sinh(η/2)]; its derivatives give mean and variance.
_SERIES = (-1 / 24, 1 / 2880, -1 / 181440, 1 / 9676800, -1 / 479001600)


class ContinuousBernoulli(AbstractNoise):
    r"""Independent continuous Bernoulli noise: an exponential cut off at 0 and 1.

    .. math:: p(y \mid z) = \prod_j \frac{\eta_j e^{\eta_j y_j}}{e^{\eta_j} - 1}
       = \prod_j C(\lambda_j) \lambda_j^{y_j} (1 - \lambda_j)^{1 - y_j}, \qquad
       \eta_j = \log\frac{\lambda_j}{1 - \lambda_j}

    One parameter a feature: nothing to learn beside the decoder, and no variance of its own.

    Parameters
    ----------
    floor : None or number ≥ 0
        f, the smallest width 1/|η| of the edge; None takes resolution/√12 of the data.

    Raises
    ------
    SettingError
        For a negative floor.

    Notes
    -----
    |η| < 1/f by a smooth cap, and log p(y|z) ≤ −Σ_j log[f_j (1 − e^{−1/f_j})], the density at the
    end that is favoured: η/(1 − e^{−η}) rises with η. Uncapped, it grows without end at exact
    zeros and ones.

    References: Loaiza-Ganem & Cunningham (2019), eqs. 6-8.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> density = ContinuousBernoulli()(jnp.zeros(2))  # η = 0 is the uniform law
    >>> [round(float(v), 4) for v in (*density.mean, density.log_prob(jnp.array([0.1, 0.9])))]
    [0.5, 0.5, 0.0]
    """

    given_floor: Array | None  # ()
    floor: Array | None  # (d,)
    eta: Array | None  # (d,), η before the cap at raw zero
    centred: FeatureUnits | None
    constants: Constants | None

    def __init__(self, *, floor: float | None = None):
        if floor is not None:
            remedy = "It is a width on [0, 1]; leave it out to take it from the data's resolution."
            floor = check_number("floor", floor, remedy, low=0)
        self.given_floor = None if floor is None else scalar(floor)
        self.floor = self.eta = self.centred = self.constants = None

    @property
    def n_raw(self) -> int:
        return 1

    @property
    def support(self) -> Support:
        return UNIT

    def initialise(self, moments: Moments, *, key: PRNGKey | None = None) -> Self:
        """Start with the data's mean."""
        del key
        given = self.given_floor
        floor = moments.resolution / math.sqrt(12.0) if given is None else given
        floor = on_device(np.broadcast_to(floor, moments.mean.shape))
        return fill(
            self,
            floor=floor,
            eta=_eta_of(floor, on_device(moments.mean)),
            centred=FeatureUnits.of(moments),
            constants=Constants.of(moments),
        )

    def __call__(self, raw: Raw) -> Density:
        if self.floor is None or self.eta is None:
            return Features(_ContinuousBernoulli(raw))
        law = _ContinuousBernoulli(bounded(raw + self.eta, 1.0 / self.floor))
        floor = jnp.maximum(self.floor, LEAST)
        return Features(law, self.constants and self.constants.real(floor, floor))

    def encoder_input(self, y: Point) -> Inputs:
        return y if self.centred is None else self.centred(y)

    def log_density_bound(self, d: int) -> float:
        floor = np.zeros(d) if self.floor is None else np.asarray(self.floor, np.float64)
        if not (floor > 0).all():
            return math.inf
        return -float(np.log(-floor * np.expm1(-1.0 / floor)).sum())


@compiled_soon
def _eta_of(floor: Point, mean: Point) -> Point:
    """Raw numbers at which the noise has the mean; one program, kept."""
    furthest = jnp.minimum(1.0 / floor, 1e4)
    return invert(
        lambda raw: _ContinuousBernoulli(bounded(raw, 1.0 / floor)).mean, mean, -furthest, furthest
    )


class _ContinuousBernoulli(Distribution):
    """η e^{ηy}/(e^η − 1) on [0, 1] for each feature, batch shape (d,).

    Written by the distance u from the end that η favours, e^{−|η|u} |η|/(1 − e^{−|η|}), in which
    nothing overflows and nothing cancels.
    """

    support: Any = constraints.unit_interval
    pytree_data_fields = ("eta",)

    def __init__(self, eta: Point):
        self.eta = eta
        super().__init__(batch_shape=eta.shape)

    @property
    def _rate(self) -> Point:
        """|η|, with slope one at zero."""
        return jnp.where(self.eta >= 0, self.eta, -self.eta)

    def _mirrored(self, value: Array) -> Array:
        """Distance of a value, or a probability, from the end that is favoured."""
        return jnp.where(self.eta >= 0, 1.0 - value, value)

    def _near(self, order: int) -> Point:
        """Derivative of an order of log[(η/2)/sinh(η/2)], by its series."""
        eta = jnp.where(jnp.abs(self.eta) < _NEAR, self.eta, 0.0)
        series = np.zeros(2 * len(_SERIES) + 1)
        series[2::2] = _SERIES
        coefficients = np.polynomial.Polynomial(series).deriv(order).coef
        return jnp.polyval(jnp.asarray(coefficients[::-1], eta.dtype), eta)

    def _chosen(self, near: Point, far: Point) -> Point:
        return jnp.where(jnp.abs(self.eta) < _NEAR, near, far)

    @property
    def _far_eta(self) -> Point:
        return jnp.where(jnp.abs(self.eta) < _NEAR, 1.0, self.eta)

    def log_prob(self, value: Point, intermediates: Any = None) -> Point:
        del intermediates
        far = jnp.abs(self._far_eta)
        log_end = self._chosen(
            self._near(0) + 0.5 * self._rate, jnp.log(far) - jnp.log(-jnp.expm1(-far))
        )
        return log_end - self._rate * self._mirrored(value)

    def sample(self, key: PRNGKey, sample_shape: tuple[int, ...] = ()) -> Array:
        return self.icdf(jax.random.uniform(key, self.shape(sample_shape)))

    @property
    def mean(self) -> Point:
        """½ + ½ coth(η/2) − 1/η."""
        eta = self._far_eta
        return 0.5 + self._chosen(-self._near(1), 0.5 / jnp.tanh(0.5 * eta) - 1.0 / eta)

    @property
    def variance(self) -> Point:
        """1/η² − 1/(4 sinh²(η/2))."""
        eta = self._far_eta
        return self._chosen(-self._near(2), eta**-2.0 - (2.0 * jnp.sinh(0.5 * eta)) ** -2.0)

    def cdf(self, value: Point) -> Point:
        rate = jnp.maximum(self._rate, 1e-20)
        u = self._mirrored(jnp.clip(value, 0.0, 1.0))
        return self._mirrored(jnp.expm1(-rate * u) / jnp.expm1(-rate))

    def icdf(self, q: Point) -> Point:
        rate = jnp.maximum(self._rate, 1e-20)
        u = -jnp.log1p(self._mirrored(q) * jnp.expm1(-rate)) / rate
        return self._mirrored(jnp.clip(u, 0.0, 1.0))
