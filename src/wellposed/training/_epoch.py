"""One epoch, and one pass over held-out rows, each a compiled scan."""

import math
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from wellposed._typing import Data, PRNGKey, Scalar, Tree
from wellposed.numerics import weighted_mean
from wellposed.objectives import AbstractObjective, Evaluation

from ._optimiser import Rates, squared_norm, update


class TrainState(eqx.Module):
    """All that a step reads and writes."""

    params: Tree
    memory: Any  # Adam's moments: one state, or Parts
    step: Scalar


class Metrics(eqx.Module):
    """Means over the rows of one pass, in nats a datum, with what training must watch."""

    value: Scalar
    log_likelihood: Scalar
    kl: Scalar
    gradient_norm: Scalar  # the largest of the pass; zero where there was no gradient


def steps_in(n_rows: int, batch_size: int) -> int:
    """Steps of an epoch, the last partial batch included."""
    return math.ceil(n_rows / batch_size)


@eqx.filter_jit
def run_epoch(
    state: TrainState,
    fixed: Tree,
    data: Data,
    rows: Int[Array, " n"],
    objective: AbstractObjective,
    rates: Rates,
    *,
    batch_size: int,
    key: PRNGKey,
) -> tuple[TrainState, Metrics]:
    """Visit every row once, in random order."""
    order_key, noise_key = jax.random.split(key)
    order = jax.random.permutation(order_key, rows)
    batches, weights = batched(order, batch_size)

    def step(state: TrainState, inputs):
        chosen, weight, step_key = inputs

        def rise(params: Tree):
            model = eqx.combine(params, fixed)
            annealing = rates.annealing(state.step)
            return batch_mean(model, data, chosen, weight, objective, annealing, key=step_key)

        (_, evaluation), gradient = jax.value_and_grad(rise, has_aux=True)(state.params)
        norm = jnp.sqrt(squared_norm(gradient))
        params, memory = update(state.params, gradient, state.memory, rates, state.step, norm)
        return TrainState(params, memory, state.step + 1), (evaluation, weight.sum(), norm)

    keys = jax.random.split(noise_key, batches.shape[0])
    state, (evaluations, counts, norms) = jax.lax.scan(step, state, (batches, weights, keys))
    return state, summed(evaluations, counts, norms.max())


@eqx.filter_jit
def held_out(
    params: Tree,
    fixed: Tree,
    data: Data,
    rows: Int[Array, " n"],
    objective: AbstractObjective,
    *,
    batch_size: int,
    key: PRNGKey,
) -> Metrics:
    """Evaluate the training objective, its KL at full weight, on rows it was not trained on."""
    model = eqx.combine(params, fixed)
    batches, weights = batched(rows, batch_size)
    keys = jax.random.split(key, batches.shape[0])

    def visit(inputs):
        chosen, weight, batch_key = inputs
        _, evaluation = batch_mean(model, data, chosen, weight, objective, 1.0, key=batch_key)
        return evaluation, weight.sum()

    evaluations, counts = jax.lax.map(visit, (batches, weights, keys))
    return summed(evaluations, counts, jnp.zeros(()))


def batched(
    rows: Int[Array, " n"], batch_size: int
) -> tuple[Int[Array, "steps batch"], Float[Array, "steps batch"]]:
    """Cut rows into batches; the last is filled up with rows of weight zero."""
    n = rows.shape[0]
    steps = steps_in(n, batch_size)
    padding = steps * batch_size - n
    filled = jnp.concatenate([rows, jnp.broadcast_to(rows[:1], (padding,))])
    weights = jnp.concatenate([jnp.ones(n), jnp.zeros(padding)])
    return filled.reshape(steps, batch_size), weights.reshape(steps, batch_size)


def batch_mean(
    model: Tree,
    data: Data,
    chosen: Int[Array, " batch"],
    weight: Float[Array, " batch"],
    objective: AbstractObjective,
    annealing: Scalar | float,
    *,
    key: PRNGKey,
) -> tuple[Scalar, Evaluation]:
    """Mean of the objective over a batch, and of its terms."""
    x = data[chosen].astype(jnp.result_type(float))
    keys = jax.random.split(key, chosen.shape[0])
    each = jax.vmap(lambda row, k: objective(model, row, key=k, annealing=annealing))(x, keys)
    means = jax.tree.map(lambda values: weighted_mean(values, weight), each)
    return means.value, means


def summed(evaluations: Evaluation, counts: Float[Array, " steps"], norm: Scalar) -> Metrics:
    """Means over the rows of all batches, of ``counts`` rows each."""

    def mean(values: Float[Array, " steps"]) -> Scalar:
        return jnp.sum(values * counts) / jnp.sum(counts)

    terms = evaluations.terms
    return Metrics(mean(evaluations.value), mean(terms.log_likelihood), mean(terms.kl), norm)
