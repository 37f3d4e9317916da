"""Model units in data units, where the one is an affine map of the other."""

import jax
import jax.numpy as jnp
import numpy as np

from wellposed._compiled import compiled_soon
from wellposed._typing import Point
from wellposed.models import VAEModel
from wellposed.numerics import on_device
from wellposed.transforms import UNIT, Identity, Standardize, Unit


def is_affine(model: VAEModel) -> bool:
    """Whether data units are an affine map of model units, wherever the noise can be."""
    if isinstance(model.transform, Unit):
        return model.transform.n_levels is None and UNIT.contains(model.noise.support)
    return isinstance(model.transform, (Identity, Standardize))


def slope(model: VAEModel, like: Point) -> Point:
    """dx/dy of an affine transform: the same everywhere, so at a place that nothing clips."""
    middle, one = jnp.full_like(like, 0.5), jnp.ones_like(like)
    return jax.jvp(model.transform.inverse, (middle,), (one,))[1]


def unit_of(model: VAEModel, d: int) -> np.ndarray:
    """A model unit of each feature in data units, (d,): by which features can be added up.

    Zero where a feature never varied in training; one where the transform is not affine.
    """
    if not is_affine(model):
        return np.ones(d)
    return np.asarray(_slope(model, on_device(np.zeros(d))), np.float64)


_slope = compiled_soon(slope)
