"""Trainings of one shape as one program, which trains an epoch of all of them at once.

On an accelerator one small network leaves most of the machine idle; a stack of them does not.
The members share the data only: each has the same result as when it is trained alone.
"""

import dataclasses
import os
from collections.abc import Sequence
from typing import Any, Self, cast

import equinox as eqx
import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from wellposed._bar import Bar
from wellposed._compiled import compiled
from wellposed._errors import DamagedFileError
from wellposed._typing import PRNGKey, Tree

from .._checkpoint import Checkpoint, fingerprint
from .._course import Course
from .._epoch import TrainState
from .._member import Member
from .._outcome import Outcome
from .._pass import REFIT, EpochFigures, Split, train_epoch
from .._refit import refit_noise
from .._rows import Rows, pad_rows
from .._run import Run
from .._start import start_is_better
from .._training import Position, Training, training_identity
from .stack import select_trees, stack_trees, take_tree, tree_shape


@dataclasses.dataclass(frozen=True)
class Together:
    """Members of one shape, for which :func:`common_shape` returns the same.

    Where there are several devices, the members are spread over them; copies of the last member
    fill up the devices, and are dropped.
    """

    trainings: tuple[Training, ...]
    rows: np.ndarray
    devices: tuple[Any, ...]

    @classmethod
    def of(cls, members: Sequence[Member], data: np.ndarray, devices: Sequence[Any]) -> Self:
        """Check all members; they share ``data``, of shape (n, d)."""
        padded = jax.device_put(pad_rows(data))
        trainings = tuple(Training.of(member, len(data), padded) for member in members)
        return cls(trainings, data, tuple(devices))

    def run(
        self, *, checkpoint: str | os.PathLike | None = None, progress: bool | str = False
    ) -> list[Run]:
        """Train all members; a member that ends or turns non-finite no longer changes."""
        first, file = self.trainings[0], None
        if checkpoint is not None:
            whole = [training_identity(training.member, self.rows) for training in self.trainings]
            file = Checkpoint.at(checkpoint, fingerprint((), whole))
        constants = self._place(self._stack([_constants(t) for t in self.trainings]))
        data = jax.device_put(first.data, self._sharding(PartitionSpec()))
        position, courses = self._start(file)
        with Bar(first.member.plan.max_epochs, progress) as bar:
            try:
                while any(course.outcome is None for course in courses):
                    position, courses = self._epoch(position, courses, constants, data)
                    bar.show(max(course.n_epochs for course in courses), _summary(courses))
                    if file:
                        file.save(position, _records(courses))
            except KeyboardInterrupt:
                pass  # the members without an outcome are interrupted
            finally:
                if file and any(course.n_epochs for course in courses):
                    file.save(position, _records(courses), now=True)
        return self._runs(position, courses, constants, data)

    def _start(self, file: Checkpoint | None) -> tuple[Position, list[Course]]:
        positions, courses = zip(*(training.start() for training in self.trainings), strict=True)
        position = self._place(self._stack(positions))
        stored = file.load(position) if file else None
        if stored is None:
            return position, list(courses)
        tree, records = stored
        if len(records) != len(courses):
            raise DamagedFileError(
                f"The checkpoint must contain {len(courses)} trainings; it contains "
                f"{len(records)}. Delete it to train from the start."
            )
        pairs = zip(courses, records, strict=True)
        return self._place(tree), [course.from_record(record) for course, record in pairs]

    def _train(
        self,
        position: Position,
        courses: list[Course],
        constants: tuple,
        data: jax.Array,
        counts: tuple,
    ) -> tuple[TrainState, EpochFigures]:
        """Run the next epoch of all members, its figures on the host."""
        done = [course.n_epochs for course in courses]
        states, figures = _train_epochs(
            position.state,
            constants,
            data,
            counts,
            self._place(jax.device_put(np.asarray(self._fill(done), np.int32))),
            batch_size=self.trainings[0].batch_size,
        )
        return states, jax.device_get(figures)

    def _epoch(
        self, position: Position, courses: list[Course], constants: tuple, data: jax.Array
    ) -> tuple[Position, list[Course]]:
        """Train an epoch of all members; the members that have ended keep their state."""
        done = [course.n_epochs for course in courses]
        states, figures = self._train(position, courses, constants, data, self._counts)
        after = [
            course if course.outcome else course.after(take_tree(figures, i))
            for i, course in enumerate(courses)
        ]
        goes = [course.n_epochs > n for course, n in zip(after, done, strict=True)]
        better = [go and course.is_best for go, course in zip(goes, after, strict=True)]
        flags = jax.device_put((np.asarray(self._fill(goes)), np.asarray(self._fill(better))))
        return _keep(position, states, *self._place(flags)), after

    @property
    def _counts(self) -> tuple:
        """Rows to train on and rows held out, which are equally many for all members."""
        split = self.trainings[0].split
        return split.training.count, None if split.held is None else split.held.count

    def _runs(
        self, position: Position, courses: list[Course], constants: tuple, data: jax.Array
    ) -> list[Run]:
        first = self.trainings[0]
        best, courses = self._best(position, courses, constants, data)
        models = eqx.combine(best, constants[0])
        trained = [course.best_epoch > 0 for course in courses]
        if first.member.objective.refits_noise and any(trained):
            solved = _refit(models, constants, data, self._counts, batch_size=first.batch_size)
            flags = self._place(jax.device_put(np.asarray(self._fill(trained))))
            models = select_trees(flags, solved, models)
        models = jax.device_get(models) if len(self.devices) > 1 else models
        return [
            Run.of(
                take_tree(models, i),
                course.history,
                course.outcome or Outcome.interrupted,
                self.rows.shape[1] - models.n_covariates,
                best_epoch=course.best_epoch,
            )
            for i, course in enumerate(courses)
        ]

    def _best(
        self, position: Position, courses: list[Course], constants: tuple, data: jax.Array
    ) -> tuple[Tree, list[Course]]:
        """Return the best parameters of the members: the start, where it is better."""
        first, best = self.trainings[0], position.best_params
        if first.compared is None:
            return best, courses
        start = self._place(self._stack([training.params for training in self.trainings]))
        held = [cast(Rows, training.compared).index for training in self.trainings]
        index = self._place(self._stack(held))
        flags = _starts_are_better(
            start, best, constants, data, index, first.compared.count, batch_size=first.batch_size
        )
        trained = self._fill([course.n_epochs > 0 for course in courses])
        flags &= self._place(jax.device_put(np.asarray(trained)))
        stays = jax.device_get(flags)[: len(courses)]
        courses = [
            course.back_at_start() if stay else course
            for course, stay in zip(courses, stays, strict=True)
        ]
        return select_trees(flags, start, best), courses

    def _stack(self, trees: Sequence[Tree]) -> Tree:
        return stack_trees(self._fill(trees))

    def _fill(self, values: Sequence[Any]) -> list[Any]:
        """Repeat the last value until the devices have equally many."""
        short = -len(values) % len(self.devices)
        return [*values, *[values[-1]] * short]

    def _place(self, stack: Tree) -> Tree:
        """Spread the first axis over the devices."""
        arrays, rest = eqx.partition(stack, eqx.is_array)
        return eqx.combine(jax.device_put(arrays, self._sharding(PartitionSpec("members"))), rest)

    def _sharding(self, spec: PartitionSpec) -> NamedSharding:
        return NamedSharding(Mesh(np.array(self.devices), ("members",)), spec)


