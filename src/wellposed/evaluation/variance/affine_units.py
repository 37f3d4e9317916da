"""Size of a model unit in data units, where data units are an affine map of model units."""

import jax
import jax.numpy as jnp
import numpy as np

from wellposed._compiled import compiled_soon
from wellposed._typing import Point
from wellposed.models import VAEModel
from wellposed.numerics import on_device
from wellposed.transforms import UNIT, Identity, Standardize, Unit


def is_affine(model: VAEModel) -> bool:
    """Whether data units are an affine map of model units over the support of the noise.

    Parameters
    ----------
    model : VAEModel
    """
    if isinstance(model.transform, Unit):
        return model.transform.n_levels is None and UNIT.contains(model.noise.support)
    return isinstance(model.transform, (Identity, Standardize))


def slope(model: VAEModel, like: Point) -> Point:
    """Return dx/dy of an affine transform, evaluated at a point without clipping.

    Parameters
    ----------
    model : VAEModel
    like : array of shape (d,), for the shape and the type

    Returns
    -------
    array of shape (d,), data units per model unit
    """
    middle, one = jnp.full_like(like, 0.5), jnp.ones_like(like)
    return jax.jvp(model.transform.inverse, (middle,), (one,))[1]


def unit_of(model: VAEModel, d: int) -> np.ndarray:
    """Return the size of a model unit of each feature, in data units.

    Features can be added up in model units.

    Parameters
    ----------
    model : VAEModel
    d : number of features

    Returns
    -------
    array of shape (d,): zero for a feature that was constant in training; one for every feature
    if the transform is not affine
    """
    if not is_affine(model):
        return np.ones(d)
    return np.asarray(_slope(model, on_device(np.zeros(d))), np.float64)


_slope = compiled_soon(slope)
