"""What the families on whole numbers have in common."""

from collections.abc import Callable

import equinox as eqx
import numpy as np
from jaxtyping import Array

from wellposed._typing import Inputs, Point
from wellposed.numerics import on_device
from wellposed.transforms import Moments

from .abstract import AbstractNoise


class AbstractWhole(AbstractNoise):
    """Noise on whole numbers: a probability for each, so that no log density exceeds zero.

    Examples
    --------
    >>> import wellposed as wp
    >>> isinstance(wp.noise.Bernoulli(), AbstractWhole)
    True
    """

    shown: eqx.AbstractVar[Callable[[Point], Point] | None]  # units of the encoder's input

    def encoder_input(self, y: Point) -> Inputs:
        return y if self.shown is None else self.shown(y)

    def log_density_bound(self, d: int) -> float:
        """Zero, since a probability is at most one."""
        del d
        return 0.0


class LevelUnits(eqx.Module):
    """(y − mean of the feature)/deviation of all, the units in which an encoder gets levels.

    One deviation, so that features which hardly vary stay small.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> LevelUnits(jnp.array([1.0, 2.0]), jnp.array(2.0))(jnp.array([3.0, 2.0])).tolist()
    [1.0, 0.0]
    """

    center: Array  # (d,)
    spread: Array  # ()

    @classmethod
    def of(cls, moments: Moments) -> "LevelUnits":
        """Take both from the data."""
        variance = np.asarray(moments.variance, np.float64).mean()
        return cls(on_device(moments.mean), on_device(np.sqrt(variance) if variance > 0 else 1.0))

    def __call__(self, y: Point) -> Point:
        return (y - self.center) / self.spread


def levels_of(given: int | None, moments: Moments) -> int:
    """L as given, or the largest value of the data plus one."""
    return int(moments.high) + 1 if given is None else given


def deviations(moments: Moments) -> np.ndarray:
    """Standard deviation of each feature, in float64, shape (d,); zero where it never varies."""
    variance = np.where(np.asarray(moments.varies), np.asarray(moments.variance, np.float64), 0.0)
    return np.sqrt(np.maximum(variance, 0.0))


def log_means(moments: Moments) -> Array:
    """Log of each feature's mean, shape (d,); zero where it never varies."""
    return on_device(np.log(np.where(moments.varies, moments.mean, 1.0)))
