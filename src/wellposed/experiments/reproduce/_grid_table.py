"""From a grid over one labelled axis to a table: means over seeds beside what was published."""

import dataclasses
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np

from wellposed._errors import WellposedError
from wellposed.estimators import Grid

from ._cells import Cell

# A published figure: a number, or a number and its ±; None where none was published.
Published: TypeAlias = float | tuple[float, float] | None
# Figures by row and by name, one for each seed.
Figures: TypeAlias = Mapping[str, Mapping[str, np.ndarray]]


class UnfinishedError(WellposedError):
    """A recipe was interrupted; the same call with the same folder goes on."""


@dataclasses.dataclass(frozen=True)
class Column:
    """A figure of a grid as a column; ``better`` as :class:`Cell` has it."""

    figure: str
    label: str
    better: str = ""


def seeds(quick: bool) -> int:
    """How many starts each row is trained from: five, as the sources have, or one."""
    return 1 if quick else 5


def finished(found: Grid, folder: Path | None) -> Grid:
    """Return a complete grid.

    Raises
    ------
    UnfinishedError
        If some of its trainings have not ended.
    """
    if found.complete:
        return found
    raise UnfinishedError(
        f"{len(found.rows)} trainings have ended and are kept in {folder}; the same command "
        "goes on from there."
    )


def figures_of(found: Grid, axis: str, columns: Sequence[Column]) -> dict[str, dict]:
    """Collect the figures of each label of an axis over the seeds."""
    values: dict[str, dict[str, np.ndarray]] = {}
    for row in found.rows:
        of_row = values.setdefault(row[axis], {})
        for column in columns:
            seen = of_row.get(column.figure, np.zeros(0))
            of_row[column.figure] = np.append(seen, row.get(column.figure, np.nan))
    return values


def cells_of(
    values: Figures, columns: Sequence[Column], published: Mapping[str, Sequence[Published]]
) -> tuple[Cell, ...]:
    """One cell for each row and column: mean and standard deviation over seeds."""
    cells = []
    for label, figures in values.items():
        theirs = published.get(label, (None,) * len(columns))
        for column, there in zip(columns, theirs, strict=True):
            its_error = math.nan
            if isinstance(there, tuple):
                there, its_error = there
            value, error = mean(figures[column.figure])
            cells.append(Cell(label, column.label, value, error, there, its_error, column.better))
    return tuple(cells)


def mean(values: np.ndarray) -> tuple[float, float]:
    """Mean and standard deviation over seeds; NaN for the latter with a single one."""
    spread = values.std(ddof=1) if len(values) > 1 else math.nan
    return float(values.mean()), float(spread)


def seeds_of(found: Grid, axis: str) -> str:
    """How many seeds the rows have: one number, or the range of it."""
    counts = Counter(row[axis] for row in found.rows).values()
    low, high = min(counts), max(counts)
    return f"{low}" if low == high else f"{low} to {high}"
