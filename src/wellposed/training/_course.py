"""Decisions between two epochs, for a single training and for each member of a grid."""

import dataclasses
import math
from typing import Any, Self

import numpy as np

from wellposed._errors import DamagedFileError

from ._history import COLUMNS, LAGGING, History
from ._lagging import is_aggressive
from ._outcome import Outcome
from ._pass import EpochFigures
from ._plan import Plan
from ._run import Run


@dataclasses.dataclass(frozen=True)
class Course:
    """Record of a training on the host: epochs so far, the best epoch, and the outcome.

    :meth:`after` is the only place that decides what follows an epoch. It depends on the record
    and on the figures of the epoch alone, so a resumed training takes the same decisions.
    """

    plan: Plan
    n_held: int
    n_monitored: int
    history: History
    best_value: float = -math.inf  # held-out objective of the best epoch, nats a datum
    best_epoch: int = 0  # 0 before the first
    outcome: Outcome | None = None  # None while the training goes on

    @classmethod
    def start(cls, plan: Plan, n_held: int, n_monitored: int) -> Self:
        """Return the course before the first epoch, from the numbers of rows of the split."""
        columns = (*COLUMNS, *LAGGING) if plan.encoder_steps else COLUMNS
        course = cls(plan, n_held, n_monitored, History((), columns))
        return course if plan.n_epochs else course._with_outcome()

    def back_at_start(self) -> Self:
        """Return the course of a training that keeps the model before the first epoch."""
        return dataclasses.replace(self, best_epoch=0)

    @property
    def n_epochs(self) -> int:
        """Number of epochs trained."""
        return len(self.history.rows)

    @property
    def is_best(self) -> bool:
        """Whether the last epoch is the best so far."""
        return self.best_epoch == self.n_epochs

    @property
    def encoder_steps(self) -> np.ndarray | None:
        """Encoder-only updates before each decoder update in the next epoch; None: plain epoch."""
        aggressive = is_aggressive(self.plan, self.history, self.n_monitored)
        return np.asarray(self.plan.encoder_steps, np.int32) if aggressive else None

    def after(self, figures: EpochFigures, information: float = math.nan) -> Self:
        """Return the course after an epoch.

        An epoch that is not finite is dropped: the history stays, and the outcome is
        ``nonfinite``. Without held-out rows the last epoch is the best.

        Parameters
        ----------
        figures : EpochFigures
            Measurements of the epoch, on the host.
        information : float
            I(x; z) after the epoch, nats a datum; NaN outside an aggressive encoder phase.
        """
        if not figures.is_finite:
            return dataclasses.replace(self, outcome=Outcome.nonfinite)
        held = figures.held
        value = -math.inf if held is None else float(held.value)
        history = self.history.with_epoch(
            figures.training,
            held,
            float(figures.noise_variance),
            float(figures.learning_rate),
            (information, float(figures.encoder_steps)),
        )
        reached = dataclasses.replace(self, history=history)
        if held is None or value > self.best_value:
            reached = dataclasses.replace(reached, best_value=value, best_epoch=reached.n_epochs)
        return reached._with_outcome()

    def interrupt(self) -> Self:
        """Return the course with the outcome ``interrupted``."""
        return dataclasses.replace(self, outcome=Outcome.interrupted)

    def ended_as(self, run: Run) -> Self:
        """Return the course of a run that has ended."""
        value = -math.inf
        if run.best_epoch and self.n_held:
            value = float(run.history.column("held_out_objective")[run.best_epoch - 1])
        return dataclasses.replace(
            self,
            history=run.history,
            best_value=value,
            best_epoch=run.best_epoch,
            outcome=run.outcome,
        )

    def restore(self, rows: Any, best_value: float, best_epoch: Any) -> Self:
        """Return the course that a checkpoint contains.

        Parameters
        ----------
        rows : list of list of float
            One row of the history an epoch.
        best_value : float
            Held-out objective of the best epoch, nats a datum.
        best_epoch : int
            Its number; 0 before the first.

        Raises
        ------
        DamagedFileError
            If no training can have written these values.
        """
        history = History.read(rows, self.history.columns)
        if type(best_epoch) is not int or not 0 <= best_epoch <= len(history.rows):
            raise DamagedFileError(
                f"A checkpoint's best epoch must be one of its {len(history.rows)}; got "
                f"{best_epoch}. Delete the checkpoint to train from the start."
            )
        reached = dataclasses.replace(
            self, history=history, best_value=best_value, best_epoch=best_epoch
        )
        return reached._with_outcome()

    def to_record(self) -> list:
        """Return the course as a list of JSON values."""
        ended = self.outcome and self.outcome.value
        return [self.history.rows, self.best_value, self.best_epoch, ended]

    def from_record(self, record: Any) -> Self:
        """Return the course of :meth:`to_record`.

        Raises
        ------
        DamagedFileError
            If no training can have written this record.
        """
        outcomes: dict[str | None, Outcome | None] = {None: None}
        outcomes |= {outcome.value: outcome for outcome in Outcome}
        match record:
            case [rows, float(best_value), best_epoch, None | str() as ended] if ended in outcomes:
                course = self.restore(rows, best_value, best_epoch)
                return dataclasses.replace(course, outcome=outcomes[ended])
        raise DamagedFileError(
            "A checkpoint of several trainings must hold the history, the best epoch and the "
            "outcome of each; this one does not. Delete it to train from the start."
        )

    def _with_outcome(self) -> Self:
        """Set the outcome where the patience or the epochs are used up."""
        plan, outcome = self.plan, None
        waited = self.n_epochs - max(self.best_epoch, plan.kl_warmup)
        if self.n_held and plan.patience is not None and waited >= plan.patience:
            outcome = Outcome.converged
        elif self.n_epochs >= plan.n_epochs:
            outcome = Outcome.converged if self.history.settled else Outcome.budget_spent
        return dataclasses.replace(self, outcome=outcome)
