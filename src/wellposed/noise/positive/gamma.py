"""Gamma observation noise, for amounts above zero."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import gammainc, ndtr
from jaxtyping import Array
from numpyro.distributions import Distribution, constraints
from scipy.special import gammaln

from wellposed._checks import check_number
from wellposed._typing import Point, PRNGKey
from wellposed.numerics import bounded_exp, invert, log_from, stirling_excess

from ..parts.scale import LEARNS, Scale
from .amounts import AbstractAmount, Amounts

_MANY = 200.0  # shapes from which quantiles are those of a saddlepoint, and draws a cubed normal's
_LARGEST_EXPONENT = 40.0  # of a x/m, so that it and its gradients are numbers in float32


class Gamma(AbstractAmount):
    r"""Independent gamma amounts, by their mean m and their shape a.

    .. math:: p(x \mid z) = \prod_j \frac{1}{x_j \Gamma(a_j)}
       \Bigl(\frac{a_j x_j}{m_j(z)}\Bigr)^{a_j} e^{-a_j x_j/m_j(z)}, \qquad
       a_j^{-1/2} = f_j + \mathrm{softplus}(\rho_j)

    1/√a is the standard deviation as a share of the mean, so errors grow with the amount; unlike
    the log-normal's, the upper tail is exponential. In data units: no transform is needed, and no
    draw is zero or negative.

    Parameters
    ----------
    shape : positive number, "shared", "feature" or "conditional"
        a: given; or learned, one for all features, one each, or a function of z. One each by
        default, since columns in data units differ in scale.
    floor : None or number ≥ 0
        f, the smallest 1/√a; None takes resolution/√12 as a share of the largest amount.

    Raises
    ------
    SettingError
        For a shape or a floor out of range.

    Notes
    -----
    log p(x|z) ≤ Σ_j [log A_j − s(A_j) − log ℓ_j], with A = 1/f², or the shape given, s of
    :func:`wellposed.numerics.stirling_excess`, and ℓ_j the smaller of the resolution and the
    smallest amount of the data: log x p(x) = log a − s(a) − a (r − 1 − log r) with r = x/m is
    highest at r = 1, and there rises with a. Below ℓ, the logarithm is that of :class:`LogNormal`.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> density = Gamma(4.0)(jnp.zeros(2))
    >>> density.mean.tolist(), density.variance.tolist()
    ([1.0, 1.0], [0.25, 0.25])
    """

    scale: Scale  # 1/√a
    data: Amounts | None

    def __init__(self, shape: float | str = "feature", *, floor: float | None = None):
        if not isinstance(shape, str):
            shape = 1.0 / check_number("shape", shape, LEARNS, above=0)
        self.scale = Scale(shape, floor=floor)
        self.data = None

    def amounts(self, location: Point, scale: Point, least: Point) -> Distribution:
        return _Gamma(location, 1.0 / scale**2, least)

    def center(self, data: Amounts) -> Point:
        return jnp.log(data.mean)

    def log_peak_of(self, scale: np.ndarray) -> np.ndarray:
        shape = 1.0 / scale**2
        log_peak = shape * np.log(shape) - shape - gammaln(shape)
        # The plain formula has no digits left for many; its limit is ½ log(a/2π).
        many = 0.5 * np.log(shape / (2.0 * np.pi))
        return np.where(shape > 1e6, many, log_peak)


class _Gamma(Distribution):
    """A gamma for each feature by the log of its mean and its shape, batch shape (d,).

    numpyro's is a difference of large log Γ for many, and infinite at zero for few.
    """

    support: Any = constraints.positive
    pytree_data_fields = ("log_mean", "shape_", "least")

    def __init__(self, log_mean: Point, shape: Point, least: Point):
        self.log_mean, self.shape_, self.least = log_mean, shape, least
        super().__init__(batch_shape=log_mean.shape)

    def log_prob(self, value: Point, intermediates: Any = None) -> Point:
        del intermediates
        shape = self.shape_
        ratio = log_from(value, self.least) - self.log_mean  # log x/m
        # Kept where a x/m is a number: the score of an amount beyond is as low, and finite.
        ratio = jnp.minimum(ratio, _LARGEST_EXPONENT - jnp.log(jnp.maximum(shape, 1.0)))
        log_peak = jnp.log(shape) - stirling_excess(shape)
        return log_peak - shape * _excess(ratio) - jnp.log(jnp.maximum(value, self.least))

    def sample(self, key: PRNGKey, sample_shape: tuple[int, ...] = ()) -> Array:
        few_key, many_key = jax.random.split(key)
        full, shape = self.shape(sample_shape), self.shape_
        few = jnp.minimum(shape, _MANY)
        log_few = jax.random.loggamma(few_key, few, full) - jnp.log(few)
        many = jnp.maximum(shape, _MANY)
        normal = jax.random.normal(many_key, full, shape.dtype)
        log_many = 3.0 * jnp.log1p(normal / (3.0 * jnp.sqrt(many)) - 1.0 / (9.0 * many))
        return bounded_exp(self.log_mean + jnp.where(shape < _MANY, log_few, log_many))

    @property
    def mean(self) -> Point:
        return bounded_exp(self.log_mean)

    @property
    def variance(self) -> Point:
        return bounded_exp(2.0 * self.log_mean - jnp.log(self.shape_))

    def cdf(self, value: Point) -> Point:
        above = jnp.maximum(value, jnp.finfo(self.log_mean.dtype).tiny)
        return jnp.where(value > 0, self._reached(jnp.log(above) - self.log_mean), 0.0)

    def icdf(self, q: Point) -> Point:
        reach = 8.0 / jnp.sqrt(self.shape_) + 40.0 / self.shape_  # of log x/m, where the mass is
        low = jnp.maximum(-reach, jnp.log(jnp.finfo(reach.dtype).tiny))
        q = jnp.broadcast_to(q, self.batch_shape)
        return bounded_exp(self.log_mean + _between(self._reached, q, low, jnp.log1p(reach)))

    def _reached(self, ratio: Array) -> Array:
        """P(log X/m ≤ ratio): incomplete gamma functions of many are slow, and off in float32."""
        few, many = jnp.minimum(self.shape_, _MANY), jnp.maximum(self.shape_, _MANY)
        exact = gammainc(few, few * bounded_exp(jnp.minimum(ratio, 40.0)))
        return jnp.where(self.shape_ < _MANY, exact, _saddlepoint(ratio, many))


def _excess(u: Array) -> Array:
    """e^u − 1 − u, whose digits are lost near zero."""
    near = jnp.where(jnp.abs(u) < 0.1, u, 0.0)
    series = near**2 * (1 / 2 + near * (1 / 6 + near * (1 / 24 + near * (1 / 120 + near / 720))))
    far = jnp.where(jnp.abs(u) < 0.1, 1.0, u)
    return jnp.where(jnp.abs(u) < 0.1, series, jnp.expm1(far) - far)


def _saddlepoint(ratio: Array, shape: Array) -> Array:
    """Distribution function of log x/m at many degrees: Lugannani & Rice (1980), as Φ(r*)."""
    root = jnp.sqrt(shape)
    u = jnp.clip(ratio, -40.0, 40.0)
    near = jnp.abs(u) < 1e-2
    safe = jnp.where(near, 1.0, u)
    w = jnp.sign(safe) * jnp.sqrt(2.0 * _excess(safe))
    far_star = root * w + jnp.log(jnp.expm1(safe) / w) / (root * w)
    small = jnp.where(near, u, 0.0)
    # w = u (1 + u/6 + u²/72) and log(v/w)/w = ⅓ + u/36, to a millionth.
    w_near = small * (1.0 + small / 6.0 + small**2 / 72.0)
    near_star = root * w_near + (1.0 / 3.0 + small / 36.0) / root
    return ndtr(jnp.where(near, near_star, far_star))


def _between(increasing: Any, value: Array, low: Array, high: Array) -> Array:
    """Solve increasing(x) = value for x between ends that differ by feature."""
    share = invert(lambda t: increasing(low + t * (high - low)), value, 0.0, 1.0)
    return low + share * (high - low)
