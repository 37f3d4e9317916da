"""The training loop: epochs on the device, decisions between them on the host."""

import dataclasses
import os
from collections.abc import Callable, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from wellposed._bar import Bar
from wellposed._checks import check_number
from wellposed._errors import SettingError
from wellposed._forks import check_process
from wellposed._html import table
from wellposed._typing import PRNGKey, Tree
from wellposed.models import VAEModel, check_bounded, trainable
from wellposed.numerics import host_generator
from wellposed.objectives import ELBO, AbstractObjective

from ._checkpoint import Checkpoint, fingerprint
from ._epoch import Metrics, TrainState, fresh_state, steps_in
from ._history import COLUMNS, LAGGING, History, check_epoch
from ._lagging import information, is_aggressive
from ._member import Member
from ._optimiser import Rates
from ._outcome import Outcome
from ._pass import INFORMATION, REFIT, SPLIT, Seen, Split, run_pass
from ._plan import Plan
from ._refit import refit_noise
from ._rows import Rows, filled_up


@dataclasses.dataclass(frozen=True)
class EpochReport:
    """What a callback sees after each epoch."""

    epoch: int
    history: History
    model: VAEModel


@dataclasses.dataclass(frozen=True)
class Run:
    """A finished training: the model to use, what each epoch measured, how it ended."""

    model: VAEModel
    history: History
    outcome: Outcome
    reason: str  # for the user; empty when there is nothing to say

    def _repr_html_(self) -> str:
        caption = f"{self.outcome.value} after {len(self.history.rows)} epochs. {self.reason}"
        return table(caption, self.history.columns, self.history.rows)


class _Position(eqx.Module):
    """Where a training stands between two epochs: all that a checkpoint must hold."""

    state: TrainState
    best_params: Tree
    best_value: Any  # scalars of the host
    best_epoch: Any


def fit(
    model: VAEModel,
    data: Any,
    *,
    key: PRNGKey,
    objective: AbstractObjective | None = None,
    plan: Plan | None = None,
    validation_fraction: float = 0.0,
    checkpoint: str | os.PathLike | None = None,
    callbacks: Sequence[Callable[[EpochReport], object]] = (),
    progress: bool | str = False,
    allow_unbounded: bool = False,
) -> Run:
    """Train a model by gradient ascent on an objective.

    Parameters
    ----------
    model : VAEModel, its transform and noise already fitted to the data
    data : array of shape (n, d), data units, any real dtype; kept once
    key : PRNG key; splits, order and noise all come from it
    objective : what to maximise; the ELBO by default
    plan : the numbers of the training
    validation_fraction : share of the rows held out, on which the best epoch is chosen
    checkpoint : file to write the state to; where it exists, the training goes on from it, and
        ends with the model that an uninterrupted run on the same machine ends with, bit for bit
    callbacks : called with an :class:`EpochReport` after each epoch; a true result stops
    progress : show a bar: True, False or "auto" (on a terminal)
    allow_unbounded : train a model whose likelihood has no maximum

    Raises
    ------
    UnboundedLikelihoodError
        If the model's log density bound is infinite and was not asked for.
    SettingError
        If the settings are at odds, or the checkpoint belongs to another training.
    """
    check_process()
    objective = ELBO() if objective is None else objective
    plan = Plan() if plan is None else plan
    member = Member(model, key, objective, plan, validation_fraction, allow_unbounded)
    data = np.asarray(data)
    loop, params = prepared(member, len(data), jax.device_put(filled_up(data)))
    file = None
    if checkpoint is not None:
        file = Checkpoint.at(checkpoint, identity_of(member, data))
    position, history, outcome = loop.run(params, file, callbacks, progress)
    trained = eqx.combine(position.best_params, loop.fixed)
    if objective.refits_noise and len(history.rows):
        trained = refit_noise(
            trained,
            loop.data,
            loop.split.training,
            batch_size=loop.batch_size,
            key=jax.random.fold_in(key, REFIT),
        )
    return ended_run(trained, history, outcome, data.shape[1])


