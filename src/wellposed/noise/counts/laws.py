"""Poisson and negative binomial probabilities that are exact in float32, with quantiles."""

import abc
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array
from numpyro import distributions
from numpyro.distributions import Distribution, constraints

from wellposed._typing import Point, PRNGKey
from wellposed.numerics import finite_count

from .log_probability import log_negative_binomial, log_poisson

# Counts stay below 2²⁴, up to which float32 represents every whole number.
_DOUBLINGS = 24


class AbstractCountLaw(Distribution):
    """A law of numpyro on whole numbers, by the log of its mean; batch shape (d,)."""

    support: Any = constraints.nonnegative_integer
    log_mean: Point

    @property
    @abc.abstractmethod
    def _of(self) -> Any:
        """The law of numpyro."""

    @abc.abstractmethod
    def _log_probability(self, value: Point) -> Point:
        """log P of each count, to within rounding, for finite counts."""

    def log_prob(self, value: Point, intermediates: Any = None) -> Point:
        del intermediates
        value = finite_count(jnp.asarray(value, self.log_mean.dtype))
        return jnp.minimum(self._log_probability(value), 0.0)

    def sample(self, key: PRNGKey, sample_shape: tuple[int, ...] = ()) -> Array:
        return self._of.sample(key, sample_shape).astype(self.log_mean.dtype)

    @property
    def mean(self) -> Point:
        return jnp.exp(self.log_mean)

    def cdf(self, value: Point) -> Point:
        reached = jnp.maximum(jnp.floor(value), 0.0)
        return jnp.where(value < 0, 0.0, self._of.cdf(reached))

    def icdf(self, q: Point) -> Point:
        return quantile_of_counts(self.cdf, q)


class StablePoisson(AbstractCountLaw):
    """numpyro's Poisson, by the log of its mean; batch shape (d,)."""

    pytree_data_fields = ("log_mean",)

    def __init__(self, log_mean: Point):
        self.log_mean = log_mean
        super().__init__(batch_shape=log_mean.shape)

    @property
    def _of(self) -> Any:
        return distributions.Poisson(self.mean)

    def _log_probability(self, value: Point) -> Point:
        return log_poisson(value, self.log_mean)

    @property
    def variance(self) -> Point:
        return self.mean


class StableNegativeBinomial(AbstractCountLaw):
    """numpyro's gamma-Poisson of mean m and variance m + m²/r; batch shape (d,)."""

    pytree_data_fields = ("log_mean", "concentration")

    def __init__(self, log_mean: Point, concentration: Array):
        self.log_mean = log_mean
        self.concentration = jnp.broadcast_to(concentration, log_mean.shape)
        super().__init__(batch_shape=log_mean.shape)

    @property
    def _of(self) -> Any:
        rate = jnp.exp(jnp.log(self.concentration) - self.log_mean)
        return distributions.GammaPoisson(self.concentration, rate)

    def _log_probability(self, value: Point) -> Point:
        return log_negative_binomial(value, self.log_mean, self.concentration)

    @property
    def variance(self) -> Point:
        return self.mean + self.mean * (self.mean / self.concentration)


def quantile_of_counts(cdf: Callable[[Point], Point], q: Point) -> Point:
    """Smallest whole number below 2²⁴ whose cdf reaches q, by bisection."""

    def halve(_: Array, ends: tuple[Point, Point]) -> tuple[Point, Point]:
        low, high = ends  # F(low) < q ≤ F(high)
        middle = jnp.floor(0.5 * (low + high))
        reached = cdf(middle) >= q
        return jnp.where(reached, low, middle), jnp.where(reached, middle, high)

    ends = (jnp.full_like(q, -1.0), jnp.full_like(q, 2.0**_DOUBLINGS - 1))
    return jax.lax.fori_loop(0, _DOUBLINGS + 1, halve, ends)[1]
