"""One epoch, and one pass over held-out rows, each a compiled loop over batches."""

import math
from collections.abc import Callable
from typing import Any, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Key

from wellposed._typing import Data, PRNGKey, Scalar, Tree
from wellposed.models import at_row
from wellposed.nn import products_in
from wellposed.numerics import scalar, weighted_mean
from wellposed.objectives import AbstractObjective, Evaluation

from ._optimiser import Moments, Parts, Rates, squared_norm, update
from ._rows import Rows

Carry = TypeVar("Carry")

# Objective, log likelihood, KL, number of rows and gradient norm of a batch.
N_FIGURES = 5


class TrainState(eqx.Module):
    """State that each step reads and writes."""

    params: Tree
    memory: Any  # Adam's moments: one state, or Parts
    step: Scalar
    average: Tree = None  # running average of params, where the plan asks for one

    @property
    def reached(self) -> Tree:
        """Parameters to evaluate and to keep: the average where there is one."""
        return self.params if self.average is None else self.average


class Metrics(eqx.Module):
    """Means over the rows of one pass, in nats a datum, with the largest gradient."""

    value: Scalar
    log_likelihood: Scalar
    kl: Scalar
    gradient_norm: Scalar  # the largest of the pass; zero without a gradient

    @property
    def is_finite(self) -> bool:
        """Whether the objective and the largest gradient are finite; on the host."""
        return bool(np.isfinite([self.value, self.gradient_norm]).all())


def initial_state(params: Tree, *, parts: bool = False, average: bool = False) -> TrainState:
    """Return the state before the first step.

    Parameters
    ----------
    params : parameters before the first step
    parts : count the encoder's steps separately
    average : keep a running average of the parameters
    """
    start = Parts.of if parts else Moments.of
    # Adam's moments are zeros: built on the host, without a program for each shape.
    shapes = eqx.filter_eval_shape(start, params)
    memory = jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), shapes)
    return TrainState(params, jax.device_put(memory), scalar(0.0), params if average else None)


def steps_in(n_rows: int, batch_size: int) -> int:
    """Return the steps of an epoch, the last partial batch included."""
    return math.ceil(n_rows / batch_size)


def run_epoch(
    state: TrainState,
    fixed: Tree,
    data: Data,
    rows: Rows,
    objective: AbstractObjective,
    rates: Rates,
    *,
    batch_size: int,
    key: PRNGKey,
) -> tuple[TrainState, Metrics]:
    """Visit every row once, in random order."""
    order_key, noise_key = jax.random.split(key)

    def step(
        state: TrainState, chosen: Array, weight: Array, step_key: PRNGKey
    ) -> tuple[TrainState, Array]:
        def rise(params: Tree):
            model = eqx.combine(params, fixed)
            annealing = rates.annealing(state.step)
            value, terms = batch_mean(
                model, data, chosen, weight, objective, annealing, key=step_key
            )
            beside = objective.beside(model, data, key=jax.random.fold_in(step_key, 1))
            return value * share(rows, weight) + beside, terms

        with products_in(rates.precision):
            (_, evaluation), gradient = jax.value_and_grad(rise, has_aux=True)(state.params)
        norm = jnp.sqrt(squared_norm(gradient))
        params, memory = update(state.params, gradient, state.memory, rates, state.step, norm)
        average = rates.average(state.average, params, state.step)
        state = TrainState(params, memory, state.step + 1, average)
        return state, figures(evaluation, weight, norm)

    order = rows.shuffled(key=order_key)
    state, seen = over_batches(step, state, order, batch_size=batch_size, key=noise_key)
    return state, pass_means(seen)


def evaluate_held_out(
    params: Tree,
    fixed: Tree,
    data: Data,
    rows: Rows,
    objective: AbstractObjective,
    *,
    batch_size: int,
    key: PRNGKey,
) -> Metrics:
    """Evaluate the training objective, its KL at full weight, on held-out rows."""
    model = eqx.combine(params, fixed)

    def visit(nothing: None, chosen: Array, weight: Array, key: PRNGKey) -> tuple[None, Array]:
        _, evaluation = batch_mean(model, data, chosen, weight, objective, 1.0, key=key)
        return nothing, figures(evaluation, weight, jnp.zeros((), weight.dtype))

    _, seen = over_batches(visit, None, rows, batch_size=batch_size, key=key)
    return pass_means(seen)


def over_batches(
    visit: Callable[..., tuple[Carry, Array]],
    state: Carry,
    rows: Rows,
    *,
    batch_size: int,
    key: PRNGKey,
    n_figures: int = N_FIGURES,
) -> tuple[Carry, Float[Array, "steps figures"]]:
    """Call ``visit(state, chosen, weight, key)`` batch by batch, without batches of padding.

    Returns
    -------
    the last state, and one row of figures a batch, zeros for batches of padding
    """
    seen = jnp.zeros((rows.most_steps(batch_size), n_figures), jnp.result_type(float))

    def step(i: Array, carry: tuple[Carry, Array]) -> tuple[Carry, Array]:
        state, seen = carry
        chosen, weight = rows.batch(i, batch_size)
        state, row = visit(state, chosen, weight, jax.random.fold_in(key, i))
        return state, seen.at[i].set(row)

    return jax.lax.fori_loop(0, rows.steps(batch_size), step, (state, seen))


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
    """Return the means of the objective and of its terms over a batch."""
    keys = jax.random.split(key, chosen.shape[0])
    each = of_rows(model, data, chosen, objective, annealing, keys)
    means = jax.tree.map(lambda values: weighted_mean(values, weight), each)
    return means.value, means


def of_rows(
    model: Tree,
    data: Data,
    chosen: Int[Array, " batch"],
    objective: AbstractObjective,
    annealing: Scalar | float,
    keys: Key[Array, " batch"],
) -> Evaluation:
    """Evaluate the objective at some rows, with a key for each."""
    x = data[chosen].astype(jnp.result_type(float))

    def of_row(row: Array, row_key: PRNGKey) -> Evaluation:
        at, datum = at_row(model, row)
        return objective(at, datum, key=row_key, annealing=annealing)

    return jax.vmap(of_row)(x, keys)


def share(rows: Rows, weight: Float[Array, " batch"]) -> Scalar | float:
    """Mean weight of the rows of a batch: 1 where rows have no weights.

    A step follows the sum of the weighted gradients over the number of rows. Over the sum of the
    weights, a row would count for more in a batch of light rows than in one of heavy rows.
    """
    return 1.0 if rows.weights is None else weight.sum() / (weight > 0).sum()


def figures(
    evaluation: Evaluation, weight: Float[Array, " batch"], norm: Scalar
) -> Float[Array, " figures"]:
    """Return the means over the rows of a batch, their number and a norm, as one array."""
    terms = evaluation.terms
    numbers = (evaluation.value, terms.log_likelihood, terms.kl, weight.sum(), norm)
    return jnp.stack([jnp.asarray(figure, jnp.result_type(float)) for figure in numbers])


def pass_means(seen: Float[Array, "steps figures"]) -> Metrics:
    """Return the means over the rows of all batches, and the largest norm."""
    value, log_likelihood, kl, count, norm = seen[:, :N_FIGURES].T

    def mean(values: Float[Array, " steps"]) -> Scalar:
        return jnp.sum(values * count) / jnp.sum(count)

    return Metrics(mean(value), mean(log_likelihood), mean(kl), norm.max())
