"""Tables as text: comma-, semicolon-, tab- or whitespace-separated.

A fast pass hands the file to NumPy's parser in C, which takes clean tables only. Where it
refuses, a careful pass reads cell by cell, so that missing cells become NaN and anything else
is named by line and column.
"""

import csv
import warnings
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import numpy as np

from wellposed._errors import DamagedFileError, DataError

from ._columns import dropped_columns, not_numeric
from ._layout import COMMENT, Layout, find_layout, is_missing, to_number
from ._open import open_text
from ._source import Parsed


def read_text(path: Path, *, header: bool | None, drop: tuple[str | int, ...]) -> Parsed:
    """Read a table of numbers as float64 of shape (n, d)."""
    layout = find_layout(path, header)
    dropped = dropped_columns(drop, layout.names, layout.width, str(path))
    values = _fast(path, layout, dropped)
    if values is None:
        values = _careful(path, layout, dropped)
    kept = [i for i in range(layout.width) if i not in dropped]
    names = tuple(layout.names[i] for i in kept) if layout.names else None
    return Parsed(values[:, kept] if dropped else values, names)


def _fast(path: Path, layout: Layout, dropped: frozenset[int]) -> np.ndarray | None:
    """Parse with NumPy, or return None where the table needs a careful look."""
    with open_text(path) as handle, warnings.catch_warnings():
        warnings.simplefilter("error")  # NumPy only warns of a table without rows
        try:
            values = np.loadtxt(
                handle,
                delimiter=layout.delimiter,
                skiprows=layout.skip,
                comments=COMMENT if layout.delimiter is None else None,
                quotechar=None if layout.delimiter is None else '"',
                converters=dict.fromkeys(dropped, _ignore),
                ndmin=2,
            )
        except (ValueError, UserWarning):
            return None
    return values if values.shape[1] == layout.width else None


def _ignore(cell: str) -> float:
    return 0.0


def _careful(path: Path, layout: Layout, dropped: frozenset[int]) -> np.ndarray:
    """Parse cell by cell, with missing cells as NaN."""
    numbers = array("d")
    with open_text(path) as handle:
        for line, cells in _rows(handle, layout, path):
            if len(cells) != layout.width:
                raise DataError(
                    f"Every row of {path} must have {layout.width} cells, as its first line has; "
                    f"line {line} has {len(cells)}. Correct that line."
                )
            row = [0.0 if i in dropped else to_number(cell) for i, cell in enumerate(cells)]
            bad = [i for i, number in enumerate(row) if number is None]
            if bad:
                example = f"{cells[bad[0]]!r} on line {line}"
                raise not_numeric(bad, layout.names, str(path), example)
            numbers.extend(number for number in row if number is not None)
    return np.frombuffer(numbers, float).reshape(-1, layout.width)


def _rows(handle: TextIO, layout: Layout, path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield (line number from 1, cells) of every row below the header; blank lines are skipped."""
    if layout.delimiter is None:
        for line, text in enumerate(handle, 1):
            cells = text.split(COMMENT)[0].split()
            if cells and line > layout.skip:
                yield line, cells
        return
    reader = csv.reader(handle, delimiter=layout.delimiter)
    try:
        for cells in reader:
            blank = len(cells) <= 1 and is_missing("".join(cells))
            if not blank and reader.line_num > layout.skip:
                yield reader.line_num, cells
    except csv.Error as error:
        raise DamagedFileError(
            f"A table must be plain text; {path} is not from line {reader.line_num} on ({error}). "
            f"Export it again."
        ) from error
