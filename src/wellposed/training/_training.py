"""One training: checks, split of the rows, first state, decisions after an epoch, result."""

import dataclasses
import functools
import hashlib
import math
import os
from collections.abc import Callable
from typing import Any, Self

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from wellposed import hosts
from wellposed._checks import check_number
from wellposed._errors import SettingError
from wellposed._typing import PRNGKey, Tree
from wellposed.models import VAEModel, check_bounded, trainable
from wellposed.models.labelled import LabelledVAE
from wellposed.numerics import host_generator
from wellposed.objectives import AbstractObjective

from ._checkpoint import Checkpoint, fingerprint
from ._course import Course
from ._epoch import TrainState, initial_state, steps_in
from ._lagging import information
from ._member import Member
from ._optimiser import Rates
from ._outcome import Outcome
from ._pass import (
    FOLDS,
    INFORMATION,
    REFIT,
    SPLIT,
    EpochFigures,
    Split,
    epoch_program,
)
from ._refit import refit_noise
from ._rows import Rows, pad_rows
from ._run import Run
from ._start import MOST_ROWS, START_IS_BETTER
from .mesh import DataMesh, any_of, epoch_on, every, from_first


class Position(eqx.Module):
    """Arrays of a training between two epochs; stacked for several trainings."""

    state: TrainState
    best_params: Tree


class _CheckpointTree(eqx.Module):
    """Contents of the checkpoint of a single training, without its history."""

    state: TrainState
    best_params: Tree
    best_value: np.ndarray
    best_epoch: np.ndarray


