"""The training loop: epochs on the device, decisions between them on the host."""

import dataclasses
import os
from collections.abc import Callable, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from wellposed._errors import SettingError
from wellposed._html import table
from wellposed._typing import PRNGKey, Tree
from wellposed.models import VAEModel, check_bounded, owned
from wellposed.objectives import ELBO, AbstractObjective

from ._bar import Bar
from ._checkpoint import Checkpoint, fingerprint
from ._epoch import Metrics, TrainState, held_out, run_epoch, steps_in
from ._history import COLUMNS, LAGGING, History
from ._lagging import information, is_aggressive, run_lagging_epoch
from ._member import Member
from ._optimiser import Parts, Rates, adam
from ._outcome import Outcome
from ._plan import Plan
from ._refit import refit_noise


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
    best_value: jax.Array
    best_epoch: jax.Array


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
    objective = ELBO() if objective is None else objective
    plan = Plan() if plan is None else plan
    member = Member(model, key, objective, plan, validation_fraction, allow_unbounded)
    loop, params = prepared(member, jnp.asarray(data))
    file = None
    if checkpoint is not None:
        file = Checkpoint.at(checkpoint, identity_of(member, loop.data))
    position, history, outcome = loop.run(params, file, callbacks, progress)
    trained = eqx.combine(position.best_params, loop.fixed)
    if objective.refits_noise and len(history.rows):
        trained = refit_noise(
            trained,
            loop.data,
            loop.training,
            batch_size=loop.batch_size,
            key=loop.keys["refit"],
        )
    return ended_run(trained, history, outcome, loop.data.shape[1])


def prepared(member: Member, data: jax.Array) -> tuple["Loop", Tree]:
    """Check a training, and return all of it that no epoch changes, and what epochs start from.

    Raises
    ------
    UnboundedLikelihoodError, SettingError
        As :func:`fit` does.
    """
    model, objective = member.model, member.objective
    check_bounded(model, data.shape[1], allow_unbounded=member.allow_unbounded)
    _check_noise(model, objective)
    uses = ("split", "epochs", "held_out", "refit")
    keys: dict[str, PRNGKey] = dict(zip(uses, jax.random.split(member.key, len(uses)), strict=True))
    keys["information"] = jax.random.fold_in(member.key, len(uses))
    training, held = _split(data.shape[0], member.validation_fraction, key=keys["split"])
    params, fixed = eqx.partition(model, trained_leaves(model, objective))
    return Loop(fixed, data, training, held, objective, member.plan, keys), params


