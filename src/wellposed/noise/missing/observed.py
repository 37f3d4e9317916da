"""The density of the observed entries of a datum: all others are integrated out."""

import abc
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array

from wellposed._typing import Density, Point, PRNGKey, Scalar

from ..parts.density import AbstractDensity, pearson_residuals


class AbstractObserved(AbstractDensity):
    """A density of observed entries, event shape (d,), where missing entries of y are NaN.

    Draws, moments and quantiles are those of whole data. In ``cdf`` a missing entry counts as NaN.

    A subclass has the fields ``of``, the density of whole data, and ``typical``, a datum inside
    its support, and defines ``log_prob`` and the methods without a body.
    """

    of: Density
    typical: Point

    @abc.abstractmethod
    def conditional_mean(self, value: Point) -> Point:
        """E[y | what is known of y, z], shape (d,): observed entries as they are."""

    @abc.abstractmethod
    def complete(self, value: Point, *, key: PRNGKey) -> Point:
        """Draw y given what is known of it and z, shape (d,): observed entries as they are."""

    def sample(self, key: PRNGKey, sample_shape: tuple[int, ...] = ()) -> Array:
        return self.of.sample(key, sample_shape)

    @property
    def mean(self) -> Point:
        return self.of.mean

    @property
    def central(self) -> Point:
        """That of whole data, (d,)."""
        return self.of.central if isinstance(self.of, AbstractDensity) else self.of.mean

    @property
    def variance(self) -> Point:
        return self.of.variance

    def pearson_residuals(self, value: Point) -> Point:
        """Those of whole data; NaN where y_j is missing."""
        return pearson_residuals(self.of, value)

    def cdf(self, value: Point) -> Point:
        """P(Y_j ≤ y_j | z) of each feature, shape (d,); NaN where y_j is missing."""
        inside, seen = self._inside(value)
        return jnp.where(seen, self.of.cdf(inside), jnp.nan)

    def icdf(self, q: Point | Scalar) -> Point:
        """Quantile of each feature at probabilities q in (0, 1), shape (d,)."""
        return self.of.icdf(q)

    def coupled(self, alpha: Scalar) -> Point:
        """Every feature at the quantile Φ(α) of its noise, shape (d,)."""
        return self.of.coupled(alpha)

    def _inside(self, value: Point) -> tuple[Point, Array]:
        """The datum with typical values where entries are missing, and which are observed.

        A gradient through NaN is NaN even where another branch is selected, so no NaN goes in.
        """
        seen = ~jnp.isnan(value)
        return jnp.where(seen, value, self.typical), seen


class Observed(AbstractObserved):
    r"""p(y_obs | z) = ∫ p(y | z) dy_mis, event shape (d,), where missing entries of y are NaN.

    Draws, moments and quantiles are those of whole data. In ``feature_log_prob`` and ``cdf`` a
    missing entry counts as zero and as NaN.

    Parameters
    ----------
    of : density p(y | z) of whole data, independent or with ``observed_log_prob``
    typical : array of shape (d,), a datum inside the support of ``of``

    Examples
    --------
    >>> from wellposed.noise import Gaussian
    >>> whole = Gaussian(1.0)(jnp.zeros(2))
    >>> round(float(Observed(whole, jnp.zeros(2)).log_prob(jnp.array([0.0, jnp.nan]))), 4)
    -0.9189
    """

    pytree_data_fields = ("of", "typical")

    def __init__(self, of: Density, typical: Point):
        self.of, self.typical = of, typical
        super().__init__(batch_shape=(), event_shape=of.event_shape)

    @property
    def independent(self) -> bool:
        return self.of.independent

    def log_prob(self, value: Point, intermediates: Any = None) -> Scalar:
        del intermediates
        if self.of.independent:
            return self.feature_log_prob(value).sum()
        inside, seen = self._inside(value)
        density: Any = self.of
        return density.observed_log_prob(inside, seen)

    def feature_log_prob(self, value: Point) -> Point:
        inside, seen = self._inside(value)
        return jnp.where(seen, self.of.feature_log_prob(inside), 0.0)

    def conditional_mean(self, value: Point) -> Point:
        """E[y | y_obs, z], shape (d,): observed entries as they are."""
        inside, seen = self._inside(value)
        if self.of.independent:
            return jnp.where(seen, inside, self.of.mean)
        density: Any = self.of
        return density.conditional_mean(inside, seen)

    def complete(self, value: Point, *, key: PRNGKey) -> Point:
        """Draw y ~ p(y | y_obs, z), shape (d,): observed entries as they are."""
        inside, seen = self._inside(value)
        if self.of.independent:
            return jnp.where(seen, inside, self.of.sample(key))
        density: Any = self.of
        return density.complete(inside, seen, key=key)