@dataclasses.dataclass(frozen=True)
class Training:
    """The parts of a training that no epoch changes."""

    member: Member
    params: Tree  # before the first epoch
    fixed: Tree
    data: jax.Array
    split: Split
    mesh: DataMesh | None = None

    @classmethod
    def of(cls, member: Member, n: int, data: jax.Array, mesh: DataMesh | None = None) -> Self:
        """Check a training and split its rows.

        Parameters
        ----------
        member : Member
        n : int
            Number of rows.
        data : array of shape (bucket, d), data units
            The rows on the device, padded to their bucket.
        mesh : devices over which batches are spread; the model is that of process 0

        Raises
        ------
        UnboundedLikelihoodError, SettingError
            As :func:`wellposed.training.fit` does.
        """
        model, objective = member.model, member.objective
        d = data.shape[1] - model.n_covariates
        check_bounded(model, d, allow_unbounded=member.allow_unbounded)
        _check_noise(model, objective)
        _check_mesh(member, mesh)
        if mesh is not None and mesh.n_processes > 1:
            hosts.agree_on(_facts(member, data))
        split = _split(member, n)
        params, fixed = eqx.partition(model, trainable_leaves(model, objective))
        if mesh is not None:
            params, fixed = from_first((params, fixed))
        return cls(member, params, fixed, data, split, mesh)

    @property
    def batch_size(self) -> int:
        """Rows a step, at most the rows of the bucket."""
        return min(self.member.plan.batch_size, self.split.training.index.shape[0])

    def rates(self) -> Rates:
        """Return the plan's rates as arrays, its epochs counted in steps."""
        return Rates.of(self.member.plan, steps_in(self.split.training.n, self.batch_size))

    def epoch(self) -> Callable[..., tuple[TrainState, EpochFigures]]:
        """Return the compiled epoch of a state, given ``split``, ``done`` and ``encoder_steps``."""
        constants: dict[str, Any] = {
            "fixed": self.fixed,
            "data": self.data,
            "objective": self.member.objective,
            "rates": self.rates(),
            "batch_size": self.batch_size,
            "key": self.member.key,
        }
        if self.mesh is not None:
            return epoch_on(self.mesh, **constants)
        return functools.partial(epoch_program(len(self.data)), **constants)

    def start(self, checkpoint: Checkpoint | None = None) -> tuple[Position, Course]:
        """Return position and course before the first epoch, or those of the checkpoint.

        Raises
        ------
        SettingError, DamagedFileError
            As :meth:`Checkpoint.load` does.
        """
        plan = self.member.plan
        parts, average = bool(plan.encoder_steps), plan.ema_decay > 0
        state = initial_state(self.params, parts=parts, average=average)
        held, monitored = self.split.held, self.split.monitored
        course = Course.start(plan, 0 if held is None else held.n, monitored.n)
        position = Position(state, self.params)
        stored = checkpoint.load(_checkpoint_tree(position, course)) if checkpoint else None
        if self.mesh is not None:
            _check_same_start(0 if stored is None else len(stored[1]))
        if stored is None:
            return position, course
        tree, rows = stored
        course = course.restore(rows, float(tree.best_value), int(tree.best_epoch))
        return Position(tree.state, tree.best_params), course

    @property
    def writes(self) -> bool:
        """Whether this process writes the checkpoint and shows the progress: one of a mesh does."""
        return self.mesh is None or jax.process_index() == 0

    def stops(self, flag: bool) -> bool:
        """Whether the training ends: for all processes of a mesh, if one of them says so."""
        return flag if self.mesh is None else any_of(flag)

    def settle(
        self, position: Position, course: Course, state: TrainState, figures: EpochFigures
    ) -> tuple[Position, Course]:
        """Return position and course after an epoch that reached ``state``."""
        nats = math.nan
        if figures.is_finite and course.encoder_steps is not None:
            key = jax.random.fold_in(self.member.key, INFORMATION)
            model: Any = self.model(state.reached)
            nats = information(model, self.data, self.split.monitored, key=key)
        course = course.after(figures, nats)
        if course.outcome is Outcome.nonfinite:
            return position, course
        best = state.reached if course.is_best else position.best_params
        return Position(state, best), course

    def save(
        self, checkpoint: Checkpoint, position: Position, course: Course, *, now: bool = False
    ) -> None:
        """Write the checkpoint; see :meth:`Checkpoint.save`."""
        if self.writes:
            checkpoint.save(_checkpoint_tree(position, course), course.history.rows, now=now)

    def model(self, params: Tree) -> VAEModel | LabelledVAE:
        """Return the model with these parameters."""
        return eqx.combine(params, self.fixed).with_fixed_prior()

    @property
    def compared(self) -> Rows | None:
        """Held-out rows on which the best epoch is compared with the start."""
        held = self.split.held
        if held is None or held.n <= MOST_ROWS:
            return held
        return Rows.of(held.host[:MOST_ROWS], held.weights)

    def _start_is_better(self, best: Tree) -> bool:
        if self.compared is None:
            return False
        return bool(
            START_IS_BETTER(
                self.params,
                best,
                self.fixed,
                self.data,
                self.compared,
                self.member.objective,
                batch_size=self.batch_size,
                key=self.member.key,
            )
        )

    def run(self, position: Position, course: Course) -> Run:
        """Return the result: the best epoch, or the start where it is better on held-out rows.

        Where the objective leaves σ² free, it is solved in closed form after a training.
        """
        best = position.best_params
        if course.n_epochs and self._start_is_better(best):
            best, course = self.params, course.back_at_start()
        model: Any = self.model(best)
        if self.member.objective.refits_noise and course.best_epoch:
            model = refit_noise(
                model,
                self.data,
                self.split.training,
                batch_size=self.batch_size,
                key=jax.random.fold_in(self.member.key, REFIT),
            )
        ended = course.outcome or Outcome.interrupted
        d, best = self.data.shape[1] - model.n_covariates, course.best_epoch
        return Run.of(model, course.history, ended, d, best_epoch=best)


def training_identity(member: Member, data: np.ndarray) -> str:
    """Return the digest of the settings and the data that determine a training."""
    decisive = (data, member.model, member.objective, jax.random.key_data(member.key))
    further = [part for part in (member.held, member.weights) if part is not None]
    settings = member.plan, member.validation_fraction, len(member.folds), member.held is None
    return fingerprint((*decisive, *further), *settings)


def identity_on(mesh: DataMesh | None, identity: str) -> str:
    """Return the identity of a training on a mesh: that of process 0, and the number of shards."""
    if mesh is None:
        return identity
    digest = np.frombuffer(hashlib.sha256(identity.encode()).digest(), np.uint8)
    return f"{np.asarray(from_first(digest)).tobytes().hex()} {mesh.shards}"


def checkpoint_on(mesh: DataMesh | None, path: str | os.PathLike, identity: str) -> Checkpoint:
    """Return the checkpoint of a training, of whose processes the first writes."""
    writes = mesh is None or jax.process_index() == 0
    return Checkpoint.at(path, identity_on(mesh, identity), writes=writes)


def trainable_leaves(model: VAEModel | LabelledVAE, objective: AbstractObjective) -> Tree:
    """Mask of the leaves to train: trainable ones in which the objective has a gradient."""
    if isinstance(model, LabelledVAE):
        return model.trainable()
    mask = trainable(model)
    learned = model.noise.parameters()
    if objective.trains_noise or not learned:
        return mask
    return eqx.tree_at(lambda m: m.noise.parameters(), mask, (False,) * len(learned))