def common_shape(member: Member, n: int, data: jax.Array) -> tuple | None:
    """Return a key, equal for members that can train as one program; None for a member that cannot.

    A member with an aggressive encoder phase trains alone, since its phase ends at a time of its
    own; so does one with folds or weights. The first ``n`` rows of ``data`` are data; the rest is
    padding.
    """
    training = Training.of(member, n, data)
    if member.plan.encoder_steps or member.folds or member.weights is not None:
        return None
    split = training.split
    held = 0 if split.held is None else split.held.n
    numbers = (split.training.n, held, training.batch_size, member.plan.max_epochs)
    return (*tree_shape((training.params, training.fixed, member.objective)), *numbers)


def _constants(training: Training) -> tuple:
    """Arrays that an epoch reads and does not write, without the data."""
    split, member = training.split, training.member
    index = (split.training.index, None if split.held is None else split.held.index)
    return training.fixed, index, member.objective, training.rates(), member.key


@compiled
def _train_epochs(
    states: TrainState,
    constants: tuple,
    data: jax.Array,
    counts: tuple,
    done: jax.Array,
    *,
    batch_size: int,
) -> tuple[TrainState, EpochFigures]:
    """One epoch of all members, and the figures of each."""

    def one(state: TrainState, constants: tuple, done: jax.Array) -> Any:
        fixed, index, objective, rates, key = constants
        split = _split(index, counts)
        return train_epoch(
            state, fixed, data, split, objective, rates, done, batch_size=batch_size, key=key
        )

    return eqx.filter_vmap(one)(states, constants, done)


def _split(index: tuple, counts: tuple) -> Split:
    """Rows of a member; all members have equally many, so that one loop runs over all."""
    held = None if counts[1] is None else Rows(index[1], counts[1])
    return Split(Rows(index[0], counts[0]), held)


@compiled
def _keep(position: Position, reached: TrainState, goes: jax.Array, better: jax.Array) -> Position:
    return Position(
        select_trees(goes, reached, position.state),
        select_trees(better, reached.reached, position.best_params),
    )


@compiled
def _starts_are_better(
    start: Tree,
    best: Tree,
    constants: tuple,
    data: jax.Array,
    index: jax.Array,
    count: jax.Array | np.ndarray,
    *,
    batch_size: int,
) -> jax.Array:
    def one(start: Tree, best: Tree, constants: tuple, index: jax.Array) -> jax.Array:
        fixed, _, objective, _, key = constants
        held = Rows(index, count)
        return start_is_better(
            start, best, fixed, data, held, objective, batch_size=batch_size, key=key
        )

    return eqx.filter_vmap(one)(start, best, constants, index)


@compiled
def _refit(
    models: Tree, constants: tuple, data: jax.Array, counts: tuple, *, batch_size: int
) -> Tree:
    def one(model: Any, index: tuple, key: PRNGKey) -> Any:
        return refit_noise(
            model,
            data,
            _split(index, counts).training,
            batch_size=batch_size,
            key=jax.random.fold_in(key, REFIT),
            in_program=True,
        )

    return eqx.filter_vmap(one)(models, constants[1], constants[-1])


def _records(courses: Sequence[Course]) -> tuple:
    return tuple(course.to_record() for course in courses)


def _summary(courses: Sequence[Course]) -> str:
    """Text of a progress bar: number of members in training, and the best objective so far."""
    going = sum(course.outcome is None for course in courses)
    best = max((c.history.monitored.max() for c in courses if c.n_epochs), default=np.nan)
    return f"{going} of {len(courses)} models train  best objective {best:.2f} nats"
