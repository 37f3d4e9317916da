"""Trainings of one shape as one program: each epoch of all of them is compiled as one.

On an accelerator one small network leaves most of the machine idle, and a batch of them fills it.
The members share the data, and nothing else; each takes the course that it would take alone.
"""

import dataclasses
import os
from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from wellposed._bar import Bar
from wellposed._compiled import compiled
from wellposed._errors import DamagedFileError
from wellposed._typing import PRNGKey, Tree

from .._checkpoint import Checkpoint, fingerprint
from .._epoch import TrainState, fresh_state
from .._fit import Loop, Run, ended_run, identity_of, is_finite, outcome_of, prepared
from .._history import History, check_epoch
from .._member import Member
from .._outcome import Outcome
from .._pass import REFIT, Seen, Split, one_pass
from .._refit import refit_noise
from .._rows import Rows, filled_up
from .stack import chosen, shape_of, stacked, taken


@dataclasses.dataclass(frozen=True)
class _Course:
    """What the host knows of one member."""

    history: History = dataclasses.field(default_factory=History)
    best_value: float = -np.inf
    best_epoch: int = 0
    outcome: Outcome | None = None

    def record(self) -> list:
        """All of it, as JSON has it."""
        ended = self.outcome and self.outcome.value
        return [self.history.rows, self.best_value, self.best_epoch, ended]

    @classmethod
    def of(cls, record: list) -> "_Course":
        """Undo :meth:`record`.

        Raises
        ------
        DamagedFileError
            If it is none.
        """
        outcomes = {outcome.value: outcome for outcome in Outcome}
        match record:
            case [rows, float(best_value), best_epoch, None | str() as ended] if (
                ended is None or ended in outcomes
            ):
                history = History.read(rows)
                check_epoch(best_epoch, history)
                return cls(history, best_value, best_epoch, outcomes[ended] if ended else None)
        raise DamagedFileError(
            "A checkpoint of several trainings must say of each where it stands; this one does "
            "not. Delete it to train from the start."
        )


class _Stand(eqx.Module):
    """Where all members stand between two epochs."""

    state: TrainState
    best_params: Tree


@dataclasses.dataclass(frozen=True)
class Together:
    """Members of one shape, for which :func:`together_shape` returns the same.

    ``batch_size`` rows of each member are seen a step. Where there are several devices, the
    members are spread over them; copies of the last one fill up the devices, and are dropped.
    """

    members: tuple[Member, ...]
    rows: np.ndarray
    loops: tuple[Loop, ...]
    params: tuple[Tree, ...]
    devices: tuple[Any, ...]

    @classmethod
    def of(cls, members: Sequence[Member], data: np.ndarray, devices: Sequence[Any]) -> "Together":
        """Check all members; ``data``, of shape (n, d), are shared."""
        placed = jax.device_put(filled_up(data))
        loops, params = zip(
            *(prepared(member, len(data), placed) for member in members), strict=True
        )
        return cls(tuple(members), data, loops, params, tuple(devices))

    def run(
        self, *, checkpoint: str | os.PathLike | None = None, progress: bool | str = False
    ) -> list[Run]:
        """Train all; a member that ends, or turns non-finite, stands still while others go on."""
        first = self.loops[0]
        file = None
        if checkpoint is not None:
            whole = [identity_of(member, self.rows) for member in self.members]
            file = Checkpoint.at(checkpoint, fingerprint((), whole))
        shared = self._placed(self._stack([self._constants(loop) for loop in self.loops]))
        data = jax.device_put(first.data, self._sharding(PartitionSpec()))
        stand, courses = self._start(file)
        bar = Bar(first.plan.max_epochs, progress)
        try:
            while any(course.outcome is None for course in courses):
                stand, courses = self._epoch(stand, courses, shared, data)
                bar.show(max(len(c.history.rows) for c in courses), _standing(courses))
                if file:
                    file.save(stand, _records(courses))
        except KeyboardInterrupt:
            pass  # those that have not ended are interrupted
        finally:
            bar.close()
            if file and any(course.history.rows for course in courses):
                file.save(stand, _records(courses), now=True)
        return self._ended(stand, courses, shared, data)

    def _start(self, file: Checkpoint | None) -> tuple[_Stand, list[_Course]]:
        fresh = [_Stand(fresh_state(params), params) for params in self.params]
        stand = self._placed(self._stack(fresh))
        courses = [_Course() for _ in self.members]
        stored = file.load(stand) if file else None
        if stored is not None:
            stand, records = self._placed(stored[0]), stored[1]
            if len(records) != len(self.members):
                raise DamagedFileError(
                    f"The checkpoint must hold {len(self.members)} trainings; it holds "
                    f"{len(records)}. Delete it to train from the start."
                )
            courses = [_Course.of(record) for record in records]
        return stand, courses

    def _constants(self, loop: Loop) -> tuple:
        """All that an epoch reads and does not write, but the data."""
        held = None if loop.split.held is None else loop.split.held.index
        index = (loop.split.training.index, held)
        return loop.fixed, index, loop.objective, loop.rates, loop.key

    def _epoch(
        self, stand: _Stand, courses: list[_Course], shared: tuple, data: jax.Array
    ) -> tuple[_Stand, list[_Course]]:
        """Train an epoch, and let each member stand where the host decides that it stands."""
        done = [len(course.history.rows) for course in courses]
        reached, figures = _pass(
            stand.state,
            shared,
            data,
            self._counts,
            self._placed(jax.device_put(np.asarray(self._filled(done), np.int32))),
            batch_size=self.loops[0].batch_size,
        )
        figures = jax.device_get(figures)
        after = [
            _judged(course, loop, taken(figures, i)) if course.outcome is None else course
            for i, (course, loop) in enumerate(zip(courses, self.loops, strict=True))
        ]
        goes = [len(a.history.rows) > n for a, n in zip(after, done, strict=True)]
        better = [go and a.best_epoch == n + 1 for go, a, n in zip(goes, after, done, strict=True)]
        flags = jax.device_put((np.asarray(self._filled(goes)), np.asarray(self._filled(better))))
        return _settled(stand, reached, *self._placed(flags)), after

    @property
    def _counts(self) -> tuple:
        """Rows to train on and rows held out, of all members alike: one number for the batch."""
        split = self.loops[0].split
        return split.training.count, None if split.held is None else split.held.count

    def _ended(
        self, stand: _Stand, courses: list[_Course], shared: tuple, data: jax.Array
    ) -> list[Run]:
        first = self.loops[0]
        models = eqx.combine(stand.best_params, shared[0])
        trained = [bool(course.history.rows) for course in courses]
        if first.objective.refits_noise and any(trained):
            refitted = _refitted(models, shared, data, self._counts, batch_size=first.batch_size)
            flags = self._placed(jax.device_put(np.asarray(self._filled(trained))))
            models = chosen(flags, refitted, models)
        models = jax.device_get(models) if len(self.devices) > 1 else models
        return [
            ended_run(
                taken(models, i),
                course.history,
                course.outcome or Outcome.interrupted,
                self.rows.shape[1],
            )
            for i, course in enumerate(courses)
        ]

    def _stack(self, trees: Sequence[Tree]) -> Tree:
        return stacked(self._filled(trees))

    def _filled(self, values: Sequence[Any]) -> list[Any]:
        """Repeat the last one until the devices have equally many."""
        short = -len(values) % len(self.devices)
        return [*values, *[values[-1]] * short]

    def _placed(self, stack: Tree) -> Tree:
        """Spread the first axis over the devices."""
        arrays, rest = eqx.partition(stack, eqx.is_array)
        return eqx.combine(jax.device_put(arrays, self._sharding(PartitionSpec("members"))), rest)

    def _sharding(self, spec: PartitionSpec) -> NamedSharding:
        return NamedSharding(Mesh(np.array(self.devices), ("members",)), spec)


