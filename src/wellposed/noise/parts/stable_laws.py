"""numpyro's normal and Laplace with log densities and tails that are finite at any float."""

import math
from typing import Any

import jax.numpy as jnp
from numpyro.distributions import Laplace, Normal

from wellposed._typing import Point
from wellposed.numerics import LOG_2PI, absolute, half_square, log_laplace_below, log_normal_below


class StableNormal(Normal):
    """N(loc, scale²), whose fall from the peak is :func:`wellposed.numerics.half_square`."""

    def log_prob(self, value: Point, intermediates: Any = None) -> Point:
        del intermediates
        loc, scale = jnp.asarray(self.loc), jnp.asarray(self.scale)
        return -half_square(value - loc, scale) - jnp.log(scale) - 0.5 * LOG_2PI

    def log_cdf(self, value: Point) -> Point:
        """log P(Y ≤ value), in nats."""
        return log_normal_below(value - jnp.asarray(self.loc), jnp.asarray(self.scale))

    def log_sf(self, value: Point) -> Point:
        """log P(Y ≥ value), in nats."""
        return log_normal_below(jnp.asarray(self.loc) - value, jnp.asarray(self.scale))


class StableLaplace(Laplace):
    """Laplace(loc, scale), whose fall is :func:`wellposed.numerics.absolute`."""

    def log_prob(self, value: Point, intermediates: Any = None) -> Point:
        del intermediates
        loc, scale = jnp.asarray(self.loc), jnp.asarray(self.scale)
        return -absolute(value - loc, scale) - jnp.log(scale) - math.log(2.0)

    def log_cdf(self, value: Point) -> Point:
        """log P(Y ≤ value), in nats."""
        return log_laplace_below(value - jnp.asarray(self.loc), jnp.asarray(self.scale))

    def log_sf(self, value: Point) -> Point:
        """log P(Y ≥ value), in nats."""
        return log_laplace_below(jnp.asarray(self.loc) - value, jnp.asarray(self.scale))
