"""The cells of one column of a frame, in one form for all containers."""

import dataclasses
from typing import Any, Literal, TypeAlias

import numpy as np

from wellposed._errors import DataError

Label: TypeAlias = str | int
Level: TypeAlias = str | int | float | bool
Sort: TypeAlias = Literal["number", "boolean", "level", "time", "empty"]
Span: TypeAlias = Literal["date", "duration", "time"]

PLAIN = (str, bool, int, float)  # types of levels


@dataclasses.dataclass(frozen=True)
class Clock:
    """How dates, durations or times of day are counted.

    Parameters
    ----------
    span : "date", "duration" or "time" (of day)
    unit : "D", "s", "ms", "us" or "ns": of the container's counts
    zone : time zone of dates, which are counted in UTC; None for dates without one
    origin : count that is zero in the model
    step : counts that are one in the model: the largest of days, hours, minutes, seconds and
        their thousandths of which all cells are multiples
    """

    span: Span
    unit: str
    zone: str | None = None
    origin: int = 0
    step: int = 1


@dataclasses.dataclass(frozen=True, eq=False)
class Cells:
    """The cells of one column.

    Parameters
    ----------
    label : of the column
    sort : of the cells
    dtype : name of the column's type in its container
    values : array of shape (n,): float64 of numbers and booleans; positions in ``levels``; int64
        counts of ``clock.unit`` since 1970, or of a duration
    missing : array of shape (n,), bool
    holds : name of the Python type of the cells of a column of objects; "" for other columns
    levels : what cells of the sort "level" can be
    levels_dtype : name of the type of the levels, for categories
    declared : whether the container lists the levels
    ordered : whether the levels have an order
    clock : of the sort "time"
    """

    label: Label
    sort: Sort
    dtype: str
    values: np.ndarray
    missing: np.ndarray
    holds: str = ""
    levels: tuple[Level, ...] = ()
    levels_dtype: str = ""
    declared: bool = False
    ordered: bool = False
    clock: Clock | None = None

    @property
    def present(self) -> np.ndarray:
        """Values that are not missing."""
        return self.values[~self.missing]


def named(label: Label) -> str:
    """Return a column's name for a message."""
    return f"column {label!r}"


def refuse_cells(label: Label, what: str, remedy: str) -> DataError:
    """Build the error for a column whose cells have no model."""
    return DataError(
        "A column must hold numbers, text, booleans, categories, dates, times or durations; "
        f"{named(label)} holds {what}. {remedy}"
    )


def level_key(level: Any) -> tuple[str, Any]:
    """Return a key that distinguishes 1, 1.0, True and "1"."""
    return type(level).__name__, level


def plain_level(level: Any) -> Any:
    """Return a level of NumPy as Python's."""
    return level.item() if isinstance(level, np.generic) else level


def sort_levels(levels: Any) -> tuple[Level, ...]:
    """Sort levels: by their value where they are of one type, else by type and text."""
    found = list(levels)
    if len({type(level) for level in found}) <= 1:
        return tuple(sorted(found))
    return tuple(sorted(found, key=lambda level: (type(level).__name__, str(level))))


def in_range(values: np.ndarray, dtype: str) -> np.ndarray:
    """Clip numbers to the range of a type of whole numbers, by its name in any container.

    Examples
    --------
    >>> in_range(np.array([-3.0, 300.0]), "UInt8").tolist()
    [0.0, 255.0]
    """
    name = dtype.split("[")[0].lower()
    try:
        kind = np.dtype(name)
    except TypeError:
        return values
    if kind.kind not in "iu":
        return values
    limits = np.iinfo(kind)
    high = float(limits.max)
    return np.clip(values, float(limits.min), np.nextafter(high, 0) if high > 2**53 else high)