def together_shape(member: Member, n: int, data: jax.Array) -> tuple | None:
    """Return what members that train as one program have in common; None for one that must not.

    An aggressive encoder phase ends for each member at a time of its own. ``n`` rows of ``data``
    count; the rest is filling.
    """
    if member.plan.encoder_steps:
        return None
    loop, params = prepared(member, n, data)
    numbers = (loop.split.training.n, loop.n_held, loop.batch_size, member.plan.max_epochs)
    return (*shape_of((params, loop.fixed, loop.objective)), *numbers)


@compiled
def _pass(
    states: TrainState,
    shared: tuple,
    data: jax.Array,
    counts: tuple,
    done: jax.Array,
    *,
    batch_size: int,
) -> tuple[TrainState, Seen]:
    """One epoch of all members, and what each of them measured."""

    def one(state: TrainState, constants: tuple, done: jax.Array) -> Any:
        fixed, index, objective, rates, key = constants
        split = _split(index, counts)
        return one_pass(
            state, fixed, data, split, objective, rates, done, batch_size=batch_size, key=key
        )

    return eqx.filter_vmap(one)(states, shared, done)


def _split(index: tuple, counts: tuple) -> Split:
    """A member's rows; their numbers are those of all members, so that one loop serves all."""
    training, held = (None if n is None else Rows(i, n) for i, n in zip(index, counts, strict=True))
    assert training is not None
    return Split(training, held)


@compiled
def _settled(stand: _Stand, reached: TrainState, goes: jax.Array, better: jax.Array) -> _Stand:
    return _Stand(
        chosen(goes, reached, stand.state), chosen(better, reached.params, stand.best_params)
    )


@compiled
def _refitted(
    models: Tree, shared: tuple, data: jax.Array, counts: tuple, *, batch_size: int
) -> Tree:
    def one(model: Any, index: tuple, key: PRNGKey) -> Any:
        rows = _split(index, counts).training
        key = jax.random.fold_in(key, REFIT)
        return refit_noise(model, data, rows, batch_size=batch_size, key=key)

    return eqx.filter_vmap(one)(models, shared[1], shared[-1])


def _judged(course: _Course, loop: Loop, seen: Seen) -> _Course:
    """Where a member stands after an epoch; without that epoch, if anything turned non-finite."""
    trained, held = seen.trained, seen.held
    if not is_finite(trained) or (held is not None and not is_finite(held)):
        return dataclasses.replace(course, outcome=Outcome.nonfinite)
    value = -np.inf if held is None else float(held.value)
    history = course.history.with_epoch(
        trained, held, float(seen.noise_variance), float(seen.learning_rate)
    )
    reached = dataclasses.replace(course, history=history)
    if held is None or value > course.best_value:
        reached = dataclasses.replace(reached, best_value=value, best_epoch=len(history.rows))
    return dataclasses.replace(reached, outcome=_outcome(reached, loop))


def _outcome(course: _Course, loop: Loop) -> Outcome | None:
    return outcome_of(loop.plan, course.history, course.best_epoch, loop.n_held)


def _records(courses: Sequence[_Course]) -> tuple:
    return tuple(course.record() for course in courses)


def _standing(courses: Sequence[_Course]) -> str:
    """Say how many still train, and the best objective so far."""
    going = sum(course.outcome is None for course in courses)
    best = max((c.history.watched.max() for c in courses if c.history.rows), default=np.nan)
    return f"{going} of {len(courses)} models train  best objective {best:.2f} nats"
