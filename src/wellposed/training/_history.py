"""Measurements of each epoch, on the host."""

import dataclasses
import math
from typing import Any

import numpy as np

from wellposed._errors import DamagedFileError

from ._epoch import Metrics

COLUMNS = (
    "epoch",
    "objective",
    "log_likelihood",
    "kl",
    "held_out_objective",
    "held_out_log_likelihood",
    "held_out_kl",
    "noise_variance",
    "learning_rate",
)
"""Columns of :class:`History`, in nats a datum where they are objectives or their terms."""
LAGGING = ("mutual_information", "encoder_steps")
"""Further columns of a training with an aggressive encoder phase.

I(x; z) after the epoch, in nats, and the encoder-only updates before each decoder update; NaN
and 0 once the phase is over.
"""


@dataclasses.dataclass(frozen=True)
class History:
    """Table with one row for each epoch; objectives and their terms are means in nats a datum.

    Parameters
    ----------
    rows : tuple of tuples of float
        One row an epoch. The ``noise_variance`` is the mean over features in model units, NaN
        where it depends on z; columns of held-out rows are NaN where none are held out.
    columns : tuple of str
        Names of the columns.

    Examples
    --------
    >>> History(((1.0, -3.25), (2.0, -2.5)), ("epoch", "objective")).column("objective")
    array([-3.25, -2.5 ])
    """

    rows: tuple[tuple[float, ...], ...] = ()
    columns: tuple[str, ...] = COLUMNS

    def with_epoch(
        self,
        trained: Metrics,
        held: Metrics | None,
        noise_variance: float,
        learning_rate: float,
        lagging: tuple[float, float] = (np.nan, 0.0),
    ) -> "History":
        """Return the history with one more epoch; without ``held`` its columns are NaN."""
        held_out = (held.value, held.log_likelihood, held.kl) if held else (np.nan,) * 3
        row = (len(self.rows) + 1, trained.value, trained.log_likelihood, trained.kl, *held_out)
        row = (*row, noise_variance, learning_rate, *lagging)[: len(self.columns)]
        return History((*self.rows, tuple(float(value) for value in row)), self.columns)

    @classmethod
    def read(cls, rows: Any, columns: tuple[str, ...] = COLUMNS) -> "History":
        """Return the history that a checkpoint contains.

        Raises
        ------
        DamagedFileError
            If the rows do not have one number for each column, or are not numbered by epoch.
        """
        sound = isinstance(rows, list) and all(
            isinstance(row, list)
            and len(row) == len(columns)
            and all(type(value) in (int, float) for value in row)
            and row[0] == epoch
            for epoch, row in enumerate(rows, start=1)
        )
        if not sound:
            raise DamagedFileError(
                f"A checkpoint's history must have a row of {len(columns)} numbers an epoch; this "
                "one does not. Delete the checkpoint to train from the start."
            )
        return cls(tuple(tuple(map(float, row)) for row in rows), columns)

    @classmethod
    def of(cls, table: dict[str, np.ndarray]) -> "History":
        """Return the history whose :meth:`table` is given."""
        names = (*COLUMNS, *(name for name in LAGGING if name in table))
        columns = (np.asarray(table[name], float).tolist() for name in names)
        return cls(tuple(zip(*columns, strict=True)), names)

    def with_held_out(self, means: np.ndarray) -> "History":
        """Return the history with other figures of held-out rows.

        Parameters
        ----------
        means : array of shape (epochs, 3)
            Objective, log likelihood and KL.
        """
        start = self.columns.index("held_out_objective")
        rows = zip(self.rows, means.tolist(), strict=True)
        return History(
            tuple((*row[:start], *held, *row[start + len(held) :]) for row, held in rows),
            self.columns,
        )

    def column(self, name: str) -> np.ndarray:
        """Return one column, shape (epochs,)."""
        place = self.columns.index(name)
        return np.array([row[place] for row in self.rows])

    def table(self) -> dict[str, np.ndarray]:
        """Return all columns by name, as ``pandas.DataFrame`` takes them."""
        return {name: self.column(name) for name in self.columns}

    @property
    def summary(self) -> str:
        """Summary of the last epoch for a progress bar."""
        last = dict(zip(self.columns, self.rows[-1], strict=True))
        held = last["held_out_objective"]
        objective = last["objective"] if math.isnan(held) else held
        return f"objective {objective:.2f} nats  σ² {last['noise_variance']:.4g}"

    @property
    def monitored(self) -> np.ndarray:
        """The held-out objective where there is one, else the training objective."""
        held = self.column("held_out_objective")
        return self.column("objective") if np.isnan(held).all() else held

    @property
    def settled(self) -> bool:
        """Whether the last tenth of the epochs gained 1/500 of the total at most, or 0.01 nats."""
        values = self.monitored
        tail = max(1, len(values) // 10)
        if len(values) < 10:
            return False
        total = values.max() - values[0]
        return bool(values.max() - values[:-tail].max() <= max(0.002 * total, 0.01))