def _checkpoint_tree(position: Position, course: Course) -> Any:
    value = np.asarray(course.best_value, jnp.result_type(float))
    epoch = np.asarray(course.best_epoch, np.int32)
    return _CheckpointTree(position.state, position.best_params, value, epoch)


def split_rows(n: int, fraction: float, *, key: PRNGKey) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows to train on and those to hold out, in random order, drawn on the host.

    Parameters
    ----------
    n : number of rows
    fraction : ``validation_fraction`` of the training
    key : PRNG key of the training

    Examples
    --------
    >>> training, held_out = split_rows(10, 0.2, key=jax.random.key(0))
    >>> len(training), len(held_out)
    (8, 2)
    """
    check_number("validation_fraction", fraction, "0.1 is usual.", low=0, below=1)
    held = min(max(1, round(fraction * n)), n - 1) if fraction > 0 else 0
    order = host_generator(jax.random.fold_in(key, SPLIT)).permutation(n)
    return order[held:], order[:held]


def split_folds(n: int, n_folds: int, *, key: PRNGKey) -> list[np.ndarray]:
    """Return the rows that each fold holds out, drawn on the host: each row is in one.

    Parameters
    ----------
    n : number of rows
    n_folds : number of folds
    key : PRNG key of the training

    Raises
    ------
    SettingError
        For fewer than two folds, or fewer rows than folds.

    Examples
    --------
    >>> [len(held) for held in split_folds(10, 3, key=jax.random.key(0))]
    [4, 3, 3]
    """
    if not 2 <= n_folds <= n:
        raise SettingError(
            f"There are at least two folds and at most one for each of the {n} rows; got "
            f"{n_folds}. Use 5, or 0, which holds out a share of the rows."
        )
    order = host_generator(jax.random.fold_in(key, FOLDS)).permutation(n)
    return np.array_split(order, n_folds)


def _split(member: Member, n: int) -> Split:
    training, held = split_rows(n, member.validation_fraction, key=member.key)
    if member.held is not None:
        training, held = np.setdiff1d(np.arange(n), member.held), member.held
    weights = _row_weights(member.weights, n)
    return Split(Rows.of(training, weights), Rows.of(held, weights) if len(held) else None)


def _row_weights(weights: np.ndarray | None, n: int) -> jax.Array | None:
    if weights is None:
        return None
    if weights.shape != (n,) or not (weights > 0).all():
        raise SettingError(
            f"There must be a weight above zero for each of the {n} rows; got weights of shape "
            f"{weights.shape}, the least {weights.min():.3g}. Leave out rows of weight zero."
        )
    return jax.device_put(pad_rows(weights.astype(jnp.result_type(float))))


def _facts(member: Member, data: jax.Array) -> dict[str, str]:
    """Return what all processes of a training must have alike, as texts by name."""
    plan = {f.name: repr(getattr(member.plan, f.name)) for f in dataclasses.fields(member.plan)}
    model: Any = jax.eval_shape(lambda: eqx.filter(member.model, eqx.is_array))
    return plan | {
        "seed": str(jax.random.key_data(member.key)),
        "objective": repr(member.objective),
        "model": fingerprint((), model),
        "data": fingerprint((data, member.weights, member.held)),
    }


def _check_mesh(member: Member, mesh: DataMesh | None) -> None:
    if mesh is None or not member.plan.encoder_steps:
        return
    raise SettingError(
        "An aggressive encoder phase trains on one device; got encoder_steps="
        f"{member.plan.encoder_steps} with {len(mesh.devices)} device(s) of a mesh. Leave one of "
        "them out."
    )


def _check_same_start(n_epochs: int) -> None:
    starts = [int(each) for each in every(np.asarray(n_epochs))]
    if len(set(starts)) > 1:
        raise SettingError(
            "All processes must resume from one checkpoint; got files after "
            f"{', '.join(map(str, starts))} epochs. Name a file in a folder of all machines."
        )


def _check_noise(model: Any, objective: AbstractObjective) -> None:
    if objective.trains_noise or model.noise.has_exact_refit:
        return
    raise SettingError(
        f"{type(objective).__name__} trains no noise variance, and what it leaves open can be "
        "solved after training for a Gaussian alone, unless its variance depends on z; got "
        f'{type(model.noise).__name__}. Use noise="shared" or objective="elbo".'
    )
