"""A progress bar for trainings over two seconds, on a terminal."""

import sys
import time
from typing import Any

from ._history import History

_PATIENCE_SECONDS = 2.0


class Bar:
    """Shows steps done, the objective and the noise variance.

    Parameters
    ----------
    total : steps at most
    progress : "auto" shows it on a terminal only; True always; False never
    unit : what a step is called
    """

    def __init__(self, total: int, progress: bool | str, unit: str = "epoch"):
        self._total = total
        self._unit = unit
        self._wanted = sys.stderr.isatty() if progress == "auto" else bool(progress)
        self._started = time.monotonic()
        self._live: Any = None

    def update(self, history: History) -> None:
        """Show the last epoch."""
        objective, variance = history.watched[-1], history.column("noise_variance")[-1]
        self.show(len(history.rows), f"objective {objective:.2f} nats  σ² {variance:.4g}")

    def show(self, completed: int, numbers: str) -> None:
        """Show how many steps are done, and what was reached."""
        if not self._wanted or time.monotonic() - self._started < _PATIENCE_SECONDS:
            return
        live = self._live or self._open()
        live.update(self._task, completed=completed, numbers=numbers)

    def of(self, completed: int, total: int) -> None:
        """Show how many steps are done of how many."""
        self._total = total
        self.show(completed, "")

    def _open(self) -> Any:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        console = Console(stderr=True)
        self._live = Progress(
            TextColumn(self._unit),
            MofNCompleteColumn(),
            BarColumn(),
            TextColumn("{task.fields[numbers]}"),
            TimeRemainingColumn(),
            console=console,
            transient=console.is_terminal,  # elsewhere only the last line is ever shown
        )
        self._task = self._live.add_task("", total=self._total, numbers="")
        self._live.start()
        return self._live

    def close(self) -> None:
        """Take the bar away."""
        if self._live is not None:
            self._live.stop()
