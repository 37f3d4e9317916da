"""Noise on the real line made wider or narrower around its own mean, feature by feature."""

from typing import Any, Self

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array
from numpy.typing import ArrayLike

from wellposed._checks import check_numbers
from wellposed._errors import SettingError
from wellposed._fill import fill
from wellposed._typing import Density, Point, PRNGKey, Raw, Scalar, Variance
from wellposed.numerics import clip_finite
from wellposed.transforms import REALS

from ..parts.abstract import AbstractNoise
from ..parts.density import AbstractDensity
from ..parts.wrapped import AbstractWrapped


class Rescaled(AbstractWrapped):
    r"""A noise whose residuals are multiplied by a scale, one a feature, that is not learned.

    .. math:: p_s(y \mid z) = \frac{1}{\prod_j s_j}
       p\bigl(m(z) + (y - m(z))/s \mid z\bigr), \qquad m(z) = E_p[y \mid z]

    The mean stays, the variance is multiplied by s_j², and so is every covariance by s_i s_j.

    Parameters
    ----------
    noise : noise on the real line, initialised or not
    scale : positive number, or array of shape (d,)
        s. :func:`wellposed.evaluation.recalibrate` fits it to held-out data.

    Raises
    ------
    SettingError
        For noise off the real line, and for a scale that is not positive and finite.

    Notes
    -----
    log p_s(y|z) ≤ B − Σ_j log s_j, with B the bound of ``noise``.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from wellposed.noise import Gaussian
    >>> Rescaled(Gaussian(0.25), 2.0)(jnp.zeros(3)).variance.tolist()
    [1.0, 1.0, 1.0]
    """

    noise: AbstractNoise
    scale: Array  # () or (d,)

    def __init__(self, noise: AbstractNoise, scale: ArrayLike):
        if noise.limited:
            raise SettingError(
                "Limits stay where they are when noise is rescaled; got Rescaled(Censored(...)). "
                "Use Censored(Rescaled(noise, scale), ...)."
            )
        if noise.support != REALS:
            raise SettingError(
                f"Only noise on the real line can be rescaled; {type(noise).__name__} is on "
                f"{noise.support}, where a wider density would leave the support. Use its "
                'own parameters, or noise="feature", "conditional", Laplace or StudentT.'
            )
        values = check_numbers("scale", scale, "1 leaves the noise as it is.", above=0)
        self.noise = noise
        self.scale = jnp.asarray(values, jnp.result_type(float))

    @property
    def has_exact_refit(self) -> bool:
        return self.noise.has_exact_refit

    def __call__(self, raw: Raw) -> Density:
        density = self.noise(raw)
        # In the type of the data: a logarithm in a narrower one would lose digits of the density.
        scale = jnp.broadcast_to(self.scale.astype(raw.dtype), density.event_shape)
        return RescaledDensity(density, scale)

    def log_density_bound(self, d: int) -> float:
        log_scale = np.log(np.asarray(self.scale, np.float64))
        return self.noise.log_density_bound(d) - float(np.broadcast_to(log_scale, (d,)).sum())

    def refit(self, squared_residual: Point) -> Self:
        return fill(self, noise=self.noise.refit(squared_residual / self.scale**2))

    def start_at(self, variance: Point) -> Self:
        return fill(self, noise=self.noise.start_at(variance / self.scale**2))

    def variance(self) -> Variance | None:
        of_noise = self.noise.variance()
        return None if of_noise is None else self.scale**2 * of_noise

    def on_floor(self, variance: Variance) -> tuple[int, ...]:
        """Return the features whose noise, before it is rescaled, is at its floor."""
        return self.noise.on_floor(variance / self.scale**2)


class RescaledDensity(AbstractDensity):
    """A density whose residuals from its mean are multiplied by ``scale``, event shape (d,)."""

    pytree_data_fields = ("of", "scale")

    def __init__(self, of: Density, scale: Point):
        self.of, self.scale = of, scale
        super().__init__(batch_shape=(), event_shape=scale.shape)

    @property
    def independent(self) -> bool:
        return self.of.independent

    def feature_log_prob(self, value: Point) -> Point:
        return self.of.feature_log_prob(self._inner(value)) - jnp.log(self.scale)

    def log_prob(self, value: Point, intermediates: Any = None) -> Scalar:
        del intermediates
        return self.of.log_prob(self._inner(value)) - jnp.log(self.scale).sum()

    def sample(self, key: PRNGKey, sample_shape: tuple[int, ...] = ()) -> Array:
        return self._outer(self.of.sample(key, sample_shape))

    @property
    def mean(self) -> Point:
        return self.of.mean

    @property
    def variance(self) -> Point:
        return self.scale**2 * self.of.variance

    def cdf(self, value: Point) -> Point:
        """P(Y_j ≤ y_j | z) of each feature, shape (d,)."""
        return self.of.cdf(self._inner(value))

    @property
    def has_tails(self) -> np.ndarray:
        none = np.zeros(self.event_shape, bool)
        return self.of.has_tails if isinstance(self.of, AbstractDensity) else none

    def log_cdf(self, value: Point) -> Point:
        """log P(Y_j ≤ y_j | z) of each feature, shape (d,), in nats, exact in the tails."""
        of: Any = self.of
        return of.log_cdf(self._inner(value))

    def log_sf(self, value: Point) -> Point:
        """log P(Y_j ≥ y_j | z) of each feature, shape (d,), in nats, exact in the tails."""
        of: Any = self.of
        return of.log_sf(self._inner(value))

    def icdf(self, q: Point | Scalar) -> Point:
        """Quantile of each feature at probabilities q in (0, 1), shape (d,)."""
        return self._outer(self.of.icdf(q))

    def coupled(self, alpha: Scalar) -> Point:
        """Every feature at the quantile Φ(α) of its noise, shape (d,)."""
        return self._outer(self.of.coupled(alpha))

    def _inner(self, value: Array) -> Array:
        return clip_finite(self.of.mean + (value - self.of.mean) / self.scale)

    def _outer(self, value: Array) -> Array:
        return self.of.mean + self.scale * (value - self.of.mean)
