"""The noise variance in closed form, from the training data."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array

from wellposed._compiled import compiled_soon
from wellposed._typing import Point, PRNGKey, Row, RowData
from wellposed.models import VAEModel, at_row, draw_keys
from wellposed.noise import AbstractNoise

from ._rows import Rows


def mean_squared_residual(
    model: VAEModel, data: RowData, rows: Rows, *, batch_size: int, key: PRNGKey
) -> Point:
    """Weighted mean over rows of E_q (y − μ(z))², one draw of z a row.

    Of each feature, the mean is over the rows in which it is observed.

    Returns
    -------
    array of shape (d,), model units squared; zero for a feature that no row shows
    """

    def visit_row(row: Row, row_key: PRNGKey) -> tuple[Point, Point]:
        at, x = at_row(model, row)
        inferred, (latent_key,) = at.infer(x, key=row_key), draw_keys(row_key, 1)
        mean = at.decode(inferred.q.rsample(latent_key)).mean
        return inferred.residual(mean) ** 2, jnp.where(jnp.isnan(inferred.y), 0.0, 1.0)

    def visit(i: Array, sums: tuple[Point, Point]) -> tuple[Point, Point]:
        total, mass = sums
        chosen, weight = rows.batch(i, batch_size)
        x = data[chosen].astype(total.dtype)
        keys = jax.random.split(jax.random.fold_in(key, i), batch_size)
        squares, seen = jax.vmap(visit_row)(x, keys)
        return total + weight @ squares, mass + weight @ seen

    zeros = jnp.zeros(data.shape[1] - model.n_covariates, jnp.result_type(float))
    total, mass = jax.lax.fori_loop(0, rows.steps(batch_size), visit, (zeros, zeros))
    return total / jnp.where(mass > 0, mass, 1.0)


def refit_noise(
    model: VAEModel,
    data: RowData,
    rows: Rows,
    *,
    batch_size: int,
    key: PRNGKey,
    in_program: bool = False,
) -> VAEModel:
    """Return the model with the noise variance that maximises the ELBO on the training rows.

    The encoder and the decoder stay. ``rows`` must be training rows: a variance fitted to the
    rows that are scored is the likelihood of no fixed model. ``in_program`` is true where the
    caller is compiled, since a compiled function with options of its own cannot be nested.
    """
    if not (model.noise.parameters() and model.noise.has_exact_refit):
        return model
    solve = _solve if in_program else _SOLVE
    noise = solve(model, data, rows, batch_size=batch_size, key=key)
    return eqx.tree_at(lambda m: m.noise, model, noise)


def _solve(
    model: VAEModel, data: RowData, rows: Rows, *, batch_size: int, key: PRNGKey
) -> AbstractNoise:
    squares = mean_squared_residual(model, data, rows, batch_size=batch_size, key=key)
    return model.noise.refit(squares)


_SOLVE = compiled_soon(_solve)
