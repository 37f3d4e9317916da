"""The training loop over chunks: one compiled program a chunk, the next one read meanwhile."""

import contextlib
import dataclasses
import functools
import os
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int

from wellposed import hosts
from wellposed._compiled import compiled
from wellposed._errors import SettingError
from wellposed._forks import check_process
from wellposed._typing import Data, PRNGKey, Scalar, Tree
from wellposed.objectives import AbstractObjective
from wellposed.sources import ahead, check_same

from .._epoch import Metrics, TrainState, run_epoch
from .._fit import Callback, run_epochs
from .._member import Member
from .._optimiser import Rates
from .._pass import EPOCHS, EpochFigures, look
from .._plan import Plan
from .._rows import Rows, bucket, pad_rows
from .._run import Run
from .._training import Training, checkpoint_on, training_identity
from ..mesh import DataMesh, Steps, look_on
from .chunks import Chunks


def fit_chunks(
    member: Member,
    chunks: Chunks,
    kept: np.ndarray,
    *,
    checkpoint: str | os.PathLike | None = None,
    callbacks: Sequence[Callback] = (),
    progress: bool | str = False,
    mesh: DataMesh | None = None,
) -> Run:
    """Train on chunks of rows; a resumed training ends with the same model, bit for bit.

    An epoch is a pass, or 2^20 rows where a pass has more: after each the rows held out are
    evaluated, and the history gets a line.

    Parameters
    ----------
    member : Member
        Its ``held`` are positions in ``kept``; its plan counts passes.
    chunks : the rows to train on; those held out are not among them
    kept : array of shape (m, d), data units
        Rows in memory: those held out, and some of the others, from which the noise of an
        objective that leaves it free is solved.
    checkpoint, callbacks, progress, mesh : as of :func:`wellposed.training.fit_member`; on a mesh
        each process reads all chunks

    Raises
    ------
    UnboundedLikelihoodError, SettingError
        As :func:`wellposed.training.fit` does; for ``encoder_steps``, which need all rows.
    DataError
        If the data change during the training.

    Examples
    --------
    >>> import wellposed as wp
    >>> source = wp.sources.open_source(X)
    >>> streamed = wp.VAE(1, hidden=(4,), max_epochs=2, random_state=0).fit(source)  # through it
    >>> streamed.n_components_
    1
    """
    check_process()
    if member.plan.encoder_steps:
        raise SettingError(
            "An aggressive encoder phase draws from all rows, and needs them in memory; got "
            f"encoder_steps={member.plan.encoder_steps} with a source. Leave it out, or fit to "
            "an array."
        )
    plan = member.plan
    member = dataclasses.replace(member, plan=chunks.plan(plan))
    training = Training.of(member, len(kept), jax.device_put(pad_rows(kept)), mesh)
    epochs = Epochs.of(training, chunks, plan)
    file = None
    if checkpoint is not None:
        identity = training_identity(member, kept) + epochs.identity
        file = checkpoint_on(mesh, checkpoint, identity)
    run = run_epochs(training, epochs, file, callbacks, progress=progress)
    check_same(epochs.identity, chunks.identity(), chunks)
    return run


