"""Columns of a polars frame, read and built again."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ._cells import Cells, Clock, Label, in_range, refuse_cells
from ._column import Column
from ._objects import cells_of_objects, objects_of

_PER_DAY = 86_400_000_000_000  # nanoseconds


def labels_of(frame: Any) -> list[str]:
    """Return the names of the columns."""
    return list(frame.columns)


def column_at(frame: Any, j: int) -> Any:
    """Return column j, by its position."""
    return frame.to_series(j)


def is_number(series: Any, polars: Any) -> bool:
    """Whether an array of numbers has the same content: numbers or booleans."""
    kind = series.dtype
    return kind.is_numeric() or kind in (polars.Boolean, polars.Null)


def read_series(series: Any, label: Label, polars: Any) -> Cells:
    """Read a column.

    Raises
    ------
    DataError
        For cells that have no model.
    """
    kind, text = series.dtype, str(series.dtype)
    missing = series.is_null().to_numpy()
    name = type(kind).__name__
    if name in ("Categorical", "Enum"):
        return _categories(series, label, missing, polars)
    if kind.is_temporal():
        return _times(series, label, missing, polars)
    if kind == polars.Boolean:
        values = series.fill_null(False).to_numpy().astype(np.float64)
        return Cells(label, "boolean", text, values, missing)
    if kind.is_numeric():
        values = series.cast(polars.Float64).fill_null(0.0).to_numpy().astype(np.float64)
        nan = np.isnan(values)
        return Cells(label, "number", text, np.where(nan, 0.0, values), missing | nan)
    if name in ("List", "Array", "Struct"):
        raise refuse_cells(label, f"several values a cell ({text})", "Make each a column.")
    return cells_of_objects(series.to_list(), label, text)


def _categories(series: Any, label: Label, missing: np.ndarray, polars: Any) -> Cells:
    declared = type(series.dtype).__name__ == "Enum"
    listed = series.dtype.categories if declared else series.drop_nulls().unique()
    levels = tuple(listed.cast(polars.String).to_list())
    levels = levels if declared else tuple(sorted(levels))
    position = {level: i for i, level in enumerate(levels)}
    cells = series.cast(polars.String).to_list()
    codes = np.array([-1 if cell is None else position[cell] for cell in cells], np.int64)
    text = "Enum" if declared else "Categorical"
    return Cells(label, "level", text, codes, missing, levels=levels, declared=declared)


def _times(series: Any, label: Label, missing: np.ndarray, polars: Any) -> Cells:
    kind = series.dtype
    name = type(kind).__name__
    counts = series.to_physical().cast(polars.Int64).fill_null(0).to_numpy()
    match name:
        case "Date":
            clock = Clock("date", "D")
        case "Datetime":
            clock = Clock("date", kind.time_unit, kind.time_zone)
        case "Duration":
            clock = Clock("duration", kind.time_unit)
        case _:
            clock = Clock("time", "ns")
    return Cells(label, "time", name, counts.astype(np.int64), missing, clock=clock)


def build_series(column: Column, values: np.ndarray, missing: np.ndarray, polars: Any) -> Any:
    """Build a column of a frame.

    Parameters
    ----------
    column : of the schema
    values : array of shape (n,): numbers, positions in the levels, or counts of the clock's unit
    missing : array of shape (n,), bool
    polars : the package
    """
    name = str(column.name)
    if column.clock is not None and not column.holds:
        counts = polars.Series(name, values.astype(np.int64)).set(polars.Series(missing), None)
        return _of_counts(counts, column, polars)
    if column.sort == "number" and not column.holds:
        numbers = polars.Series(name, in_range(values, column.dtype).astype(np.float64))
        # A decimal's name has its digits; it becomes Float64.
        kind = getattr(polars, column.dtype, polars.Float64)
        return numbers.set(polars.Series(missing), None).cast(kind)
    cells = objects_of(column, values, missing)
    if column.dtype == "Enum":
        return polars.Series(name, cells, dtype=polars.Enum(list(column.levels or ())))
    return polars.Series(name, cells, dtype=getattr(polars, column.dtype, None))


def _of_counts(counts: Any, column: Column, polars: Any) -> Any:
    clock: Any = column.clock
    match column.dtype:
        case "Date":
            return counts.cast(polars.Int32).cast(polars.Date)
        case "Datetime":
            dated = counts.cast(polars.Datetime(clock.unit))
            zone = clock.zone
            return (
                dated
                if zone is None
                else dated.dt.replace_time_zone("UTC").dt.convert_time_zone(zone)
            )
        case "Duration":
            return counts.cast(polars.Duration(clock.unit))
    return (counts % _PER_DAY).cast(polars.Time)


def build_frame(columns: Sequence[Any], polars: Any) -> Any:
    """Build a frame of columns."""
    return polars.DataFrame(list(columns))
