"""log p(x) of a part of the entries of rows, under a model that was trained on whole rows."""

import dataclasses
from typing import Any

import jax.numpy as jnp
import numpy as np

from wellposed._budget import slices
from wellposed._compiled import compiled_soon
from wellposed._fill import fill
from wellposed._typing import Point, PRNGKey, Row
from wellposed.models import VAEModel, at_row, check_marginal
from wellposed.noise import Ignorable

from ..likelihood import log_likelihood

_AT_ONCE = 20_000  # rows with hidden entries that are in memory


def with_gaps(model: VAEModel, row: np.ndarray, *, key: PRNGKey) -> VAEModel:
    """Return the model of rows with missing entries, NaN, that has the same p(x).

    Missing entries are integrated out of p(x | z). The encoder, which was trained on whole rows,
    sees those of a typical row in their place; the proposals of log p(x) start from there.

    Parameters
    ----------
    model : of whole rows; a model of rows with missing entries is returned as it is
    row : a typical row, shape (d,), or (d + c,) with the covariates of a conditional model
    key : PRNG key

    Raises
    ------
    SettingError
        For noise of which no part of the features has a density in closed form.
    """
    if model.noise.allows_missing:
        return model
    typical = _model_units(model, jnp.asarray(row, jnp.result_type(float)), key)
    noise = fill(Ignorable(model.noise, show_mask=False), typical=typical)
    changed = dataclasses.replace(model, noise=noise)
    check_marginal(changed)
    return changed


@compiled_soon
def _model_units(model: VAEModel, row: Row, key: PRNGKey) -> Point:
    at, x = at_row(model, row)
    return at.to_model_units(x, key=key).value


def log_density_of_parts(
    model: VAEModel, rows: np.ndarray, seen: np.ndarray, *, n_samples: int, key: PRNGKey
) -> np.ndarray:
    r"""Estimate log p of several parts of the entries of each row, shape (n, p), in nats.

    Parameters
    ----------
    model : of rows with missing entries, see :func:`with_gaps`
    rows : array of shape (n, d), or (n, d + c) with covariates; NaN where an entry is missing
    seen : array of shape (n, p, d), which entries each part has; a part without any has log p = 0
    n_samples, key : as of :func:`wellposed.evaluation.log_likelihood`
    """
    n, p, d = seen.shape
    whole = np.asarray(rows, np.float64)
    found = np.empty(n * p)
    for part in slices(n * p, _AT_ONCE):
        chosen = np.arange(part.start, part.stop)
        repeated: Any = whole[chosen // p]
        shown = seen[chosen // p, chosen % p]
        repeated[:, :d] = np.where(shown, repeated[:, :d], np.nan)
        value = log_likelihood(model, repeated, n_samples=n_samples, key=key).value
        some = ~np.isnan(repeated[:, :d]).all(axis=1)
        found[part] = np.where(some, np.asarray(value, np.float64), 0.0)
    return found.reshape(n, p)


def without_each(seen: np.ndarray) -> np.ndarray:
    """Return, for each row, the parts that lack one entry each: (n, d) to (n, d, d).

    Parameters
    ----------
    seen : array of shape (n, d), the entries of the whole

    Examples
    --------
    >>> without_each(np.array([[True, True]]))[0].tolist()
    [[False, True], [True, False]]
    """
    d = seen.shape[1]
    return seen[:, None, :] & ~np.eye(d, dtype=bool)
