"""From a grid of trainings to a table: mean figures over seeds beside the published ones."""

import dataclasses
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np

from wellposed._errors import WellposedError
from wellposed._typing import Progress
from wellposed.estimators import VAE, Grid, fit_grid

from .cells import Cell

# A published figure: a number, or a number and its error; None if none was published.
Published: TypeAlias = float | tuple[float, float] | None
# Figures by row and by name, shape (seeds,).
Figures: TypeAlias = Mapping[str, Mapping[str, np.ndarray]]


class UnfinishedError(WellposedError):
    """A recipe was interrupted; the same call with the same folder continues it."""


@dataclasses.dataclass(frozen=True)
class Job:
    """The arguments of a recipe, as :func:`reproduce` describes them."""

    folder: Path
    quick: bool
    data: Path | None
    progress: Progress

    @property
    def n_seeds(self) -> int:
        """Number of seeds for each row: five, as in the sources, or one if quick."""
        return 1 if self.quick else 5


@dataclasses.dataclass(frozen=True)
class Column:
    """The column of a table that shows one figure of a grid; ``better`` as in :class:`Cell`."""

    figure: str
    label: str
    better: Literal["higher", "lower", ""] = ""


def train_rows(
    job: Job,
    vae: VAE,
    rows: Mapping[str, Any],
    X: np.ndarray,
    X_test: np.ndarray,
    measure: Callable[[VAE], Mapping[str, float]],
    *,
    name: str = "trainings",
) -> Grid:
    """Train ``vae`` with the noise of each row of a table and with each seed.

    Raises
    ------
    UnfinishedError
        After an interruption.
    """
    axes, folder = {"noise": rows, "random_state": range(job.n_seeds)}, job.folder / name
    return require_complete(
        fit_grid(
            vae, axes, X, X_test=X_test, folder=folder, measure=measure, progress=job.progress
        ),
        folder,
    )


def require_complete(grid: Grid, folder: Path) -> Grid:
    """Return the grid if all of its trainings have ended.

    Raises
    ------
    UnfinishedError
        If a training has not ended.
    """
    if grid.complete:
        return grid
    raise UnfinishedError(
        f"The table needs every training of its grid; {len(grid.rows)} have ended and are kept in "
        f"{folder}. Run the same command again to continue."
    )


def figures_of(grid: Grid, columns: Iterable[Column]) -> dict[str, dict[str, np.ndarray]]:
    """Collect the figures of each row of the table over the seeds."""
    lists: dict[str, dict[str, list[float]]] = {}
    for row in grid.rows:
        figures = lists.setdefault(row["noise"], {column.figure: [] for column in columns})
        for name, values in figures.items():
            values.append(row.get(name, np.nan))
    return {
        row: {name: np.asarray(values) for name, values in figures.items()}
        for row, figures in lists.items()
    }


def means_of(values: Figures) -> dict[tuple[str, str], float]:
    """Return the mean over seeds of each figure, by row and name."""
    return {
        (row, name): float(np.mean(figure))
        for row, figures in values.items()
        for name, figure in figures.items()
    }


def cells_of(
    values: Figures, columns: Sequence[Column], published: Mapping[str, Sequence[Published]]
) -> tuple[Cell, ...]:
    """Return one cell for each row and column: mean and standard deviation over seeds."""
    cells = []
    for row, figures in values.items():
        references = published.get(row, (None,) * len(columns))
        for column, reference in zip(columns, references, strict=True):
            number, its_error = reference if isinstance(reference, tuple) else (reference, math.nan)
            ours = figures[column.figure]
            error = float(ours.std(ddof=1)) if len(ours) > 1 else math.nan
            value = float(ours.mean())
            cells.append(Cell(row, column.label, value, error, number, its_error, column.better))
    return tuple(cells)


def seeds_of(grid: Grid) -> str:
    """Return the number of seeds of the rows, or its range."""
    counts = Counter(row["noise"] for row in grid.rows).values()
    low, high = min(counts), max(counts)
    return f"{low}" if low == high else f"{low} to {high}"
