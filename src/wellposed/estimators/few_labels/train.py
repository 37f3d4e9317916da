"""Training of a VAE of labelled rows, and again without some of the labels."""

import dataclasses
from typing import Any

import numpy as np

from wellposed import training
from wellposed._typing import PRNGKey, Progress
from wellposed.models.labelled import LabelledVAE
from wellposed.numerics import host_generator
from wellposed.objectives import LabelledELBO

_FEWEST_HELD = 10  # rows on which an epoch is chosen
# All labels together, in bounds of all rows. With the 0.1 of Kingma et al. (2014) the bound of rows
# of many features, hundreds of nats, decides their classes.
_SHARE = 10.0


@dataclasses.dataclass(frozen=True, eq=False)
class Setup:
    """A training but for the labels.

    Parameters
    ----------
    model : at its start
    rows : its data, array of shape (n, d)
    held : positions of the rows without a label that choose the epoch
    plan : epochs, batch size and rates
    key : PRNG key
    alpha : weight of a label, or "auto": ten times the number of rows, over the labels
    allow_unbounded : see training.Member
    weights : of the rows, with mean 1, shape (n,); None weighs them alike. A row of weight 2
        counts as two rows, and so does its label
    """

    model: LabelledVAE
    rows: np.ndarray
    held: np.ndarray
    plan: training.Plan
    key: PRNGKey
    alpha: float | str
    allow_unbounded: bool
    weights: np.ndarray | None = None

    def train(
        self,
        labels: np.ndarray,
        weights: np.ndarray | None = None,
        *,
        checkpoint: Any = None,
        progress: Progress = False,
        unit: str = "epoch",
    ) -> training.Run:
        """Train on the rows with these labels.

        Parameters
        ----------
        labels : of each row, NaN where it has none, shape (n,)
        weights : of each label beside that of its row, shape (n,); those of rows without one are
            not used
        checkpoint, progress, unit : see :func:`wellposed.training.fit_member`
        """
        places, n = np.flatnonzero(~np.isnan(labels)), len(self.rows) - len(self.held)
        of_rows = self._row_weights[places]
        own = of_rows if weights is None else weights[places] * of_rows
        # The total of the labels is that of their rows, whatever the classes weigh.
        objective = LabelledELBO.of(
            places,
            alpha=self.alpha_of(labels) * float(of_rows.mean()),
            n_rows=n,
            weights=own / own.mean(),
            n_drawn=self.plan.batch_size,
        )
        member = training.Member(
            self.model,  # type: ignore[arg-type]
            self.key,
            objective,
            self.plan,
            allow_unbounded=self.allow_unbounded,
            held=self.held,
            weights=self.weights,
        )
        data = np.concatenate([self.rows, labels[:, None].astype(self.rows.dtype)], axis=1)
        return training.fit_member(
            member, data, checkpoint=checkpoint, progress=progress, unit=unit
        )

    def alpha_of(self, labels: np.ndarray) -> float:
        """Return α, the weight of one label of these, NaN where a row has none, shape (n,)."""
        if not isinstance(self.alpha, str):
            return float(self.alpha)
        known = ~np.isnan(labels)
        n = len(self.rows) - len(self.held)
        return float(_SHARE * n / self._row_weights[known].sum())

    @property
    def _row_weights(self) -> np.ndarray:
        return np.ones(len(self.rows)) if self.weights is None else self.weights


def hold_out(labels: np.ndarray, fraction: float, *, key: PRNGKey) -> np.ndarray:
    """Return the positions of some rows without a label, a share of them; none if they are few.

    No label is held out from a training: the epoch is chosen by the bound of rows without one.
    """
    others = np.flatnonzero(np.isnan(labels))
    n = round(fraction * len(others))
    if n < _FEWEST_HELD:
        return np.empty(0, np.int64)
    return np.sort(host_generator(key).permutation(others)[:n])
