"""The noise variance in closed form, from the training data."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Int

from wellposed._compiled import compiled
from wellposed._typing import Data, Point, PRNGKey
from wellposed.models import VAEModel

from ._epoch import batched


@compiled
def mean_squared_residual(
    model: VAEModel, data: Data, rows: Int[Array, " n"], *, batch_size: int, key: PRNGKey
) -> Point:
    """Mean over rows of E_q (y − μ(z))², one draw of z a row; shape (d,), model units squared."""

    def residual(row: Point, row_key: PRNGKey) -> Point:
        transform_key, latent_key = jax.random.split(row_key)
        found = model.infer(row, key=transform_key)
        return (found.y - model.decode(found.q.rsample(latent_key)).mean) ** 2

    def visit(total: Point, inputs) -> tuple[Point, None]:
        chosen, weight, batch_key = inputs
        x = data[chosen].astype(jnp.result_type(float))
        squares = jax.vmap(residual)(x, jax.random.split(batch_key, chosen.shape[0]))
        return total + weight @ squares, None

    batches, weights = batched(rows, batch_size)
    keys = jax.random.split(key, batches.shape[0])
    zero = jnp.zeros(data.shape[1], jnp.result_type(float))
    total, _ = jax.lax.scan(visit, zero, (batches, weights, keys))
    return total / rows.shape[0]


def refit_noise(
    model: VAEModel, data: Data, rows: Int[Array, " n"], *, batch_size: int, key: PRNGKey
) -> VAEModel:
    """Return the model with the noise variance that maximises the ELBO on the training rows.

    The encoder and the decoder stay. Only ever called with training rows: a variance fitted to
    the data being scored gives the likelihood of no fixed model.
    """
    if not (model.noise.learned() and model.noise.solved_by_squares):
        return model
    squares = mean_squared_residual(model, data, rows, batch_size=batch_size, key=key)
    return eqx.tree_at(lambda m: m.noise, model, model.noise.refitted(squares))
