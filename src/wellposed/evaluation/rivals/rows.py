"""Rows in the model units of a VAE, for the rivals that are fitted to them."""

import dataclasses
import math

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool

from wellposed import transforms
from wellposed._typing import Point, PRNGKey, Scalar
from wellposed.models import VAEModel
from wellposed.noise import AbstractNoise, Columns, Rescaled

from .._rows import over_rows


@dataclasses.dataclass(frozen=True, eq=False)
class RivalRows:
    """Rows as a rival is fitted to them or scored on them: the features that vary in training.

    Parameters
    ----------
    values : shape (n, d), model units, float64
    log_rest : shape (n,), log |det dT/dx|, and the model's own log density of the features that
        never vary: what every rival adds to its log density of ``values``, nats
    """

    values: np.ndarray
    log_rest: np.ndarray


def has_density(noise: AbstractNoise) -> bool:
    """Whether p(y | z) is a density in every feature, and no probability of single values.

    Parameters
    ----------
    noise : of the model

    Examples
    --------
    >>> from wellposed.noise import Bernoulli, Gaussian
    >>> has_density(Gaussian()), has_density(Bernoulli())
    (True, False)
    """
    if noise.limited:
        return False
    noise = noise.whole
    if isinstance(noise, Columns):
        return all(has_density(group) for group in noise.groups)
    if isinstance(noise, Rescaled):
        return has_density(noise.noise)
    # Zero has a probability of its own among amounts from zero upwards.
    return not noise.support.whole and noise.support != transforms.AMOUNTS


def rival_rows(model: VAEModel, rows: np.ndarray, varies: np.ndarray, *, key: PRNGKey) -> RivalRows:
    """Map rows to model units, dequantised as the model sees them under the same key.

    Parameters
    ----------
    model : VAEModel
    rows : shape (n, d), data units
    varies : shape (d,), the features that vary in training
    key : PRNG key
    """
    fixed = model, jax.device_put(varies)
    whole = bool(varies.all())
    y, log_det, constant = over_rows(_mapped, fixed, rows, key=key, whole=whole)
    log_rest = log_det.astype(np.float64) + constant
    return RivalRows(y[:, varies].astype(np.float64), log_rest)


def _mapped(
    fixed: tuple[VAEModel, Bool[Array, " d"]], x: Point, *, key: PRNGKey, whole: bool
) -> tuple[Point, Scalar, Scalar]:
    model, varies = fixed
    if whole:
        mapped = model.to_model_units(x, key=key)
        return mapped.value, mapped.log_det, jnp.zeros_like(mapped.log_det)
    inferred = model.infer(x, key=key)
    p = model.decode(inferred.q.loc)
    if p.independent:
        each = p.feature_log_prob(inferred.y)
    else:  # constants are independent of the other features in every family
        constants = getattr(p, "constants", None)
        each = jnp.zeros_like(x) if constants is None else constants.density.log_prob(inferred.y)
    return inferred.y, inferred.log_det, jnp.where(varies, 0.0, each).sum()


def floors_of(
    model: VAEModel, train: np.ndarray, resolution: np.ndarray | None, *, key: PRNGKey
) -> np.ndarray:
    """Return resolution/√12 of each feature, shape (d,), model units: no density is sharper.

    Parameters
    ----------
    model : VAEModel
    train : shape (m, d), training rows, data units
    resolution : shape (d,), data units; None takes that of the rows
    key : PRNG key
    """
    summary = transforms.summarise(train, resolution)
    moments = model.transform.moments(summary, key=key)
    return np.asarray(moments.resolution, np.float64) / math.sqrt(12)
