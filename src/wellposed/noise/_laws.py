"""numpyro's normal and Laplace, their densities finite at any number that a float holds."""

import math
from typing import Any

import jax.numpy as jnp
from numpyro.distributions import Laplace, Normal

from wellposed._typing import Point
from wellposed.numerics import LOG_2PI, absolute, half_square


class StableNormal(Normal):
    """N(loc, scale²), whose fall from the peak is :func:`wellposed.numerics.half_square`."""

    def log_prob(self, value: Point, intermediates: Any = None) -> Point:
        del intermediates
        fall = half_square(value - self.loc, self.scale)
        return -fall - jnp.log(self.scale) - 0.5 * LOG_2PI


class StableLaplace(Laplace):
    """Laplace(loc, scale), whose fall is :func:`wellposed.numerics.absolute`."""

    def log_prob(self, value: Point, intermediates: Any = None) -> Point:
        del intermediates
        return -absolute(value - self.loc, self.scale) - jnp.log(self.scale) - math.log(2.0)
