"""What each epoch measured, on the host."""

import dataclasses
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
# Of a training with an aggressive encoder phase: nats after the epoch, and encoder steps taken
# before each step of the decoder; NaN and 0 once the phase is over.
LAGGING = ("mutual_information", "encoder_steps")


@dataclasses.dataclass(frozen=True)
class History:
    """A table with a row an epoch, means in nats a datum.

    ``noise_variance`` is the mean over features in model units, NaN where it depends on z.
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
        """Append an epoch; ``held`` None leaves NaN."""
        kept = (held.value, held.log_likelihood, held.kl) if held else (np.nan,) * 3
        row = (len(self.rows) + 1, trained.value, trained.log_likelihood, trained.kl, *kept)
        row = (*row, noise_variance, learning_rate, *lagging)[: len(self.columns)]
        return History((*self.rows, tuple(float(value) for value in row)), self.columns)

    @classmethod
    def read(cls, rows: Any, columns: tuple[str, ...] = COLUMNS) -> "History":
        """Take the rows that a checkpoint holds.

        Raises
        ------
        DamagedFileError
            If they are no rows of these columns, one an epoch.
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
                "one has not. Delete the checkpoint to train from the start."
            )
        return cls(tuple(tuple(map(float, row)) for row in rows), columns)

    @classmethod
    def of(cls, table: dict[str, np.ndarray]) -> "History":
        """Undo :meth:`table`."""
        names = (*COLUMNS, *(name for name in LAGGING if name in table))
        columns = (np.asarray(table[name], float).tolist() for name in names)
        return cls(tuple(zip(*columns, strict=True)), names)

    def column(self, name: str) -> np.ndarray:
        """One column, shape (epochs,)."""
        place = self.columns.index(name)
        return np.array([row[place] for row in self.rows])

    def table(self) -> dict[str, np.ndarray]:
        """All columns by name; ``pandas.DataFrame`` takes it as it is."""
        return {name: self.column(name) for name in self.columns}

    @property
    def summary(self) -> str:
        """The last epoch in a few words, for a progress bar."""
        variance = self.column("noise_variance")[-1]
        return f"objective {self.watched[-1]:.2f} nats  σ² {variance:.4g}"

    @property
    def watched(self) -> np.ndarray:
        """The held-out objective where there is one, else the training objective."""
        held = self.column("held_out_objective")
        return self.column("objective") if np.isnan(held).all() else held

    @property
    def settled(self) -> bool:
        """Whether the last tenth of the epochs brought less than 1/500 of the whole gain."""
        watched = self.watched
        tail = max(1, len(watched) // 10)
        if len(watched) < 10:
            return False
        total = watched.max() - watched[0]
        return bool(watched.max() - watched[:-tail].max() <= 0.002 * total)


def check_epoch(best_epoch: Any, history: History) -> None:
    """Refuse a best epoch, as a checkpoint holds it, that was not trained.

    Raises
    ------
    DamagedFileError
        If it lies beyond the history.
    """
    if type(best_epoch) is not int or not 0 <= best_epoch <= len(history.rows):
        raise DamagedFileError(
            f"A checkpoint's best epoch must be one of its {len(history.rows)}; got {best_epoch}. "
            "Delete the checkpoint to train from the start."
        )
