"""Trainings of one shape as one program: each epoch of all of them is one compiled scan.

On an accelerator one small network leaves most of the machine idle, and a batch of them fills it.
The members share the data, and nothing else; each takes the course that it would take alone.
"""

import dataclasses
import os
from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from wellposed._compiled import compiled
from wellposed._typing import PRNGKey, Tree

from ._bar import Bar
from ._checkpoint import Checkpoint, fingerprint
from ._epoch import Metrics, TrainState, held_out, run_epoch, steps_in
from ._fit import Loop, Run, ended_run, fresh_state, identity_of, is_finite, outcome_of, prepared
from ._history import History
from ._member import Member
from ._optimiser import Rates
from ._outcome import Outcome
from ._refit import refit_noise
from ._stack import chosen, shape_of, stacked, taken


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
        """Undo :meth:`record`."""
        rows, best_value, best_epoch, ended = record
        history = History(tuple(tuple(row) for row in rows))
        return cls(history, best_value, best_epoch, ended and Outcome(ended))


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
    loops: tuple[Loop, ...]
    params: tuple[Tree, ...]
    devices: tuple[Any, ...]

    @classmethod
    def of(cls, members: Sequence[Member], data: jax.Array, devices: Sequence[Any]) -> "Together":
        """Check all members; ``data`` are shared."""
        loops, params = zip(*(prepared(member, data) for member in members), strict=True)
        return cls(tuple(members), loops, params, tuple(devices))

    def run(
        self, *, checkpoint: str | os.PathLike | None = None, progress: bool | str = False
    ) -> list[Run]:
        """Train all; a member that ends, or turns non-finite, stands still while others go on."""
        first = self.loops[0]
        file = None
        if checkpoint is not None:
            whole = [identity_of(member, first.data) for member in self.members]
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
            courses = [_Course.of(record) for record in records]
        return stand, courses

    def _constants(self, loop: Loop) -> tuple:
        """All that an epoch reads and does not write, but the data."""
        rates = Rates.of(loop.plan, steps_in(loop.training.size, loop.batch_size))
        return loop.fixed, loop.training, loop.held, loop.objective, rates, loop.keys

    def _epoch(
        self, stand: _Stand, courses: list[_Course], shared: tuple, data: jax.Array
    ) -> tuple[_Stand, list[_Course]]:
        """Train an epoch, and let each member stand where the host decides that it stands."""
        done = [len(course.history.rows) for course in courses]
        reached, figures = _pass(
            stand.state,
            shared,
            data,
            self._placed(jnp.asarray(self._filled(done))),
            batch_size=self.loops[0].batch_size,
        )
        figures = jax.device_get(figures)
        after = [
            _judged(course, loop, *taken(figures, i)) if course.outcome is None else course
            for i, (course, loop) in enumerate(zip(courses, self.loops, strict=True))
        ]
        goes = [len(a.history.rows) > n for a, n in zip(after, done, strict=True)]
        better = [go and a.best_epoch == n + 1 for go, a, n in zip(goes, after, done, strict=True)]
        flags = (jnp.asarray(self._filled(goes)), jnp.asarray(self._filled(better)))
        return _settled(stand, reached, *self._placed(flags)), after

    def _ended(
        self, stand: _Stand, courses: list[_Course], shared: tuple, data: jax.Array
    ) -> list[Run]:
        first = self.loops[0]
        models = eqx.combine(stand.best_params, shared[0])
        trained = [bool(course.history.rows) for course in courses]
        if first.objective.refits_noise and any(trained):
            refitted = _refitted(models, shared, data, batch_size=first.batch_size)
            flags = self._placed(jnp.asarray(self._filled(trained)))
            models = chosen(flags, refitted, models)
        models = jax.device_get(models) if len(self.devices) > 1 else models
        return [
            ended_run(
                taken(models, i),
                course.history,
                course.outcome or Outcome.interrupted,
                first.data.shape[1],
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


def together_shape(member: Member, data: jax.Array) -> tuple | None:
    """Return what members that train as one program have in common; None for one that must not.

    An aggressive encoder phase ends for each member at a time of its own.
    """
    if member.plan.encoder_steps:
        return None
    loop, params = prepared(member, data)
    constants = (params, loop.fixed, loop.objective, loop.training, loop.held)
    return (*shape_of(constants), loop.batch_size, member.plan.max_epochs)


@compiled
def _pass(
    states: TrainState, shared: tuple, data: jax.Array, done: jax.Array, *, batch_size: int
) -> tuple[TrainState, tuple[Metrics, Metrics | None, jax.Array, jax.Array]]:
    """One epoch of all members, and what each of them measured."""

    def one(state: TrainState, constants: tuple, done: jax.Array) -> Any:
        fixed, training, held, objective, rates, keys = constants
        key = jax.random.fold_in(keys["epochs"], done)
        state, trained = run_epoch(
            state, fixed, data, training, objective, rates, batch_size=batch_size, key=key
        )
        judged = None
        if held.size:
            size = min(batch_size, held.size)
            judged = held_out(
                state.params, fixed, data, held, objective, batch_size=size, key=keys["held_out"]
            )
        variance = eqx.combine(state.params, fixed).noise.variance()
        variance = jnp.asarray(jnp.nan) if variance is None else jnp.mean(variance)
        return state, (trained, judged, variance, rates.at(state.step))

    return eqx.filter_vmap(one)(states, shared, done)


@compiled
def _settled(stand: _Stand, reached: TrainState, goes: jax.Array, better: jax.Array) -> _Stand:
    return _Stand(
        chosen(goes, reached, stand.state), chosen(better, reached.params, stand.best_params)
    )


@compiled
def _refitted(models: Tree, shared: tuple, data: jax.Array, *, batch_size: int) -> Tree:
    def one(model: Any, training: jax.Array, key: PRNGKey) -> Any:
        return refit_noise(model, data, training, batch_size=batch_size, key=key)

    return eqx.filter_vmap(one)(models, shared[1], shared[-1]["refit"])


def _judged(
    course: _Course,
    loop: Loop,
    trained: Metrics,
    held: Metrics | None,
    variance: float,
    rate: float,
) -> _Course:
    """Where a member stands after an epoch; without that epoch, if anything turned non-finite."""
    if not is_finite(trained) or (held is not None and not is_finite(held)):
        return dataclasses.replace(course, outcome=Outcome.nonfinite)
    value = -np.inf if held is None else float(held.value)
    history = course.history.with_epoch(trained, held, variance, rate)
    reached = dataclasses.replace(course, history=history)
    if held is None or value > course.best_value:
        reached = dataclasses.replace(reached, best_value=value, best_epoch=len(history.rows))
    return dataclasses.replace(reached, outcome=_outcome(reached, loop))


def _outcome(course: _Course, loop: Loop) -> Outcome | None:
    return outcome_of(loop.plan, course.history, course.best_epoch, loop.held.size)


def _records(courses: Sequence[_Course]) -> tuple:
    return tuple(course.record() for course in courses)


def _standing(courses: Sequence[_Course]) -> str:
    """Say how many still train, and the best objective so far."""
    going = sum(course.outcome is None for course in courses)
    best = max((c.history.watched.max() for c in courses if c.history.rows), default=np.nan)
    return f"{going} of {len(courses)} models train  best objective {best:.2f} nats"
