"""All that one epoch computes, as one program: a pass to train, a pass to judge, what to report."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int

from wellposed._compiled import compiled, compiled_soon
from wellposed._typing import Data, PRNGKey, Scalar, Tree
from wellposed.objectives import AbstractObjective

from ._epoch import Metrics, TrainState, held_out, run_epoch
from ._lagging import run_lagging_epoch
from ._optimiser import Rates
from ._rows import COARSE, Rows

# Each use of a training's key, by its place; the information is measured on the host.
SPLIT, EPOCHS, HELD_OUT, REFIT, INFORMATION = range(5)


class Split(eqx.Module):
    """Rows to train on, and rows to choose the best epoch on, if any."""

    training: Rows
    held: Rows | None

    @property
    def watched(self) -> Rows:
        """The held-out rows, or the training rows where too few are held out."""
        return self.held if self.held is not None and self.held.n > 1 else self.training


class Seen(eqx.Module):
    """What one epoch measured."""

    trained: Metrics
    held: Metrics | None
    noise_variance: Scalar  # mean over features, model units; NaN where it depends on z
    learning_rate: Scalar  # after the epoch
    encoder_steps: Scalar  # that the encoder took alone before each of the decoder's


def one_pass(
    state: TrainState,
    fixed: Tree,
    data: Data,
    split: Split,
    objective: AbstractObjective,
    rates: Rates,
    done: Int[Array | np.ndarray, ""],
    *,
    batch_size: int,
    key: PRNGKey,
    encoder_steps: Int[Array | np.ndarray, ""] | None = None,
) -> tuple[TrainState, Seen]:
    """Train the epoch after ``done`` others, and judge it on the rows held out.

    ``key`` is the training's; ``encoder_steps`` is given in an aggressive encoder phase.
    """
    given: Any = (fixed, data, split.training, objective, rates)
    options: Any = {
        "batch_size": batch_size,
        "key": jax.random.fold_in(jax.random.fold_in(key, EPOCHS), done),
    }
    steps = jnp.zeros(())
    if encoder_steps is None:
        state, trained = run_epoch(state, *given, **options)
    else:
        state, trained, steps = run_lagging_epoch(
            state, *given, encoder_steps=encoder_steps, **options
        )
    held = None
    if split.held is not None:
        # The same draws every epoch: what changes between two epochs is the model alone.
        held = held_out(
            state.params,
            fixed,
            data,
            split.held,
            objective,
            batch_size=min(batch_size, split.held.index.shape[0]),
            key=jax.random.fold_in(key, HELD_OUT),
        )
    variance = eqx.combine(state.params, fixed).noise.variance()
    variance = jnp.asarray(jnp.nan) if variance is None else jnp.mean(variance)
    return state, Seen(trained, held, variance, rates.at(state.step), steps)


_run_well, _run_soon = compiled(one_pass), compiled_soon(one_pass)


def run_pass(state: TrainState, fixed: Tree, data: Data, *given: Any, **options: Any) -> Any:
    """Compile and run :func:`one_pass`: for little data soon, since compiling takes longer there.

    At LLVM's lower level an epoch of an MLP or of convolutions runs as fast, and one with a
    mixture of logistics up to a tenth slower.
    """
    run = _run_soon if data.shape[0] <= COARSE else _run_well
    return run(state, fixed, data, *given, **options)
