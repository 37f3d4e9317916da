"""Reader of tables as text, with any separator.

A fast pass uses NumPy's parser in C, which reads clean tables only. Where it fails, a careful pass
reads cell by cell: missing cells become NaN, and errors name line and column.
"""

import csv
import dataclasses
import re
import warnings
from array import array
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from .._source import Parsed
from .cells import Decimal, Evidence, remedy_for, to_number
from .columns import dropped_columns, not_numeric
from .delimiter import cells_of
from .guard import check_room
from .layout import Layout, check_names, find_layout, not_text, ragged
from .lines import Lines
from .numeric_header import judge
from .open import open_text

_CHUNK_CELLS = 1 << 17
_SHOWN = 40  # characters of a cell in a message
_MANY_POINTS = re.compile(r"\.\d{3}\.\d{3}")


def read_text(
    path: Path,
    *,
    header: bool | None,
    drop: tuple[str | int, ...],
    decimal: Decimal | None = None,
) -> Parsed:
    """Read a table of numbers as float64 of shape (n, d)."""
    layout = find_layout(path, header)
    dropped = dropped_columns(drop, none_if_all_empty(layout.names), layout.width, str(path))
    end = layout.width
    while layout.names is not None and end > 1 and not layout.names[end - 1]:
        end -= 1  # columns after the last name are empty if a delimiter ends each line
    if layout.names is not None:
        check_names(layout.names, dropped, end, path)
    table = _fast(path, layout, dropped) if decimal != "," else None
    table = table or _careful(path, layout, dropped, decimal)
    values, lines = table.values, table.lines
    if layout.names is not None and table.end > end:
        check_names(layout.names, dropped, table.end, path)
    kept = [i for i in range(table.end) if i not in dropped]
    names = tuple(layout.names[i] for i in kept) if layout.names else None
    values = values[:, kept] if len(kept) < values.shape[1] else values
    parsed = Parsed(values, names, lines, layout.remarks)
    return _with_numeric_header(parsed, layout, kept, path)


def none_if_all_empty(names: tuple[str, ...] | None) -> tuple[str, ...] | None:
    return names if names is not None and any(names) else None


def _with_numeric_header(parsed: Parsed, layout: Layout, kept: list[int], path: Path) -> Parsed:
    """Use the first row as names where it cannot be data; add a remark where it may be names."""
    if layout.first is None or len(parsed.values) == 0:
        return parsed
    verdict = judge(parsed.values)
    cells = [layout.first[i] for i in kept]
    if verdict.names:
        lines = None if parsed.lines is None else parsed.lines[1:]
        return dataclasses.replace(
            parsed, values=parsed.values[1:], feature_names=tuple(cells), lines=lines
        )
    if not verdict.doubt:
        return parsed
    shown = ", ".join(cells[:4]) + (", …" if len(cells) > 4 else "")
    remark = (
        f"The first line of {path} ({shown}) was read as data, but it is unlike every row below "
        f"and may name the columns. Pass header=True if it does, header=False if it does not."
    )
    return dataclasses.replace(parsed, remarks=(*parsed.remarks, remark))


@dataclasses.dataclass(frozen=True)
class _Table:
    """All columns of a file; those from ``end`` on are empty."""

    values: np.ndarray
    lines: np.ndarray | None
    end: int