def prepared(member: Member, n: int, data: jax.Array) -> tuple["Loop", Tree]:
    """Check a training, and return all of it that no epoch changes, and what epochs start from.

    Parameters
    ----------
    member : the training
    n : rows of the data
    data : on the device, filled up to a bucket

    Raises
    ------
    UnboundedLikelihoodError, SettingError
        As :func:`fit` does.
    """
    model, objective = member.model, member.objective
    check_bounded(model, data.shape[1], allow_unbounded=member.allow_unbounded)
    _check_noise(model, objective)
    split = _split(n, member.validation_fraction, key=jax.random.fold_in(member.key, SPLIT))
    params, fixed = eqx.partition(model, trained_leaves(model, objective))
    return Loop(fixed, data, split, objective, member.plan, member.key), params


def identity_of(member: Member, data: np.ndarray) -> str:
    """Digest all that decides a training's course."""
    decisive = (data, member.model, member.objective, jax.random.key_data(member.key))
    return fingerprint(decisive, member.plan, member.validation_fraction)


def ended_run(model: VAEModel, history: History, outcome: Outcome, d: int) -> Run:
    """Put a finished training together, with what the user should know of its end."""
    return Run(model, history, outcome, _reason(outcome, model, d, len(history.rows)))


@dataclasses.dataclass(frozen=True)
class Loop:
    """The parts of a training that no epoch changes."""

    fixed: Tree
    data: jax.Array
    split: Split
    objective: AbstractObjective
    plan: Plan
    key: PRNGKey

    @property
    def batch_size(self) -> int:
        return min(self.plan.batch_size, self.split.training.index.shape[0])

    @property
    def n_held(self) -> int:
        return 0 if self.split.held is None else self.split.held.n

    @property
    def rates(self) -> Rates:
        return Rates.of(self.plan, steps_in(self.split.training.n, self.batch_size))

    def run(
        self,
        params: Tree,
        checkpoint: Checkpoint | None,
        callbacks: Sequence[Callable[[EpochReport], object]],
        progress: bool | str,
    ) -> tuple[_Position, History, Outcome]:
        position, history = self._start(params, checkpoint)
        rates = self.rates
        bar = Bar(self.plan.max_epochs, progress)
        outcome = None
        try:
            while (outcome := self._ended(position, history)) is None:
                reached = self._epoch(position, history, rates)
                if reached is None:
                    outcome = Outcome.nonfinite
                    break
                position, history = reached
                bar.show(len(history.rows), history.summary)
                if checkpoint:
                    checkpoint.save(position, history.rows)
                if callbacks and self._stop_asked(position, history, callbacks):
                    outcome = Outcome.interrupted
                    break
        except KeyboardInterrupt:
            outcome = Outcome.interrupted
        finally:
            bar.close()
            if checkpoint and history.rows:
                checkpoint.save(position, history.rows, now=True)
        return position, history, outcome

    def _start(self, params: Tree, checkpoint: Checkpoint | None) -> tuple[_Position, History]:
        lagging = bool(self.plan.encoder_steps)
        state = fresh_state(params, parted=lagging)
        columns = (*COLUMNS, *LAGGING) if lagging else COLUMNS
        position = _Position(state, params, *_nothing())
        stored = checkpoint.load(position) if checkpoint else None
        if stored is None:
            return position, History((), columns)
        position, rows = stored
        history = History.read(rows, columns)
        check_epoch(int(position.best_epoch), history)
        return position, history

    def _ended(self, position: _Position, history: History) -> Outcome | None:
        return outcome_of(self.plan, history, int(position.best_epoch), self.n_held)

    def _epoch(
        self, position: _Position, history: History, rates: Rates
    ) -> tuple[_Position, History] | None:
        """Train an epoch and judge it; None if anything turned non-finite."""
        done = len(history.rows)
        aggressive = is_aggressive(self.plan, history, self.split.watched.n)
        state, seen = run_pass(
            position.state,
            self.fixed,
            self.data,
            self.split,
            self.objective,
            rates,
            np.asarray(done, np.int32),
            batch_size=self.batch_size,
            key=self.key,
            encoder_steps=np.asarray(self.plan.encoder_steps, np.int32) if aggressive else None,
        )
        seen: Seen = jax.device_get(seen)
        trained, held = seen.trained, seen.held
        if not is_finite(trained) or (held is not None and not is_finite(held)):
            return None
        value = -np.inf if held is None else held.value
        better = held is None or value > position.best_value
        reached = _Position(
            state,
            state.params if better else position.best_params,
            np.asarray(value, jnp.result_type(float)) if better else position.best_value,
            np.asarray(done + 1, np.int32) if better else position.best_epoch,
        )
        lagging = (self._information(state) if aggressive else np.nan, float(seen.encoder_steps))
        return reached, history.with_epoch(
            trained, held, float(seen.noise_variance), float(seen.learning_rate), lagging
        )

    def _information(self, state: TrainState) -> float:
        model = eqx.combine(state.params, self.fixed)
        key = jax.random.fold_in(self.key, INFORMATION)
        return information(model, self.data, self.split.watched, key=key)

    def _stop_asked(self, position: _Position, history: History, callbacks: Sequence) -> bool:
        model = eqx.combine(position.state.params, self.fixed)
        report = EpochReport(len(history.rows), history, model)
        asked = [bool(callback(report)) for callback in callbacks]  # each one is called
        return any(asked)


