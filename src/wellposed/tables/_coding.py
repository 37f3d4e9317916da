"""From the cells of a column to its numbers in the model, and back."""

from typing import Any

import numpy as np

from wellposed._errors import DataError

from ._cells import Cells, level_key, named
from ._column import Column
from ._infer import UNITS

_SHOWN = 8  # levels in a message


def encode(column: Column, cells: Cells, *, unseen_as_gaps: bool = False) -> np.ndarray:
    """Return the numbers of a column, shape (n,); missing cells are NaN.

    Parameters
    ----------
    column : of the schema
    cells : of the same column, in any container
    unseen_as_gaps : whether a level that the schema does not have is a missing cell

    Raises
    ------
    DataError
        For cells of another sort than the schema's, and levels that it does not have.
    """
    if cells.sort == "empty":
        return np.full(len(cells.values), np.nan)
    if column.has_levels:
        codes = _codes(column, cells, unseen_as_gaps)
    elif cells.sort == "level" or (cells.sort == "time") != (column.clock is not None):
        raise _other_sort(column, cells)
    elif cells.sort == "time":
        codes = _ticks(column, cells)
    else:
        codes = cells.values.astype(np.float64)
    return np.where(cells.missing, np.nan, codes)


def _other_sort(column: Column, cells: Cells) -> DataError:
    words = {"level": "text or categories", "number": "numbers", "boolean": "booleans"}
    expected = "dates or times" if column.clock is not None else "numbers"
    return DataError(
        f"A column must hold what it held in the fit; {named(column.name)} held {expected}, and "
        f"holds {words.get(cells.sort, 'dates or times')}. Convert it, or fit again."
    )


def first_unseen(column: Column, cells: Cells) -> Any:
    """A level of a column that the schema does not have; None without."""
    given = _matched(column, cells)[1] if column.has_levels and cells.sort != "empty" else []
    return given[0] if given else None


def _matched(column: Column, cells: Cells) -> tuple[np.ndarray, list[Any]]:
    """Return positions of levels, −1 for one that the schema does not have, and the first such."""
    levels = column.levels or ()
    if cells.sort == "level":
        place = {level_key(level): i for i, level in enumerate(levels)}
        table = np.array([place.get(level_key(level), -1) for level in cells.levels], np.float64)
        codes = np.where(cells.missing, 0.0, table[np.where(cells.missing, 0, cells.values)])
        given: Any = [cells.levels[i] for i in cells.values[codes < 0][:1]]
    else:
        numbers = {float(level): i for i, level in enumerate(levels) if not isinstance(level, str)}
        each = [numbers.get(value, -1) for value in cells.values.tolist()]
        codes = np.where(cells.missing, 0.0, each)
        given = [f"{value:g}" for value in cells.values[codes < 0][:1]]
    return codes, given


def _codes(column: Column, cells: Cells, unseen_as_gaps: bool) -> np.ndarray:
    levels, (codes, given) = column.levels or (), _matched(column, cells)
    if not given:
        return codes
    if unseen_as_gaps:
        return np.where(codes < 0, np.nan, codes)
    row = int(np.flatnonzero(codes < 0)[0])
    shown = ", ".join(repr(level) for level in levels[:_SHOWN])
    more = f" and {len(levels) - _SHOWN} more" if len(levels) > _SHOWN else ""
    raise DataError(
        f"A category must be one that the model was fitted to; {named(column.name)} has "
        f"{given[0]!r} at row {row}, and the model has {shown}{more}. Drop these rows, or fit "
        "with a schema that has the category: noise=wp.Schema.of(frame) of a frame with all of "
        "them, or schema.replace(name, levels=[...])."
    )


def _ticks(column: Column, cells: Cells) -> np.ndarray:
    clock: Any = column.clock
    other: Any = cells.clock
    if clock.span != other.span or (clock.zone is None) != (other.zone is None):
        raise DataError(
            f"A column must hold what it held in the fit; {named(column.name)} held "
            f"{_called(clock)}, and holds {_called(other)}. Convert it, or fit again."
        )
    own, theirs = UNITS[clock.unit], UNITS[other.unit]
    counts = cells.values
    if theirs >= own:  # in whole numbers, which are exact
        since = counts * (theirs // own) - clock.origin
        whole, rest = np.divmod(since, clock.step)
        return whole + rest / clock.step
    return (counts - clock.origin * (own // theirs)) / (clock.step * (own // theirs))


def _called(clock: Any) -> str:
    zone = f" of the zone {clock.zone}" if clock.zone else " without a time zone"
    return {"date": f"dates{zone}", "duration": "durations", "time": "times of day"}[clock.span]


def decode(column: Column, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the values of a column and which are missing, shape (n,) each.

    Parameters
    ----------
    column : of the schema
    numbers : array of shape (n,) in the model; NaN is a missing cell. They are rounded to the
        nearest level, step or whole number that the column has

    Returns
    -------
    numbers, positions in the levels, or counts of the clock's unit; and the gaps
    """
    missing = np.isnan(numbers)
    y = np.where(missing, 0.0, numbers).astype(np.float64)
    if column.has_levels:
        levels = column.levels or ()
        codes = np.clip(np.rint(y), 0, len(levels) - 1).astype(np.int64)
        if column.sort == "level":
            return codes, missing
        return np.array([float(level) for level in levels])[codes], missing
    if column.clock is not None:
        ticks = np.rint(y).astype(np.int64)
        rest = np.where(column.whole, 0, np.rint((y - ticks) * column.clock.step))
        return column.clock.origin + ticks * column.clock.step + rest.astype(np.int64), missing
    if column.sort == "level":  # numbers that a frame stores as categories
        levels = np.array([float(level) for level in column.levels or ()])
        return np.abs(y[:, None] - levels).argmin(axis=1), missing
    if column.kind in ("count", "amount"):
        y = np.maximum(y, 0.0)
    if column.kind == "boolean" or column.sort == "boolean":
        return np.where(y >= 0.5, 1.0, 0.0), missing
    return (np.rint(y) if column.whole else y), missing


def fill_left_out(column: Column, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the values of a column that the model does not have, as :func:`decode`.

    A constant is itself; an identifier of whole numbers goes on from the largest; cells of other
    columns are missing.
    """
    none = np.zeros(n, bool)
    if column.kind == "identifier" and column.sort == "number":
        return float(column.last or 0) + 1.0 + np.arange(n), none
    if column.kind == "constant" and column.last is not None:
        if column.sort == "level":
            levels = [level_key(level) for level in column.levels or ()]
            return np.full(n, levels.index(level_key(column.last))), none
        return np.full(n, column.last, np.int64 if column.sort == "time" else np.float64), none
    return np.zeros(n, np.int64 if column.sort in ("level", "time") else np.float64), ~none
