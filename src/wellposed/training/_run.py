"""The result of a training."""

import dataclasses
from typing import Self

import numpy as np

from wellposed._html import table
from wellposed.models import VAEModel
from wellposed.models.labelled import LabelledVAE

from ._history import History
from ._outcome import Outcome


@dataclasses.dataclass(frozen=True)
class Run:
    """Result of a training.

    Parameters
    ----------
    model : VAEModel
        The model of the best epoch.
    history : History
        Measurements of each epoch.
    outcome : Outcome
        How the training ended.
    reason : str
        Explanation and remedy for the user; empty where no remedy is needed.
    best_epoch : int
        Number of the epoch that the model is of, from 1; 0 is the start, on which no epoch
        improved.

    Examples
    --------
    >>> from wellposed.training import Plan, fit
    >>> run = fit(vae.model_, X, key=key, plan=Plan(max_epochs=2))
    >>> isinstance(run, Run), len(run.history.rows)
    (True, 2)
    """

    model: VAEModel | LabelledVAE
    history: History
    outcome: Outcome
    reason: str
    best_epoch: int

    @classmethod
    def of(
        cls,
        model: VAEModel | LabelledVAE,
        history: History,
        outcome: Outcome,
        n_features: int,
        *,
        best_epoch: int,
    ) -> Self:
        """Make the result with its reason; ``n_features`` is d, the number of columns."""
        reason = outcome.message
        if outcome is Outcome.nonfinite:
            cause = (
                "The noise has no floor, so σ can shrink to zero on one datum: give it a floor"
                if not np.isfinite(model.log_density_bound(n_features))
                else "Most likely the steps were too large: lower learning_rate, or set clip_norm"
            )
            reason += f" It happened in epoch {len(history.rows) + 1}. {cause}."
        return cls(model.with_fixed_prior(), history, outcome, reason, best_epoch)

    def _repr_html_(self) -> str:
        caption = f"{self.outcome.value} after {len(self.history.rows)} epochs. {self.reason}"
        return table(caption, self.history.columns, self.history.rows)
