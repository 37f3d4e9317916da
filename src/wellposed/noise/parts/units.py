"""Units of a network's inputs and outputs, for data that no transform has standardised."""

import equinox as eqx
import numpy as np

from wellposed._typing import Point, Scalar
from wellposed.numerics import on_device
from wellposed.transforms import Moments


class FeatureUnits(eqx.Module):
    """(y − mean)/scale, with each feature's mean and one scale for all of them.

    One scale, since features of one interval share a unit: otherwise a pixel that is lit once in
    a thousand images would be thirty standard deviations from its mean.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> FeatureUnits(jnp.array([1.0, 2.0]), jnp.array(2.0))(jnp.array([3.0, 2.0])).tolist()
    [1.0, 0.0]
    """

    mean: Point
    scale: Scalar

    @classmethod
    def of(cls, moments: Moments) -> "FeatureUnits":
        """Take mean and scale from the data."""
        varies, variance = np.asarray(moments.varies), np.asarray(moments.variance, np.float64)
        varying = variance[varies].mean() if varies.any() else 0.0
        return cls(on_device(moments.mean), on_device(np.sqrt(varying) if varying > 0 else 1.0))

    def __call__(self, y: Point) -> Point:
        return (y - self.mean) / self.scale

    def inverse(self, raw: Point) -> Point:
        """Map a decoder's outputs back to the data: mean + scale·raw."""
        return self.mean + self.scale * raw
