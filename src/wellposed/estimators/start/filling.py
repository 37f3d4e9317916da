"""The linear model that fills missing entries in the encoder's input."""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from wellposed import models
from wellposed._typing import Point, PRNGKey
from wellposed.evaluation import over_rows
from wellposed.noise.missing import Fill
from wellposed.numerics import host_generator, on_device

_MOST_ROWS = 20_000
_LEAST = 0.05  # noise standard deviation of the linear model, as a share of the feature's
_EFFORT = {"max_iter": 100, "tol": 1e-6}  # the encoder needs no more digits


def fill_linearly(model: models.VAEModel, rows: np.ndarray, *, key: PRNGKey) -> models.VAEModel:
    """Return the model whose encoder sees conditional means in place of missing entries.

    They are those of a factor analysis, with as many factors as the model has latents, of the
    encoder's inputs of rows with missing entries.

    Parameters
    ----------
    model : whose noise allows missing entries
    rows : array of shape (n, d), data units, NaN where an entry is missing
    key : for the choice of at most 20,000 rows, and their dequantisation
    """
    if len(rows) > _MOST_ROWS:
        rows = rows[host_generator(key).permutation(len(rows))[:_MOST_ROWS]]
    inputs = over_rows(_input_with_gaps, model, rows, key=key).astype(np.float64)
    deviation = np.nanstd(inputs, axis=0)
    varies = deviation > 0
    mean, weight = np.nanmean(inputs, axis=0), np.zeros((len(deviation), model.prior.k))
    variance = np.ones_like(deviation)
    fitted = models.gaps.factor_analysis(
        inputs[:, varies], model.prior.k, floor=_LEAST * deviation[varies], **_EFFORT
    ).model
    mean[varies], weight[varies], variance[varies] = (
        fitted.mean,
        fitted.weight,
        fitted.noise_variance,
    )
    filling = Fill(*(on_device(part) for part in (mean, weight, variance)))
    ignorable: Any = model.noise
    return eqx.tree_at(lambda m: m.noise, model, ignorable.filled_by(filling))


def _input_with_gaps(model: models.VAEModel, x: Point, *, key: PRNGKey) -> Point:
    ignorable: Any = model.noise
    y = model.to_model_units(x, key=key).value
    inputs, seen = ignorable.inner_input(y)
    return jnp.where(seen, inputs[: len(y)], jnp.nan)
