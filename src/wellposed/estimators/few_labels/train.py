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
    """

    model: LabelledVAE
    rows: np.ndarray
    held: np.ndarray
    plan: training.Plan
    key: PRNGKey
    alpha: float | str
    allow_unbounded: bool

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
        weights : of each label, shape (n,), those of rows without one are not used
        checkpoint, progress, unit : see :func:`wellposed.training.fit_member`
        """
        places, n = np.flatnonzero(~np.isnan(labels)), len(self.rows) - len(self.held)
        objective = LabelledELBO.of(
            places,
            alpha=self.alpha_of(len(places)),
            n_rows=n,
            weights=None if weights is None else weights[places] / weights[places].mean(),
            n_drawn=self.plan.batch_size,
        )
        member = training.Member(
            self.model,  # type: ignore[arg-type]
            self.key,
            objective,
            self.plan,
            allow_unbounded=self.allow_unbounded,
            held=self.held,
        )
        data = np.concatenate([self.rows, labels[:, None].astype(self.rows.dtype)], axis=1)
        return training.fit_member(
            member, data, checkpoint=checkpoint, progress=progress, unit=unit
        )

    def alpha_of(self, n_labels: int) -> float:
        """Return α, the weight of one of ``n_labels`` labels."""
        n = len(self.rows) - len(self.held)
        return _SHARE * n / n_labels if isinstance(self.alpha, str) else float(self.alpha)


def hold_out(labels: np.ndarray, fraction: float, *, key: PRNGKey) -> np.ndarray:
    """Return the positions of some rows without a label, a share of them; none if they are few.

    No label is held out from a training: the epoch is chosen by the bound of rows without one.
    """
    others = np.flatnonzero(np.isnan(labels))
    n = round(fraction * len(others))
    if n < _FEWEST_HELD:
        return np.empty(0, np.int64)
    return np.sort(host_generator(key).permutation(others)[:n])
