"""A bar for each file of a transfer, on a terminal."""

import sys
from types import TracebackType
from typing import Any


class TransferBar:
    """Show (file name, bytes here, bytes in all), as ``datasets.fetch`` reports them."""

    def __init__(self) -> None:
        self._live: Any = None
        self._tasks: dict[str, Any] = {}

    def __enter__(self) -> "TransferBar":
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

            self._live = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                DownloadColumn(),
                console=Console(stderr=True),
            )
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def update(self, name: str, here: int, total: int) -> None:
        """Move the file's bar."""
        if self._live is None:
            return
        if name not in self._tasks:
            self._tasks[name] = self._live.add_task(name, total=total)
        self._live.update(self._tasks[name], completed=here)
