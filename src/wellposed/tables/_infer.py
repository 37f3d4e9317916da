"""From the cells of a column to what it is taken for, and why."""

import dataclasses
import math
from typing import Any

import numpy as np

from wellposed._errors import DataError

from ._cells import Cells, Clock, Level, named
from ._column import Column, default_noise

MOST_LEVELS = 256
_FEW = 10  # distinct texts, or rows, that are always taken for categories, or numbers
_ALMOST_ALL = 0.9  # share of distinct whole numbers from which they may be identifiers
_ZEROS = 0.1  # share of zeros from which an amount has a probability of zero
_SKEWED = 1.0  # third standardised moment
_SMALL = 10.0  # mean of counts above which a Gaussian of their resolution fits
_FEW_WORDS, _NUMBERS_A_WORD = 3, 3  # of a column of numbers whose gaps are words such as "?"
_STEPS = {  # in nanoseconds
    "days": 86_400_000_000_000,
    "hours": 3_600_000_000_000,
    "minutes": 60_000_000_000,
    "seconds": 1_000_000_000,
    "milliseconds": 1_000_000,
    "microseconds": 1_000,
    "nanoseconds": 1,
}
UNITS = {"D": 86_400_000_000_000, "s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}


def infer(cells: Cells) -> Column:
    """Return what a column is taken for.

    Parameters
    ----------
    cells : of the column
    """
    blank = Column(
        cells.label,
        "empty",
        None,
        "no cell has a value",
        sort=cells.sort,
        dtype=cells.dtype,
        holds=cells.holds,
        levels_dtype=cells.levels_dtype,
        ordered=cells.ordered,
        levels=cells.levels if cells.sort == "level" else None,
        clock=cells.clock,
        last=None,
    )
    if not len(cells.present):
        return blank
    of_sort = {"level": _of_levels, "number": _of_numbers, "boolean": _of_booleans}
    column = of_sort.get(cells.sort, _of_times)(blank, cells)
    return dataclasses.replace(column, noise=default_noise(column))


def complete(column: Column, cells: Cells) -> Column:
    """Return a column as the data have it: its type, and levels and clock where they are unknown.

    Parameters
    ----------
    column : whose kind may have been set by the user
    cells : of the column

    Raises
    ------
    DataError
        If the cells cannot be of that kind.
    """
    clock = cells.clock
    if clock is not None:
        known = column.clock
        same = known is not None and (known.span, known.unit) == (clock.span, clock.unit)
        clock = dataclasses.replace(known, zone=clock.zone) if same and known else _clock_of(cells)
    levels = column.levels
    if levels is None and column.has_levels:
        levels = levels_of(cells)
    if column.is_kept and not column.has_levels and cells.sort == "level":
        raise DataError(
            f"A column of kind {column.kind!r} must hold numbers; {named(column.name)} holds "
            f'{cells.holds or "categories"}. Use the kind "category", or convert the column.'
        )
    column = dataclasses.replace(
        column,
        sort=cells.sort,
        dtype=cells.dtype,
        holds=cells.holds,
        levels_dtype=cells.levels_dtype,
        ordered=cells.ordered,
        levels=levels,
        clock=clock,
    )
    missing = column.is_kept and column.noise is None
    return dataclasses.replace(column, noise=default_noise(column)) if missing else column


def as_number(cells: Cells) -> Column:
    """Return a column as one of a table of numbers, which has one noise."""
    whole = cells.sort == "number" and cells.dtype.split("[")[0].lower().startswith(("int", "uint"))
    return Column(
        cells.label,
        "real",
        None,
        f"numbers alone, with one noise for all{_zeros(cells.present)}",
        levels=cells.levels or None,
        sort=cells.sort,
        dtype=cells.dtype,
        holds=cells.holds,
        levels_dtype=cells.levels_dtype,
        ordered=cells.ordered,
        whole=whole,
    )


def _zeros(x: np.ndarray) -> str:
    share = float((x == 0).mean()) if len(x) else 0.0
    return f"; {share:.0%} zeros" if share >= _ZEROS else ""


def levels_of(cells: Cells) -> tuple[Level, ...]:
    """Return the levels of a column of any sort."""
    if cells.sort == "level":
        return cells.levels
    values = sorted(set(cells.present.tolist()))
    if cells.sort == "boolean":
        return tuple(bool(value) for value in values)
    return tuple(int(value) if value.is_integer() else value for value in values)


def words_among_numbers(levels: tuple[Level, ...]) -> tuple[str, ...]:
    """Texts of a column that are no numbers, where most of the others are; else none."""
    texts = [level for level in levels if isinstance(level, str)]
    words = tuple(text for text in texts if not _is_number(text))
    few = 0 < len(words) <= _FEW_WORDS and len(texts) - len(words) >= _NUMBERS_A_WORD * len(words)
    return words if few else ()


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _with(column: Column, kind: Any, reason: str, **fields: Any) -> Column:
    return dataclasses.replace(column, kind=kind, reason=reason, **fields)


def _of_levels(column: Column, cells: Cells) -> Column:
    distinct, n = len(np.unique(cells.present)), len(cells.present)
    levels = cells.levels
    what = "categories" if cells.declared else "texts"
    if distinct == 1:
        only = levels[int(cells.present[0])]
        return _with(column, "constant", f"all {n} cells are {only!r}", last=only)
    if not cells.declared and distinct > max(_FEW, n // 2):
        if distinct == n:
            return _with(column, "identifier", f"all {n} texts differ")
        return _with(column, "text", f"{distinct} texts in {n} cells: too few of each to learn")
    if len(levels) > MOST_LEVELS:
        return _with(column, "text", f"{len(levels)} {what}, more than {MOST_LEVELS}")
    if cells.ordered:
        return _with(column, "ordered", f"{len(levels)} ordered categories")
    unused = len(levels) - distinct
    without = f", {unused} of them without a row" if unused else ""
    return _with(column, "category", f"{len(levels)} {what}{without}")


def _of_booleans(column: Column, cells: Cells) -> Column:
    values = np.unique(cells.present)
    if len(values) == 1:
        only = bool(values[0])
        return _with(column, "constant", f"all {len(cells.present)} cells are {only}", last=only)
    return _with(column, "boolean", "true or false")


def _of_numbers(column: Column, cells: Cells) -> Column:
    x = cells.present
    n, distinct = len(x), len(np.unique(x))
    low, high = float(x.min()), float(x.max())
    whole = bool(np.isfinite(x).all() and (x == np.round(x)).all())
    column = dataclasses.replace(column, whole=whole, zeros=bool((x == 0).any()))
    if distinct == 1:
        return _with(column, "constant", f"all {n} cells are {low:g}", last=low)
    if not np.isfinite(x).all():
        return _with(column, "real", "numbers, some of them infinite")
    if distinct == 2 and (low, high) == (0.0, 1.0):
        return _with(column, "boolean", "zeros and ones")
    if distinct == 2 and whole and n > _FEW:
        return _with(
            column,
            "category",
            "two whole numbers",
            levels=levels_of(cells),
        )
    if whole and distinct == n > _FEW and high - low == n - 1:
        reason = f"the whole numbers from {low:.0f} to {high:.0f}, each once"
        return _with(column, "identifier", reason, last=high)
    if low >= 0:
        amount = _of_amounts(column, x, whole)
        if amount is not None:
            return amount
    return _with(column, "real", _whole_numbers(x, distinct) if whole else "numbers")


def _whole_numbers(x: np.ndarray, distinct: int) -> str:
    """Return the reason of a column of whole numbers, with what else they could be."""
    n = len(x)
    if distinct <= _FEW < n:
        seen = f"{distinct} whole numbers from {x.min():.0f} to {x.max():.0f}"
        return f'{seen}; kind="category" if they are codes'
    if distinct >= _ALMOST_ALL * n and n > _FEW:
        seen = f"whole numbers, {distinct} different in {n} cells"
        return f'{seen}; kind="identifier" if they only name the rows'
    return "whole numbers"


def _of_amounts(column: Column, x: np.ndarray, whole: bool) -> Column | None:
    """Return what numbers from zero on are taken for; None is real numbers."""
    mean, variance = float(x.mean()), float(x.var())
    if whole and mean <= _SMALL and x.max() < 1000 and variance >= mean:
        reason = f"whole numbers from {x.min():.0f}, mean {mean:.2g}, variance {variance:.2g}"
        return _with(column, "count", reason)
    if are_amounts(x):
        reason = f"from zero on, {(x == 0).mean():.0%} zeros, skewness {_skewness(x):.1f}"
        return _with(column, "amount", reason)
    # Log-normal noise of skewed numbers above zero had no better held-out log p than a Gaussian.
    return None


def are_amounts(x: np.ndarray) -> bool:
    """Whether numbers are from zero on, a tenth of them zeros, with a long tail."""
    return bool((x == 0).mean() >= _ZEROS) and have_long_tail(x)


def have_long_tail(x: np.ndarray) -> bool:
    """Whether numbers are from zero on, with a long tail."""
    return bool(x.min() >= 0 and _skewness(x) > _SKEWED)


def _skewness(x: np.ndarray) -> float:
    centred = x - x.mean()
    spread = centred.std()
    return float(np.mean((centred / spread) ** 3)) if spread > 0 else 0.0


def _of_times(column: Column, cells: Cells) -> Column:
    clock = _clock_of(cells)
    column = dataclasses.replace(column, clock=clock, whole=True)
    counts = cells.present
    if (counts == counts[0]).all():
        last = int(counts[0])
        return _with(column, "constant", f"all {len(counts)} cells are equal", last=last)
    unit = step_name(clock)
    match clock.span:
        case "date":
            coarse = "D" if unit == "days" else "s"
            since = np.array(clock.origin).astype(f"M8[{clock.unit}]").astype(f"M8[{coarse}]")
            return _with(column, "date", f"dates, in {unit} since {since}")
        case "duration":
            return _with(column, "duration", f"durations, in {unit}")
    return _with(column, "time", f"times of day, in {unit} since midnight")


def _clock_of(cells: Cells) -> Clock:
    """Return the clock whose origin and step suit the cells."""
    clock: Any = cells.clock
    counts = cells.present
    origin = int(counts.min()) if clock.span == "date" and len(counts) else 0
    unit = UNITS[clock.unit]
    step = 1
    for length in _STEPS.values():
        if length % unit == 0 and not ((counts - origin) % (length // unit)).any():
            step = length // unit
            break
    return dataclasses.replace(clock, origin=origin, step=int(step))


def step_name(clock: Clock) -> str:
    """Return the name of a clock's step."""
    length = clock.step * UNITS[clock.unit]
    return next(name for name, each in _STEPS.items() if each == length)
