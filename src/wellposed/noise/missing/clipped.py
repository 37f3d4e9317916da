"""The density of a datum whose values beyond limits are recorded at the limits."""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array

from wellposed._typing import Point, PRNGKey, Scalar

from ..parts.density import AbstractDensity
from .limits import End


class Clipped(AbstractDensity):
    """p of recorded values min(max(X, low), high), event shape (d,).

    Mean and variance are those of X, and so is ``central``.

    Parameters
    ----------
    of : density of X, of independent features
    low, high : limits in model units; None where no feature has one on that side
    """

    pytree_data_fields = ("of", "low", "high")

    def __init__(self, of: AbstractDensity, low: End | None, high: End | None):
        self.of, self.low, self.high = of, low, high
        super().__init__(batch_shape=(), event_shape=of.event_shape)

    @property
    def independent(self) -> bool:
        return True

    def log_prob(self, value: Point, intermediates: Any = None) -> Scalar:
        del intermediates
        return self.feature_log_prob(value).sum()

    def feature_log_prob(self, value: Point) -> Point:
        """Log density of each feature, and log probability of those at a limit, shape (d,)."""
        each = self.of.feature_log_prob(value)
        # Where a feature has no limit its tail is not used: that of its value is a number.
        if self.low is not None:
            below = self.of.log_cdf(jnp.where(self.low.exists, self.low.value, value))
            each = jnp.where(self.low.reached_from_above(value), below, each)
        if self.high is not None:
            above = self.of.log_sf(jnp.where(self.high.exists, self.high.value, value))
            each = jnp.where(self.high.reached_from_below(value), above, each)
        return each

    def sample(self, key: PRNGKey, sample_shape: tuple[int, ...] = ()) -> Array:
        of: Any = self.of
        return self._recorded(of.sample(key, sample_shape))

    @property
    def mean(self) -> Point:
        return self.of.mean

    @property
    def central(self) -> Point:
        """That of values themselves, (d,)."""
        return self.of.central

    @property
    def variance(self) -> Point:
        return self.of.variance

    def cdf(self, value: Point) -> Point:
        """P(recorded Y_j ≤ y_j | z) of each feature, shape (d,): a step at each limit."""
        of: Any = self.of
        reached = of.cdf(value)
        if self.low is not None:
            below = value < self.low.value - self.low.slack
            reached = jnp.where(self.low.exists & below, 0.0, reached)
        if self.high is not None:
            reached = jnp.where(self.high.reached_from_below(value), 1.0, reached)
        return reached

    def icdf(self, q: Point | Scalar) -> Point:
        """Quantile of each recorded feature at probabilities q in (0, 1), shape (d,)."""
        of: Any = self.of
        return self._recorded(of.icdf(q))

    def coupled(self, alpha: Scalar) -> Point:
        """Every recorded feature at the quantile Φ(α) of its noise, shape (d,)."""
        return self._recorded(self.of.coupled(alpha))

    def _recorded(self, value: Array) -> Array:
        if self.low is not None:
            raised = jnp.maximum(value, self.low.value)
            value = jnp.where(self.low.exists, raised, value)
        if self.high is not None:
            lowered = jnp.minimum(value, self.high.value)
            value = jnp.where(self.high.exists, lowered, value)
        return value
