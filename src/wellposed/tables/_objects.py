"""Columns of Python objects: strings, booleans, numbers, dates and times, with gaps."""

import datetime
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from ._cells import PLAIN, Cells, Clock, Label, level_key, plain_level, refuse_cells, sort_levels
from ._column import Column

_EPOCH = datetime.datetime(1970, 1, 1)
_MICROSECOND = datetime.timedelta(microseconds=1)
_NUMBERS = (int, float, Decimal, Fraction)


def is_missing(cell: Any) -> bool:
    """Whether a cell is None, NaN, pandas' NA or NaT, or masked."""
    if cell is None or cell is np.ma.masked or type(cell).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(cell, (float, np.floating, Decimal)) and cell != cell


def cells_of_objects(cells: list[Any], label: Label, dtype: str) -> Cells:
    """Read a column of Python objects.

    Parameters
    ----------
    cells : the column
    label : of the column
    dtype : name of the column's type in its container

    Raises
    ------
    DataError
        For objects of other types, with the name of the column and the row.
    """
    cells = [plain_level(cell) for cell in cells]
    missing = np.array([is_missing(cell) for cell in cells], bool)
    present = [cell for cell, gap in zip(cells, missing, strict=True) if not gap]
    kinds = {type(cell) for cell in present}
    if not present:
        return Cells(label, "empty", dtype, np.zeros(len(cells)), missing, holds="")
    if kinds == {bool}:
        return _filled(label, "boolean", dtype, present, missing, "bool")
    if kinds <= {*_NUMBERS, bool}:
        holds = "int" if kinds <= {int, bool} else "float"
        return _filled(label, "number", dtype, _floats(present, label), missing, holds)
    if kinds == {bytes}:
        present = [cell.decode("latin-1") for cell in present]
        return _levels(label, dtype, present, missing, "bytes")
    if kinds <= set(PLAIN):
        holds = kinds.pop().__name__ if len(kinds) == 1 else "mixed"
        return _levels(label, dtype, present, missing, holds)
    return _times(label, dtype, cells, present, missing)


def _filled(
    label: Label, sort: Any, dtype: str, present: list[Any], missing: np.ndarray, holds: str
) -> Cells:
    values = np.zeros(len(missing))
    values[~missing] = present
    return Cells(label, sort, dtype, values, missing, holds=holds)


def _floats(present: list[Any], label: Label) -> list[float]:
    try:
        return [float(cell) for cell in present]
    except OverflowError:
        raise refuse_cells(
            label, "numbers beyond float64", "Divide it by a power of ten."
        ) from None


def _levels(label: Label, dtype: str, present: list[Any], missing: np.ndarray, holds: str) -> Cells:
    distinct = {level_key(cell): cell for cell in present}
    levels = sort_levels(distinct.values())
    position = {level_key(level): i for i, level in enumerate(levels)}
    codes = np.full(len(missing), -1)
    codes[~missing] = [position[level_key(cell)] for cell in present]
    return Cells(label, "level", dtype, codes, missing, holds=holds, levels=levels)


def _times(
    label: Label, dtype: str, cells: list[Any], present: list[Any], missing: np.ndarray
) -> Cells:
    for name, (kind, count, clock) in _CLOCKS.items():
        if all(isinstance(cell, kind) for cell in present) and not (
            name == "date" and any(isinstance(cell, datetime.datetime) for cell in present)
        ):
            if any(getattr(cell, "tzinfo", None) is not None for cell in present):
                raise refuse_cells(
                    label,
                    "Python objects with a time zone",
                    "Convert it with pandas.to_datetime(column, utc=True).",
                )
            values = np.zeros(len(missing), np.int64)
            values[~missing] = [count(cell) for cell in present]
            return Cells(label, "time", dtype, values, missing, holds=name, clock=clock)
    row = next(i for i, cell in enumerate(cells) if not missing[i] and not isinstance(cell, PLAIN))
    raise refuse_cells(
        label,
        f"an object of type {type(cells[row]).__name__} at row {row}",
        "Convert it, for example to text with astype(str), or drop the column.",
    )


def _since_midnight(cell: datetime.time) -> int:
    return ((cell.hour * 60 + cell.minute) * 60 + cell.second) * 1_000_000 + cell.microsecond


_CLOCKS: dict[str, tuple[type, Callable[[Any], int], Clock]] = {
    "datetime": (
        datetime.datetime,
        lambda cell: (cell.replace(fold=0) - _EPOCH) // _MICROSECOND,
        Clock("date", "us"),
    ),
    "date": (datetime.date, lambda cell: (cell - _EPOCH.date()).days, Clock("date", "D")),
    "timedelta": (datetime.timedelta, lambda cell: cell // _MICROSECOND, Clock("duration", "us")),
    "time": (datetime.time, _since_midnight, Clock("time", "us")),
}


def objects_of(column: Column, values: np.ndarray, missing: np.ndarray) -> list[Any]:
    """Return the cells of a column as Python objects; None is missing.

    Parameters
    ----------
    column : of the schema
    values : array of shape (n,): numbers, positions in the levels, or counts of the clock's unit
    missing : array of shape (n,), bool
    """
    pairs = zip(values.tolist(), missing.tolist(), strict=True)
    if column.sort == "level":
        levels: Any = column.levels or ()
        if column.holds == "bytes":
            levels = [level.encode("latin-1") for level in levels]
        return [None if gap else levels[int(value)] for value, gap in pairs]
    make = _time if column.sort == "time" else _number
    return [None if gap else make(value, column) for value, gap in pairs]


def _number(value: float, column: Column) -> Any:
    if column.sort == "boolean":
        return bool(value >= 0.5)
    whole = column.holds == "int" or (not column.holds and value.is_integer())
    return round(value) if whole else value


def _time(count: int, column: Column) -> Any:
    match column.holds:
        case "date":
            return _EPOCH.date() + datetime.timedelta(days=count)
        case "datetime":
            return _EPOCH + count * _MICROSECOND
        case "timedelta":
            return count * _MICROSECOND
    return (_EPOCH + (count % 86_400_000_000) * _MICROSECOND).time()
