"""One figure a rival, a table and a split; kept in a JSON file."""

import dataclasses
import json
import math
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from .rivals import Rival, SkippedError
from .tables import Split


@dataclasses.dataclass(frozen=True)
class Figure:
    """The mean held-out log density of one fit, and its cost."""

    table: str
    rival: str
    split: int
    log_p: float | None  # nats a row, data units; None where the rival was skipped
    standard_error: float | None  # of that mean over the held-out rows
    seconds: float  # of the fit with its whole search, by the wall clock
    cpu_seconds: float
    score_seconds: float
    chosen: str  # settings, or the reason of the skip
    worst: float | None = None  # the lowest log density of a held-out row
    folds: int = 1  # that validated the choice

    @property
    def key(self) -> tuple[str, str, int]:
        """What tells it from other figures."""
        return self.table, self.rival, self.split


def measure(table: str, name: str, rival: Rival, split: Split, seed: int, folds: int = 1) -> Figure:
    """Fit a rival to the training rows, and score the held-out rows.

    Raises
    ------
    FloatingPointError
        If a held-out row has a log density that is not finite.
    """
    begun, cpu = time.perf_counter(), time.process_time()
    try:
        fitted = rival(split.train, folds)
    except SkippedError as skipped:
        return Figure(table, name, seed, None, None, 0.0, 0.0, 0.0, str(skipped))
    seconds, cpu_seconds = time.perf_counter() - begun, time.process_time() - cpu
    begun = time.perf_counter()
    log_p = np.asarray(fitted.log_density(split.test), np.float64)
    score_seconds = time.perf_counter() - begun
    if log_p.shape != (len(split.test),) or not np.isfinite(log_p).all():
        raise FloatingPointError(
            f"{name} on {table}, split {seed}: {np.sum(~np.isfinite(log_p))} of "
            f"{len(split.test)} log densities are not finite ({fitted.chosen})."
        )
    error = float(log_p.std(ddof=1) / math.sqrt(len(log_p)))
    return Figure(
        table,
        name,
        seed,
        float(log_p.mean()),
        error,
        seconds,
        cpu_seconds,
        score_seconds,
        fitted.chosen,
        float(log_p.min()),
        folds,
    )


class Store:
    """Figures by table, rival and split; written to a file at each addition, if there is one."""

    def __init__(self, path: Path | None = None):
        self._path = path
        self._figures = {figure.key: figure for figure in read(path)}

    def add(self, figure: Figure) -> None:
        """Add a figure, or replace that of the same table, rival and split."""
        self._figures[figure.key] = figure
        if self._path is not None:
            beside = self._path.with_name(f"{self._path.name}.part")
            records = [dataclasses.asdict(figure) for figure in self._figures.values()]
            beside.write_text(json.dumps(records, indent=1))
            beside.replace(self._path)

    def get(self, table: str, rival: str, split: int) -> Figure | None:
        """Return a figure, or None."""
        return self._figures.get((table, rival, split))


def read(path: Path | None) -> Iterable[Figure]:
    """The figures of a file; none where there is no file."""
    if path is None or not path.exists():
        return []
    return [Figure(**record) for record in json.loads(path.read_text())]
