"""An epoch on the devices of a mesh, called as the compiled epoch on one device is."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from wellposed._compiled import compiled_soon
from wellposed._typing import Data, PRNGKey, Scalar, Tree
from wellposed.objectives import AbstractObjective

from .._epoch import Metrics, TrainState
from .._optimiser import Rates
from .._pass import EPOCHS, HELD_OUT, EpochFigures, Split, beside_rows
from .._rows import Rows
from .data_mesh import DataMesh
from .steps import Steps


def epoch_on(
    mesh: DataMesh,
    *,
    fixed: Tree,
    data: Data,
    objective: AbstractObjective,
    rates: Rates,
    batch_size: int,
    key: PRNGKey,
) -> Callable[..., tuple[TrainState, EpochFigures]]:
    """Return the epoch of a state, given ``split`` and ``done``, the number of epochs before.

    The parameters are those of :func:`wellposed.training._pass.train_epoch`.
    """
    steps = Steps.of(mesh, fixed, data, objective, rates, batch_size)

    def epoch(
        state: TrainState, *, split: Split, done: np.ndarray, encoder_steps: None = None
    ) -> tuple[TrainState, EpochFigures]:
        del encoder_steps
        own = jax.random.fold_in(jax.random.fold_in(key, EPOCHS), done)
        state, metrics = steps.train(state, split.training, key=own)
        held, variance, rate = _look(steps, state, fixed, split.held, rates, key=key)
        return state, EpochFigures(metrics, held, variance, rate, jnp.zeros(()))

    return epoch


def look_on(
    mesh: DataMesh,
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
    """Return the figures of the rows held out, the mean noise variance, and the learning rate."""
    size = batch_size if held is None else min(batch_size, held.index.shape[0])
    steps = Steps.of(mesh, fixed, data, objective, rates, size)
    return _look(steps, state, fixed, held, rates, key=key)


def _look(
    steps: Steps, state: TrainState, fixed: Tree, held: Rows | None, rates: Rates, *, key: PRNGKey
) -> tuple[Metrics | None, Scalar, Scalar]:
    metrics = None
    if held is not None:
        own = jax.random.fold_in(key, HELD_OUT)  # the same draws in every epoch
        metrics = steps.held(state.reached, held, key=own)
    return metrics, *_BESIDE(state, fixed, rates)


_BESIDE: Callable[..., tuple[Scalar, Scalar]] = compiled_soon(beside_rows)
