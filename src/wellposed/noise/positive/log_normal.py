"""Log-normal observation noise, for amounts above zero."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import ndtr, ndtri
from jaxtyping import Array
from numpyro.distributions import Distribution, constraints

from wellposed._typing import Point, PRNGKey
from wellposed.numerics import LOG_2PI, bounded_exp, log_from, log_normal_below

from ..parts.scale import Scale
from .amounts import AbstractAmount, Amounts


class LogNormal(AbstractAmount):
    r"""Independent log-normal amounts: errors are shares of the amount, not differences.

    .. math:: p(x \mid z) = \prod_j \frac{1}{x_j s_j \sqrt{2\pi}}
       \exp\Bigl(-\frac{(\log x_j - \mu_j(z))^2}{2 s_j^2}\Bigr), \qquad
       s_j = f_j + \mathrm{softplus}(\rho_j)

    In data units: no transform is needed, and no draw is zero or negative. Data of another unit,
    c·x, have log p lower by d log c. ``mean`` is :math:`e^{\mu + s^2/2}`.

    Parameters
    ----------
    variance : positive number, "shared", "feature" or "conditional"
        s², the variance of log x: given; or learned, one for all features, one each, or a
        function of z. One each by default, since columns in data units differ in scale.
    floor : None or number ≥ 0
        f, the smallest s; None takes resolution/√12 as a share of the largest amount, so that no
        amount is more precise than its rounding.

    Raises
    ------
    SettingError
        For a variance or a floor out of range.

    Notes
    -----
    log p(x|z) ≤ −Σ_j log(ℓ_j f_j √2π), with s in place of f where it is given, and ℓ_j the
    smaller of the resolution and the smallest amount of the data: the density of log x is at most
    1/(f √2π), and one of x is that over x. Below ℓ, the logarithm is replaced by its tangent
    (:func:`wellposed.numerics.log_from`), and the density integrates to one less the mass of the
    log-normal below ℓ/e.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> density = LogNormal(1.0)(jnp.zeros(2))
    >>> [round(float(v), 4) for v in density.mean]
    [1.6487, 1.6487]
    """

    scale: Scale
    data: Amounts | None

    def __init__(self, variance: float | str = "feature", *, floor: float | None = None):
        self.scale = Scale(variance, floor=floor)
        self.data = None

    def amounts(self, location: Point, scale: Point, least: Point) -> Distribution:
        return _LogNormal(location, scale, least)

    def center(self, data: Amounts) -> Point:
        return data.log_mean

    def log_peak_of(self, scale: np.ndarray) -> np.ndarray:
        return -np.log(scale) - 0.5 * LOG_2PI


class _LogNormal(Distribution):
    """A log-normal for each feature, batch shape (d,); numpyro's has no bound at zero."""

    support: Any = constraints.positive
    pytree_data_fields = ("loc", "scale", "least")

    def __init__(self, loc: Point, scale: Point, least: Point):
        self.loc, self.scale, self.least = loc, scale, least
        super().__init__(batch_shape=loc.shape)

    def log_prob(self, value: Point, intermediates: Any = None) -> Point:
        del intermediates
        t = (log_from(value, self.least) - self.loc) / self.scale
        log_slope = jnp.log(jnp.maximum(value, self.least))
        return -0.5 * (t**2 + LOG_2PI) - jnp.log(self.scale) - log_slope

    def sample(self, key: PRNGKey, sample_shape: tuple[int, ...] = ()) -> Array:
        drawn = jax.random.normal(key, self.shape(sample_shape), self.loc.dtype)
        return bounded_exp(self.loc + self.scale * drawn)

    @property
    def mean(self) -> Point:
        return bounded_exp(self.loc + 0.5 * self.scale**2)

    @property
    def variance(self) -> Point:
        """e^{2μ + s²}(e^{s²} − 1), its last factor by its logarithm: it overflows first."""
        squared = self.scale**2
        log_excess = squared + jnp.log(-jnp.expm1(-squared))
        return bounded_exp(2.0 * self.loc + squared + log_excess)

    def cdf(self, value: Point) -> Point:
        above = jnp.maximum(value, jnp.finfo(self.loc.dtype).tiny)
        return jnp.where(value > 0, ndtr((jnp.log(above) - self.loc) / self.scale), 0.0)

    def log_cdf(self, value: Point) -> Point:
        """log P(Y ≤ value), in nats."""
        return log_normal_below(self._log(value) - self.loc, self.scale)

    def log_sf(self, value: Point) -> Point:
        """log P(Y ≥ value), in nats."""
        return log_normal_below(self.loc - self._log(value), self.scale)

    def _log(self, value: Point) -> Point:
        return jnp.log(jnp.maximum(value, jnp.finfo(self.loc.dtype).tiny))

    def icdf(self, q: Point) -> Point:
        return bounded_exp(self.loc + self.scale * ndtri(q))