@dataclasses.dataclass(frozen=True)
class Epochs:
    """Epochs of a training over chunks, called as the compiled epoch in memory is.

    Parameters
    ----------
    training : on the rows that are kept in memory
    chunks : the rows to train on
    passes : over all rows, in the whole training
    identity : of the chunks, when the training began
    rates : of the plan, its epochs counted in steps
    index : of the rows of a chunk, on the device
    """

    training: Training
    chunks: Chunks
    passes: int
    identity: str
    rates: Rates
    index: jax.Array

    @classmethod
    def of(cls, training: Training, chunks: Chunks, plan: Plan) -> "Epochs":
        """Make the epochs of a training, from the plan that counts passes."""
        most = bucket(chunks.chunk_rows)
        rates = Rates.of(plan, chunks.steps_a_pass(min(plan.batch_size, most)))
        index = jax.device_put(np.arange(most, dtype=np.int32))
        return cls(training, chunks, plan.n_epochs, chunks.identity(), rates, index)

    def __call__(
        self, state: TrainState, *, done: np.int32, split: object = None, encoder_steps: None = None
    ) -> tuple[TrainState, EpochFigures]:
        """Train the epoch after ``done`` others, and evaluate it on the rows held out."""
        del split, encoder_steps
        training, n_epochs = self.training, self.training.member.plan.n_epochs
        # Each pass is checked once, in its first epoch.
        places = self.chunks.of_epoch(int(done), n_epochs, self.passes)
        if any(chunk == 0 for _, chunk in places):
            check_same(self.identity, self.chunks.identity(), self.chunks)
        size = min(training.member.plan.batch_size, bucket(self.chunks.chunk_rows))
        constants: dict[str, Any] = {
            "fixed": training.fixed,
            "objective": training.member.objective,
            "rates": self.rates,
            "batch_size": size,
            "key": training.member.key,
        }
        step = functools.partial(_TRAIN_CHUNK, **constants)
        if training.mesh is not None:
            step = _chunk_on(training.mesh, **constants)
        seen: list[tuple[Metrics, int]] = []
        with contextlib.closing(ahead(self._rows, places)) as arrivals:
            for place, (data, rows) in zip(places, arrivals, strict=True):
                state, metrics = step(state, data=data, rows=rows, at=np.asarray(place, np.int32))
                if seen:  # one chunk is under way, and one is read: no more are in memory
                    jax.block_until_ready(seen[-1][0].value)
                    hosts.beat()
                seen.append((metrics, rows.n))
        held, variance, rate = self._evaluate(state)
        figures = EpochFigures(_mean(seen), held, variance, rate, jnp.zeros(()))
        return state, figures

    def _rows(self, place: tuple[int, int]) -> tuple[jax.Array, Rows]:
        """Read a chunk, put it on the device, and pad it to the rows of all chunks."""
        data = self.chunks.read(*place)
        padded = np.empty((bucket(self.chunks.chunk_rows), *data.shape[1:]), data.dtype)
        padded[: len(data)], padded[len(data) :] = data, 0
        return jax.device_put(padded), Rows(self.index, np.asarray(len(data), np.int32))

    def _evaluate(self, state: TrainState) -> tuple[Metrics | None, Scalar, Scalar]:
        training = self.training
        constants: dict[str, Any] = {
            "fixed": training.fixed,
            "data": training.data,
            "held": training.split.held,
            "objective": training.member.objective,
            "rates": self.rates,
            "batch_size": training.batch_size,
            "key": training.member.key,
        }
        return (
            _LOOK(state, **constants)
            if training.mesh is None
            else look_on(training.mesh, state, **constants)
        )


def train_chunk(
    state: TrainState,
    fixed: Tree,
    data: Data,
    rows: Rows,
    objective: AbstractObjective,
    rates: Rates,
    *,
    at: Int[Array | np.ndarray, "2"],
    batch_size: int,
    key: PRNGKey,
) -> tuple[TrainState, Metrics]:
    """Visit every row of a chunk once; ``at`` is the number of the pass and of the chunk."""
    inputs: Any = (fixed, data, rows, objective, rates)
    return run_epoch(state, *inputs, batch_size=batch_size, key=_chunk_key(key, at))


def _chunk_key(key: PRNGKey, at: Int[Array | np.ndarray, "2"]) -> PRNGKey:
    return jax.random.fold_in(jax.random.fold_in(jax.random.fold_in(key, EPOCHS), at[0]), at[1])


def _chunk_on(
    mesh: DataMesh, fixed: Tree, objective: AbstractObjective, rates: Rates, **settings: Any
) -> Callable[..., tuple[TrainState, Metrics]]:
    """Return what :func:`train_chunk` does, on the devices of a mesh."""
    key, batch_size = settings["key"], settings["batch_size"]

    def step(
        state: TrainState, data: Data, rows: Rows, at: np.ndarray
    ) -> tuple[TrainState, Metrics]:
        steps = Steps.of(mesh, fixed, data, objective, rates, batch_size)
        return steps.train(state, rows, key=_chunk_key(key, at))

    return step


_TRAIN_CHUNK: Callable[..., Any] = compiled(train_chunk)
_LOOK: Callable[..., Any] = compiled(look)


def _mean(seen: list[tuple[Metrics, int]]) -> Metrics:
    """Return the means over all rows, and the largest gradient."""
    on_host = [(jax.device_get(metrics), n) for metrics, n in seen if n]
    weights = np.array([n for _, n in on_host], float)

    def mean(name: str) -> np.ndarray:
        values = np.array([getattr(metrics, name) for metrics, _ in on_host])
        return np.asarray(values @ weights / weights.sum())

    norm = np.asarray(max(float(metrics.gradient_norm) for metrics, _ in on_host))
    return Metrics(mean("value"), mean("log_likelihood"), mean("kl"), norm)  # type: ignore[arg-type]