def identity_of(member: Member, data: jax.Array) -> str:
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
    training: jax.Array
    held: jax.Array
    objective: AbstractObjective
    plan: Plan
    keys: dict[str, PRNGKey]

    @property
    def batch_size(self) -> int:
        return min(self.plan.batch_size, self.training.size)

    @property
    def _watched(self) -> jax.Array:
        return self.held if self.held.size > 1 else self.training

    def run(
        self,
        params: Tree,
        checkpoint: Checkpoint | None,
        callbacks: Sequence[Callable[[EpochReport], object]],
        progress: bool | str,
    ) -> tuple[_Position, History, Outcome]:
        position, history = self._start(params, checkpoint)
        rates = Rates.of(self.plan, steps_in(self.training.size, self.batch_size))
        bar = Bar(self.plan.max_epochs, progress)
        outcome = None
        try:
            while (outcome := self._ended(position, history)) is None:
                reached = self._epoch(position, history, rates)
                if reached is None:
                    outcome = Outcome.nonfinite
                    break
                position, history = reached
                bar.update(history)
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
        nothing = jnp.asarray(-jnp.inf), jnp.zeros((), jnp.int32)
        position = _Position(state, params, *nothing)
        stored = checkpoint.load(position) if checkpoint else None
        if stored is None:
            return position, History((), columns)
        position, rows = stored
        return position, History(tuple(tuple(row) for row in rows), columns)

    def _ended(self, position: _Position, history: History) -> Outcome | None:
        return outcome_of(self.plan, history, int(position.best_epoch), self.held.size)

    def _epoch(
        self, position: _Position, history: History, rates: Rates
    ) -> tuple[_Position, History] | None:
        """Train an epoch and judge it; None if anything turned non-finite."""
        done = len(history.rows)
        aggressive = is_aggressive(self.plan, history, self._watched.size)
        state, trained, steps = self._pass(position.state, rates, done, aggressive)
        held = self._judge(state) if self.held.size else None
        trained, held, steps = jax.device_get((trained, held, steps))
        if not is_finite(trained) or (held and not is_finite(held)):
            return None
        value = -np.inf if held is None else held.value
        better = held is None or value > float(position.best_value)
        reached = _Position(
            state,
            state.params if better else position.best_params,
            jnp.asarray(value) if better else position.best_value,
            jnp.asarray(done + 1, jnp.int32) if better else position.best_epoch,
        )
        model = eqx.combine(state.params, self.fixed)
        variance = model.noise.variance()
        mean_variance = np.nan if variance is None else float(jnp.mean(variance))
        lagging = (self._information(model) if aggressive else np.nan, float(steps))
        return reached, history.with_epoch(
            trained, held, mean_variance, float(rates.at(state.step)), lagging
        )

    def _pass(
        self, state: TrainState, rates: Rates, done: int, aggressive: bool
    ) -> tuple[TrainState, Metrics, Any]:
        """One epoch, and how many steps the encoder took alone before each of the decoder's."""
        given = (state, self.fixed, self.data, self.training, self.objective, rates)
        options = {
            "batch_size": self.batch_size,
            "key": jax.random.fold_in(self.keys["epochs"], done),
        }
        if aggressive:
            most = jnp.asarray(self.plan.encoder_steps, jnp.int32)
            return run_lagging_epoch(*given, encoder_steps=most, **options)
        return *run_epoch(*given, **options), 0.0

    def _information(self, model: VAEModel) -> float:
        return information(model, self.data, self._watched, key=self.keys["information"])

    def _judge(self, state: TrainState) -> Metrics:
        # The same draws every epoch: what changes between two epochs is the model alone.
        return held_out(
            state.params,
            self.fixed,
            self.data,
            self.held,
            self.objective,
            batch_size=min(self.batch_size, self.held.size),
            key=self.keys["held_out"],
        )

    def _stop_asked(self, position: _Position, history: History, callbacks: Sequence) -> bool:
        model = eqx.combine(position.state.params, self.fixed)
        report = EpochReport(len(history.rows), history, model)
        asked = [bool(callback(report)) for callback in callbacks]  # each one is called
        return any(asked)


def outcome_of(plan: Plan, history: History, best_epoch: int, n_held: int) -> Outcome | None:
    """How a training that stands between two epochs has ended; None if it has not."""
    done = len(history.rows)
    if n_held and plan.patience is not None and done - best_epoch >= plan.patience:
        return Outcome.converged
    if done < plan.max_epochs:
        return None
    return Outcome.converged if history.settled else Outcome.budget_spent


def fresh_state(params: Tree, *, parted: bool = False) -> TrainState:
    """State before the first step; ``parted`` counts the encoder's steps apart from the rest."""
    memory = Parts.of(params) if parted else adam().init(params)
    return TrainState(params, memory, jnp.zeros(()))


def _split(n: int, fraction: float, *, key: PRNGKey) -> tuple[jax.Array, jax.Array]:
    """Rows to train on and rows to hold out, in random order."""
    if not 0 <= fraction < 1:
        raise SettingError(f"validation_fraction must lie in [0, 1); got {fraction}. 0.1 is usual.")
    held = min(max(1, round(fraction * n)), n - 1) if fraction > 0 else 0
    order = jax.random.permutation(key, n)
    return order[held:], order[:held]


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
    mask = owned(model)
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
