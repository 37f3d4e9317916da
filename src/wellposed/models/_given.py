"""Rows of a conditional model p(x | z, c): the datum x, followed by its covariates c.

Compiled passes over rows call :func:`at_row` once for each row, so that all that follows sees a
model of p(x | c) and a datum. For other models, rows are data and nothing is done.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array
from numpy.typing import ArrayLike

from wellposed._errors import SettingError
from wellposed._typing import Tree

from ._vae import VAEModel


def at_row(model: Tree, row: Array) -> tuple[Tree, Array]:
    """Return the model at the covariates of a row, and the rest of the row.

    Parameters
    ----------
    model : VAEModel, or a pytree that holds some; all that are conditional have the same covariates
    row : shape (m + c,), a datum or a latent followed by c covariates; (m,) for other models

    Raises
    ------
    SettingError
        If the row has too few entries.

    Examples
    --------
    >>> at_row({"anything": 1.0}, np.arange(3.0))[1].tolist()
    [0.0, 1.0, 2.0]
    """
    conditional = [part for part in _models(model) if part.n_covariates]
    if not conditional:
        return model, row
    c = conditional[0].n_covariates
    if row.shape[0] <= c:
        raise SettingError(
            f"A row of a conditional model is a datum followed by its {c} covariates; got "
            f"{row.shape[0]} numbers. Append the covariates."
        )
    given = row[-c:]

    def at(part: Any) -> Any:
        conditional = isinstance(part, VAEModel) and part.n_covariates
        return part.at(given) if conditional else part

    return jax.tree.map(at, model, is_leaf=lambda part: isinstance(part, VAEModel)), row[:-c]


def own_columns(model: VAEModel, rows: ArrayLike) -> np.ndarray:
    """Return rows of shape (n, d + c) without their covariates, shape (n, d).

    Parameters
    ----------
    model : VAEModel
    rows : array of shape (n, d + c); of a model without covariates, returned as they are
    """
    rows = np.asarray(rows)
    return rows[:, : rows.shape[1] - model.n_covariates]


def given_columns(model: VAEModel, rows: ArrayLike) -> np.ndarray:
    """Return the covariates of rows, shape (n, c), where c may be zero.

    Parameters
    ----------
    model : VAEModel
    rows : array of shape (n, d + c)
    """
    rows = np.asarray(rows)
    return rows[:, rows.shape[1] - model.n_covariates :]


def covariates_of_draws(model: VAEModel, n: int, covariates: ArrayLike | None) -> np.ndarray | None:
    """Return the covariates of n draws, shape (n, c); None for a model without.

    Parameters
    ----------
    model : VAEModel
    n : number of draws
    covariates : array of shape (n, c), or (1, c) for all draws

    Raises
    ------
    SettingError
        For a conditional model without covariates, another model with some, and another shape.
    """
    c = model.n_covariates
    if covariates is None and not c:
        return None
    given = np.asarray(() if covariates is None else covariates, jnp.result_type(float))
    if not c or given.ndim != 2 or given.shape[1] != c or len(given) not in (1, n):
        raise SettingError(
            f"Draws need the model's {c} covariates for each of the {n} draws, or one row for all; "
            f"got {'none' if covariates is None else f'shape {given.shape}'}. Pass an array of "
            f"shape ({n}, {c}), or no covariates to a model without."
        )
    return np.broadcast_to(given, (n, c))


def _models(tree: Tree) -> list[VAEModel]:
    leaves = jax.tree.leaves(tree, is_leaf=lambda part: isinstance(part, VAEModel))
    return [leaf for leaf in leaves if isinstance(leaf, VAEModel)]