def _nothing() -> tuple[np.ndarray, np.ndarray]:
    """Best value and epoch before the first."""
    return np.asarray(-np.inf, jnp.result_type(float)), np.zeros((), np.int32)


def outcome_of(plan: Plan, history: History, best_epoch: int, n_held: int) -> Outcome | None:
    """How a training that stands between two epochs has ended; None if it has not."""
    done = len(history.rows)
    if n_held and plan.patience is not None and done - best_epoch >= plan.patience:
        return Outcome.converged
    if done < plan.max_epochs:
        return None
    return Outcome.converged if history.settled else Outcome.budget_spent


def _split(n: int, fraction: float, *, key: PRNGKey) -> Split:
    """Rows to train on and rows to hold out, in random order, drawn on the host."""
    check_number("validation_fraction", fraction, "0.1 is usual.", low=0, below=1)
    held = min(max(1, round(fraction * n)), n - 1) if fraction > 0 else 0
    order = host_generator(key).permutation(n)
    return Split(Rows.of(order[held:]), Rows.of(order[:held]) if held else None)


def _check_noise(model: VAEModel, objective: AbstractObjective) -> None:
    if objective.trains_noise or model.noise.solved_by_squares:
        return
    raise SettingError(
        f"{type(objective).__name__} trains no noise whose variance depends on z, and none but a "
        f"Gaussian; got {type(model.noise).__name__}. Use "
        'noise="shared", whose variance is solved after training, or objective="elbo".'
    )


def trained_leaves(model: VAEModel, objective: AbstractObjective) -> Tree:
    """Mask of the leaves to train: those the optimiser owns and the objective has a gradient in."""
    mask = trainable(model)
    learned = model.noise.learned()
    if objective.trains_noise or not learned:
        return mask
    return eqx.tree_at(lambda m: m.noise.learned(), mask, (False,) * len(learned))


def is_finite(metrics: Metrics) -> bool:
    """Whether a pass stayed finite: its objective, and the largest gradient."""
    return bool(np.isfinite([metrics.value, metrics.gradient_norm]).all())


def _reason(outcome: Outcome, model: VAEModel, d: int, epochs: int) -> str:
    if outcome is not Outcome.nonfinite:
        return outcome.message
    cause = (
        "The noise has no floor, so that σ can shrink to zero on one datum: give it one"
        if not np.isfinite(model.log_density_bound(d))
        else "Most likely the steps were too large: lower learning_rate, or set clip_norm"
    )
    return f"{outcome.message} It happened in epoch {epochs + 1}. {cause}."
