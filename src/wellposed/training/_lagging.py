"""The aggressive encoder phase, in which the encoder is trained more than the decoder.

At the start of a training q(z | x) is far from the posterior, and a strong decoder learns to
ignore z before q is close to it. Therefore the encoder alone is updated before each decoder update,
on fresh minibatches, until the objective stops rising. The phase ends, and does not return, when
the information I(x; z) has not risen over an epoch, or reaches its upper bound, the logarithm of
the number of rows.

References: He, Spokoyny, Neubig & Berg-Kirkpatrick (2019), Lagging inference networks and
posterior collapse in variational autoencoders, algorithm 1.
"""

import math
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int

from wellposed._typing import Data, PRNGKey, Scalar, Tree
from wellposed.evaluation import prior_mismatch
from wellposed.models import VAEModel
from wellposed.nn import products_in
from wellposed.objectives import AbstractObjective

from ._epoch import (
    N_FIGURES,
    Metrics,
    TrainState,
    batch_mean,
    figures,
    over_batches,
    pass_means,
    share,
)
from ._history import History
from ._optimiser import Parts, Rates, split_encoder, squared_norm, update
from ._plan import Plan
from ._rows import Rows

# Updates over which the objective is averaged, to see whether it still rises.
_WINDOW = 10
_MOST_ROWS = 2_000
_SHORT_OF_ALL = 0.1  # nats


def is_aggressive(plan: Plan, history: History, n_rows: int) -> bool:
    """Whether the next epoch belongs to the phase: I(x; z) has risen in every epoch so far.

    It depends on the history alone, so a resumed training has the same phase; ``n_rows`` is the
    number of rows on which the information is measured.
    """
    if not plan.encoder_steps:
        return False
    seen = history.column("mutual_information")
    full = math.log(min(n_rows, _MOST_ROWS)) - _SHORT_OF_ALL
    return bool(np.all(np.diff(seen) > 0) and np.all(seen < full))


def information(model: VAEModel, data: Data, rows: Rows, *, key: PRNGKey) -> float:
    """Lower bound of I(x; z) under q on some rows, in nats a datum."""
    chosen = rows.host[:_MOST_ROWS]  # in random order
    mismatch = prior_mismatch(model, np.asarray(data[chosen]), key=key)
    return mismatch.mutual_information[0]


class _Chase(eqx.Module):
    """State between two encoder-only updates."""

    encoder: Tree
    memory: Any
    count: Int[Array, ""]
    total: Scalar  # objective, summed over the updates of this window
    before: Scalar  # the sum over the last full window
    rising: Bool[Array, ""]


def run_lagging_epoch(
    state: TrainState,
    fixed: Tree,
    data: Data,
    rows: Rows,
    objective: AbstractObjective,
    rates: Rates,
    *,
    batch_size: int,
    encoder_steps: Int[Array | np.ndarray, ""],
    key: PRNGKey,
) -> tuple[TrainState, Metrics, Scalar]:
    """Visit every row once with the decoder, with encoder-only updates before each of its steps.

    Returns
    -------
    the state; the means at the decoder's steps; the average number of updates before each
    """
    order_key, noise_key = jax.random.split(key)

    def step(
        state: TrainState, chosen: Array, weight: Array, step_key: PRNGKey
    ) -> tuple[TrainState, Array]:
        chase_key, batch_key = jax.random.split(step_key)
        encoder, rest = split_encoder(state.params)
        annealing = rates.annealing(state.step)

        @products_in(rates.precision)
        def mean(encoder: Tree, rest: Tree, visited, weight, key):
            model = eqx.combine(encoder, rest, fixed)
            value, means = batch_mean(model, data, visited, weight, objective, annealing, key=key)
            return value * share(rows, weight), means

        def one(chase: _Chase) -> _Chase:
            row_key, draw_key = jax.random.split(jax.random.fold_in(chase_key, chase.count))
            fresh = rows.index[jax.random.randint(row_key, (batch_size,), 0, rows.count)]
            weight = jnp.ones(batch_size) if rows.weights is None else rows.weights[fresh]
            drawn = rest, fresh, weight, draw_key
            (value, _), slope = jax.value_and_grad(mean, has_aux=True)(chase.encoder, *drawn)
            norm = jnp.sqrt(squared_norm(slope))
            moved = update(chase.encoder, slope, chase.memory, rates, state.step, norm)
            return _count(chase, *moved, value)

        chase = _chase(one, _start(encoder, state.memory.encoder), encoder_steps)
        (_, evaluation), slope = jax.value_and_grad(mean, argnums=1, has_aux=True)(
            chase.encoder, rest, chosen, weight, batch_key
        )
        norm = jnp.sqrt(squared_norm(slope))
        rest, memory = update(rest, slope, state.memory.rest, rates, state.step, norm)
        reached = eqx.combine(chase.encoder, rest)
        average = rates.average(state.average, reached, state.step)
        state = TrainState(reached, Parts(chase.memory, memory), state.step + 1, average)
        taken = chase.count.astype(weight.dtype)
        return state, jnp.append(figures(evaluation, weight, norm), taken)

    order = rows.shuffled(key=order_key)
    state, seen = over_batches(
        step, state, order, batch_size=batch_size, key=noise_key, n_figures=N_FIGURES + 1
    )
    return state, pass_means(seen), jnp.sum(seen[:, N_FIGURES]) / rows.steps(batch_size)


def _chase(one: Callable[[_Chase], _Chase], start: _Chase, most: Any) -> _Chase:
    """Update while the objective rises, at most ``most`` times."""
    return jax.lax.while_loop(lambda chase: chase.rising & (chase.count < most), one, start)


def _start(encoder: Tree, memory: Any) -> _Chase:
    zero, nothing = jnp.zeros(()), jnp.full((), -jnp.inf)
    return _Chase(encoder, memory, jnp.zeros((), jnp.int32), zero, nothing, jnp.asarray(True))


def _count(chase: _Chase, encoder: Tree, memory: Any, value: Scalar) -> _Chase:
    """Count an update; at the end of a window compare its objective with the one before."""
    count, total = chase.count + 1, chase.total + value
    full = count % _WINDOW == 0
    return _Chase(
        encoder,
        memory,
        count,
        jnp.where(full, 0.0, total),
        jnp.where(full, total, chase.before),
        ~full | (total > chase.before),
    )