def _fast(path: Path, layout: Layout, dropped: frozenset[int]) -> _Table | None:
    """Parse with NumPy, or return None where the table needs the careful pass.

    A chunk at a time, so that the memory is that of the table.
    """
    numbers = array("d")
    n_rows = max(1, _CHUNK_CELLS // layout.width)
    with open_text(path) as handle, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NumPy warns of a chunk without rows
        lines = _lines(handle, path, layout)
        given = iter(lines)
        while True:
            try:
                chunk = np.loadtxt(
                    given,
                    delimiter=layout.delimiter,
                    comments=None,
                    quotechar='"',
                    converters=dict.fromkeys(dropped, _ignore),
                    max_rows=n_rows,
                    ndmin=2,
                )
            except ValueError:
                return None
            if chunk.size and chunk.shape[1] != layout.width:
                return None
            numbers.frombytes(chunk.tobytes())
            check_room(8 * len(numbers), f"{len(lines.numbers)} rows or more", path)
            if len(chunk) < n_rows:
                break
    values = np.frombuffer(numbers, float).reshape(-1, layout.width)
    # The careful pass reads quoted cells that span lines, and rows that NumPy skips.
    if len(lines.numbers) != len(values):
        return None
    return _Table(values, np.frombuffer(lines.numbers, np.uintc), layout.width)


def _ignore(cell: str) -> float:
    return 0.0


def _lines(handle, path: Path, layout: Layout) -> Lines:
    inline, blank = layout.inline_comments, layout.width == 1
    return Lines(handle, path, skip=layout.skip, inline=inline, blank=blank)


def _careful(
    path: Path, layout: Layout, dropped: frozenset[int], decimal: Decimal | None
) -> _Table:
    """Parse cell by cell, with missing cells as NaN."""
    sign = decimal or _decimal(path, layout, dropped)
    numbers, lines = array("d"), array("I")
    end = 1
    for line, cells in rows_of(path, layout):
        if len(cells) != layout.width:
            raise ragged(path, layout, line, len(cells))
        if end < layout.width:
            end = max(end, _end(cells))
        numbers.extend(_row(cells, sign, dropped, layout, line, path))
        lines.append(line)
    values = np.frombuffer(numbers, float).reshape(-1, layout.width)
    named = max((i + 1 for i, name in enumerate(layout.names or ()) if name), default=0)
    end = max(end, named) if len(values) else layout.width
    return _Table(values, np.frombuffer(lines, np.uintc), end)


def _row(
    cells: list[str],
    sign: Decimal,
    dropped: frozenset[int],
    layout: Layout,
    line: int,
    path: Path,
) -> list[float]:
    row = [0.0 if i in dropped else to_number(cell, sign) for i, cell in enumerate(cells)]
    bad = [i for i, number in enumerate(row) if number is None]
    if not bad:
        return [number for number in row if number is not None]
    cell = cells[bad[0]]
    shown = cell if len(cell) <= _SHOWN else cell[:_SHOWN] + "…"
    remain = layout.width - len(dropped) - len(bad)
    remedy = remedy_for(cell)
    if layout.names is None and remain == 0 and line == layout.skip + 1:
        remedy = "Pass header=True if that line names the columns"
    example = f"{shown!r} on line {line}"
    raise not_numeric(bad, layout.names, str(path), example, remedy, can_drop=remain > 0)


def _end(cells: list[str]) -> int:
    """Return the number of cells up to the last filled one."""
    end = len(cells)
    while end and not cells[end - 1].strip():
        end -= 1
    return end


def _decimal(path: Path, layout: Layout, dropped: frozenset[int]) -> Decimal:
    """Find the decimal sign, from all cells if any contains a comma."""
    doubtful = '"' if layout.delimiter == "," else ","
    with open_text(path) as handle:
        if not any(doubtful in line or _MANY_POINTS.search(line) for line in handle):
            return "."
    evidence = Evidence()
    for _, cells in rows_of(path, layout):
        evidence.see(cell for i, cell in enumerate(cells) if i not in dropped)
    return evidence.decimal(path)


def rows_of(path: Path, layout: Layout) -> Iterator[tuple[int, list[str]]]:
    """Yield (line number from 1, cells) of every row below the header."""
    with open_text(path) as handle:
        lines = _lines(handle, path, layout)
        if layout.delimiter is None:
            for text in lines:
                yield lines.number, cells_of(text, None) or [""]
            return
        reader = csv.reader(lines, delimiter=layout.delimiter)
        try:
            for cells in reader:
                # In a table of several columns, the line "" is blank.
                if layout.width == 1 or len(cells) > 1 or any(cell.strip() for cell in cells):
                    yield lines.number, cells or [""]
        except csv.Error as error:
            raise not_text(path, lines.number, error) from error
