"""A progress bar for tasks that take over two seconds, and the present step of others, by rich."""

import sys
import time
from typing import Any, Self

_PATIENCE_SECONDS = 2.0


class Bar:
    """Progress bar of one task; it appears after two seconds, and is removed at the end.

    Parameters
    ----------
    total : int
        Number of steps, at most.
    progress : "auto", True or False
        "auto" shows the bar on a terminal only.
    unit : str, default "epoch"
        Name of a step. Steps of "bytes" are shown in kB, MB and GB.

    Examples
    --------
    >>> with Bar(200, progress=False) as bar:
    ...     bar.show(1, "objective -12.30 nats")
    """

    def __init__(self, total: int, progress: bool | str, unit: str = "epoch"):
        self._total = total
        self._unit = unit
        self._enabled = sys.stderr.isatty() if progress == "auto" else bool(progress)
        self._started = time.monotonic()
        self._display: Any = None  # rich is imported when the first bar is drawn

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def show(self, done: int, text: str = "", total: int | None = None) -> None:
        """Draw the number of steps done, and a text beside it.

        Parameters
        ----------
        done : int
            Number of steps done.
        text : str
            Text beside the bar.
        total : int, optional
            Number of steps, where it has changed.
        """
        self._total = self._total if total is None else total
        if not self._enabled or time.monotonic() - self._started < _PATIENCE_SECONDS:
            return
        if self._display is None:
            self._display = self._start_display()
        self._display.update(self._task, completed=done, total=self._total, text=text)

    def count(self, done: int, total: int) -> None:
        """Draw ``done`` of ``total`` steps."""
        self.show(done, total=total)

    def close(self) -> None:
        """Remove the bar from the terminal."""
        if self._display is not None:
            self._display.stop()

    def _start_display(self) -> Any:
        from rich import progress
        from rich.console import Console

        console = Console(stderr=True)
        in_bytes = self._unit == "bytes"
        display = progress.Progress(
            progress.TextColumn("" if in_bytes else self._unit),
            progress.DownloadColumn() if in_bytes else progress.MofNCompleteColumn(),
            progress.BarColumn(),
            progress.TextColumn("{task.fields[text]}"),
            progress.TimeRemainingColumn(),
            console=console,
            transient=console.is_terminal,  # other outputs show the last line only
        )
        self._task = display.add_task("", total=self._total, text="")
        display.start()
        return display


class PresentStep:
    """Name of the present step of a task and the time so far, on the terminal until its end.

    Examples
    --------
    >>> with PresentStep() as step:
    ...     step("a mixture of Gaussians")
    """

    def __init__(self):
        self._enabled = sys.stderr.isatty()
        self._display: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._display is not None:
            self._display.stop()

    def __call__(self, name: str) -> None:
        """Show the name of the step that begins."""
        if not self._enabled:
            return
        if self._display is None:
            self._display = self._start_display()
        self._display.update(self._task, text=name)

    def _start_display(self) -> Any:
        from rich import progress
        from rich.console import Console

        columns = progress.SpinnerColumn(), progress.TextColumn("{task.fields[text]}")
        console = Console(stderr=True)
        elapsed = progress.TimeElapsedColumn()
        display = progress.Progress(*columns, elapsed, console=console, transient=True)
        self._task = display.add_task("", total=None, text="")
        display.start()
        return display
