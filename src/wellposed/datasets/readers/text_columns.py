"""Reader of text tables whose columns are not all numbers."""

import dataclasses
from pathlib import Path
from typing import TypeAlias

import numpy as np

from .cells import is_missing, to_number
from .columns import dropped_columns
from .layout import check_names, find_layout, ragged
from .text import none_if_all_empty, rows_of

TextColumn: TypeAlias = np.ndarray | list[str | None]


@dataclasses.dataclass(frozen=True, eq=False)
class TextColumns:
    """The columns of a text table: arrays of numbers, and lists of texts, where None is missing."""

    names: tuple[str, ...]
    columns: tuple[TextColumn, ...]


def read_columns(
    path: Path, *, header: bool | None = None, drop: tuple[str | int, ...] = ()
) -> TextColumns:
    """Read a table of text and numbers, with a decimal point.

    A column of numbers and gaps is an array; any other is a list of texts without blanks at their
    ends. Columns without a name are called column_0, column_1 and so on.
    """
    layout = find_layout(path, header)
    rows: list[list[str]] = []
    for line, cells in rows_of(path, layout):
        if len(cells) != layout.width:
            raise ragged(path, layout, line, len(cells))
        rows.append([cell.strip() for cell in cells])
    names = none_if_all_empty(layout.names)
    dropped = dropped_columns(drop, names, layout.width, str(path))
    end = layout.width
    while names is not None and end > 1 and not names[end - 1]:
        end -= 1  # columns after the last name are empty if a delimiter ends each line
    if names is not None:
        check_names(names, dropped, end, path)
    labels = names[:end] if names is not None else tuple(f"column_{i}" for i in range(end))
    kept = [j for j in range(end) if j not in dropped]
    columns = tuple(_column([row[j] for row in rows]) for j in kept)
    return TextColumns(tuple(labels[j] for j in kept), columns)


def _column(cells: list[str]) -> TextColumn:
    numbers = [to_number(cell) for cell in cells]
    if None not in numbers:
        return np.array(numbers, np.float64)
    return [None if is_missing(cell) else cell for cell in cells]
