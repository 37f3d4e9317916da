"""The section of a report on tables that a model draws."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from wellposed.tables import Schema

from ..data.table import Table
from .quality import quality_of

if TYPE_CHECKING:
    from wellposed.reports import Panel

_MOST_ROWS = 2_000  # of each table
_MOST_LEVELS = 20  # of a target

_CAPTION = (
    "Rows drawn from the model and brought back to the columns of the data, beside rows held out. "
    "Bars are the distance of each column of drawn rows from held-out rows (total variation of "
    "levels, Kolmogorov–Smirnov of numbers), and dots that of rows of the training: a drawn column "
    "at its dot cannot be told from a real one. Associations are those of all pairs of columns. "
)
_CLOSEST = (
    "Where drawn rows are closer to rows of the training than held-out rows are, the model repeats "
    "rows of the training. "
)
_HALVES = (
    "The rows of the training were not given: dots and the second column compare the halves of "
    "these rows, and copies of training rows cannot be seen. Pass X_train. "
)


def tables_panel(vae: Any, held: Table, train: Table | None) -> Callable[[object], "Panel | None"]:
    """Return the function that makes the section on the quality of drawn tables.

    It returns None where columns are of one kind.

    Parameters
    ----------
    vae : fitted :class:`wellposed.VAE`
    held, train : rows held out and rows of the training, by the schema of the model; of the
        first, halves replace the second where it is None
    """

    def drawn_tables(_: object) -> "Panel | None":
        schema: Schema | None = vae.schema_
        return None if schema is None or schema.one_noise else _panel(vae, schema, held, train)

    return drawn_tables


def _panel(vae: Any, schema: Schema, held: Table, train: Table | None) -> "Panel":
    from wellposed import plotting
    from wellposed.reports import Panel, figure_as_png
    from wellposed.reports import Table as Figures

    generator = np.random.default_rng(0)
    test = _some(held, generator)
    halves = train is None
    real = (
        test.take(np.arange(1, len(test.values), 2)) if train is None else _some(train, generator)
    )
    test = test.take(np.arange(0, len(test.values), 2)) if halves else test
    drawn = schema.encode(vae.sample_columns(len(real.values), real.given), unseen_as_gaps=True)
    target = target_of(schema)
    values = {"synthetic": drawn, "train": real.values, "test": test.values}
    quality = quality_of(values, schema, target, generator)
    lines = [line for line in quality.lines if not (halves and "copies" in line[0])]
    predicted = (
        ""
        if target is None
        else (f"Gradient boosting predicts {target} of held-out rows from their other columns. ")
    )
    return Panel(
        "synthetic",
        "Drawn tables",
        (_CAPTION + predicted + (_HALVES if halves else _CLOSEST)).strip(),
        figure_as_png(
            plotting.column_distances(
                quality.marginals, quality.real_marginals, names=quality.names
            )
        ),
        "Distance of each column of drawn rows from held-out rows, beside that of real rows",
        Figures(("", "drawn rows", "real rows"), tuple(lines)),
    )


def target_of(schema: Schema) -> str | None:
    """Return the last column of at most 20 levels, which tables are usually made to predict."""
    kept = schema.kept
    for column in reversed(kept):
        few = column.has_levels and 2 <= len(column.levels or ()) <= _MOST_LEVELS
        if few or column.kind == "boolean":
            return str(column.name)
    return None


def _some(table: Table, generator: np.random.Generator) -> Table:
    return table.take(np.sort(generator.permutation(len(table.values))[:_MOST_ROWS]))
