"""One epoch as one program: train, evaluate on the held-out rows, return the figures."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int

from wellposed._compiled import compiled, compiled_soon
from wellposed._typing import Data, PRNGKey, Scalar, Tree
from wellposed.objectives import AbstractObjective

from ._epoch import Metrics, TrainState, evaluate_held_out, run_epoch
from ._lagging import run_lagging_epoch
from ._optimiser import Rates
from ._rows import COARSE, Rows

# Numbers folded into a training's key, one for each use; I(x; z) is measured on the host.
SPLIT, EPOCHS, HELD_OUT, REFIT, INFORMATION, FOLDS, START = range(7)


class Split(eqx.Module):
    """Rows to train on, and held-out rows that choose the best epoch, if any."""

    training: Rows
    held: Rows | None

    @property
    def monitored(self) -> Rows:
        """The held-out rows, or the training rows where too few are held out."""
        return self.held if self.held is not None and self.held.n > 1 else self.training


class EpochFigures(eqx.Module):
    """Measurements of one epoch."""

    training: Metrics
    held: Metrics | None
    noise_variance: Scalar  # mean over features, model units; NaN where it depends on z
    learning_rate: Scalar  # after the epoch
    encoder_steps: Scalar  # encoder-only updates before each decoder update, on average

    @property
    def is_finite(self) -> bool:
        """Whether objectives and gradients are finite, in training and on held-out rows."""
        return self.training.is_finite and (self.held is None or self.held.is_finite)


def train_epoch(
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
) -> tuple[TrainState, EpochFigures]:
    """Train the epoch after ``done`` others, and evaluate it on the rows held out.

    ``key`` is the training's; ``encoder_steps`` is given in an aggressive encoder phase.
    """
    inputs: Any = (fixed, data, split.training, objective, rates)
    options: Any = {
        "batch_size": batch_size,
        "key": jax.random.fold_in(jax.random.fold_in(key, EPOCHS), done),
    }
    steps = jnp.zeros(())
    if encoder_steps is None:
        state, training = run_epoch(state, *inputs, **options)
    else:
        state, training, steps = run_lagging_epoch(
            state, *inputs, encoder_steps=encoder_steps, **options
        )
    held, variance, rate = look(
        state, fixed, data, split.held, objective, rates, batch_size=batch_size, key=key
    )
    return state, EpochFigures(training, held, variance, rate, steps)


def look(
    state: TrainState,
    fixed: Tree,
    data: Data,
    held: Rows | None,
    objective: AbstractObjective,
    rates: Rates,
    *,
    batch_size: int,
    key: PRNGKey,
) -> tuple[Metrics | None, Scalar, Scalar]:
    """Return the figures of the rows held out, the mean noise variance, and the learning rate.

    The parameters are those of :func:`train_epoch`.
    """
    metrics = None
    if held is not None:
        # The same draws every epoch: only the model changes between two epochs.
        metrics = evaluate_held_out(
            state.reached,
            fixed,
            data,
            held,
            objective,
            batch_size=min(batch_size, held.index.shape[0]),
            key=jax.random.fold_in(key, HELD_OUT),
        )
    return metrics, *beside_rows(state, fixed, rates)


def beside_rows(state: TrainState, fixed: Tree, rates: Rates) -> tuple[Scalar, Scalar]:
    """Return the mean noise variance, and the learning rate, after an epoch."""
    variance = eqx.combine(state.reached, fixed).noise.variance()
    variance = jnp.asarray(jnp.nan) if variance is None else jnp.mean(variance)
    return variance, rates.at(state.step)


_WELL, _SOON = compiled(train_epoch), compiled_soon(train_epoch)


def epoch_program(n_rows: int) -> Callable[..., tuple[TrainState, EpochFigures]]:
    """Return :func:`train_epoch` as a compiled function; few rows compile at a lower level.

    With few rows, compilation takes longer than the epochs. At LLVM's lower level an epoch of an
    MLP or of convolutions runs as fast, and one with a mixture of logistics up to a tenth slower.

    Parameters
    ----------
    n_rows : int
        Rows of the data, padded to their bucket.
    """
    return _SOON if n_rows <= COARSE else _WELL
