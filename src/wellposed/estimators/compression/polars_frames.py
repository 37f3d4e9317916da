"""Frames of polars as columns of numbers and a description, and back."""

from collections.abc import Callable
from typing import Any

import numpy as np

from wellposed._errors import DataError

from .columns import Columns
from .labels import narrow

Find = Callable[[list[Any]], np.ndarray]


def describe(frame: Any, columns: Columns, polars: Any) -> dict[str, Any]:
    """Collect the columns of a frame, and return what they are.

    Raises
    ------
    DataError
        For columns of types that have no place in a file.
    """
    described = [_column(series, columns, polars) for series in frame.iter_columns()]
    return {"columns": described, "labels": frame.columns}


def rebuild(description: dict[str, Any], find: Find, polars: Any) -> Any:
    """Return the frame that :func:`describe` was given, or some of its rows."""
    series = [
        _rebuild(each, find, polars).alias(name)
        for each, name in zip(description["columns"], description["labels"], strict=True)
    ]
    return polars.DataFrame(series)


def _column(series: Any, columns: Columns, polars: Any) -> dict[str, Any]:
    kind, missing = series.dtype, series.is_null()
    described: dict[str, Any] = {"type": _name(kind, polars)}
    if missing.any():
        described["missing"] = columns.add(missing.to_numpy())
    if kind in (polars.String, polars.Categorical, polars.Enum):
        text = series.cast(polars.String)
        levels = _levels(text, kind, polars)
        known = dict(zip(levels, range(len(levels)), strict=True))
        codes = [known.get(cell, 0) for cell in text.to_list()]
        return {**described, "levels": levels, "at": columns.add(narrow(codes, len(levels)))}
    if not (kind.is_numeric() or kind.is_temporal() or kind == polars.Boolean) or _is_wide(
        kind, polars
    ):
        raise DataError(
            f"Column {series.name!r} must have numbers, truth values, text, categories or times; "
            f"got {kind}. Convert it with cast(pl.String), or leave it out."
        )
    whole = series.to_physical()
    filled = whole.fill_null(False if kind == polars.Boolean else 0)
    return {**described, "at": columns.add(filled.to_numpy())}


def _levels(text: Any, kind: Any, polars: Any) -> list[str]:
    if kind == polars.Enum:
        return kind.categories.to_list()
    return text.drop_nulls().unique(maintain_order=True).to_list()


def _is_wide(kind: Any, polars: Any) -> bool:
    """Whether numbers of a type have no type of NumPy."""
    wide = ("Decimal", "Int128", "UInt128")
    return any(kind == getattr(polars, name) for name in wide if hasattr(polars, name))


def _name(kind: Any, polars: Any) -> list[Any]:
    if kind == polars.Datetime:
        return ["Datetime", kind.time_unit, kind.time_zone]
    if kind == polars.Duration:
        return ["Duration", kind.time_unit]
    return [kind.base_type().__name__]


def _rebuild(each: dict[str, Any], find: Find, polars: Any) -> Any:
    name, *settings = each["type"]
    values = find(each["at"])
    missing = find(each["missing"]) if "missing" in each else None
    if "levels" in each:
        levels = each["levels"]
        kind = polars.Enum(levels) if name == "Enum" else getattr(polars, name)
        cells = [levels[code] if levels else None for code in values.tolist()]
        series = polars.Series(cells, dtype=polars.String)
    else:
        kind = getattr(polars, name)(*settings) if settings else getattr(polars, name)
        series = polars.Series(values)
    if missing is not None:
        given = polars.Series(~missing)
        series = polars.select(polars.when(given).then(series)).to_series()
    return series.cast(kind)
