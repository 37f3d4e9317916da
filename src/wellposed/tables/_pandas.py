"""Columns of a pandas frame, read and built again."""

import datetime
from collections.abc import Sequence
from typing import Any

import numpy as np

from wellposed._errors import DataError

from ._cells import PLAIN, Cells, Clock, Label, in_range, plain_level, refuse_cells
from ._column import Column
from ._objects import cells_of_objects, objects_of

_NO_NUMBERS = (str, bytes, datetime.date, datetime.time, datetime.timedelta)


def labels_of(frame: Any) -> list[Any]:
    """Return the labels of the columns.

    Raises
    ------
    DataError
        For columns of several levels of labels.
    """
    if frame.columns.nlevels > 1:
        raise DataError(
            f"Each column must have one name; the frame has {frame.columns.nlevels} levels of "
            "them. Join them: frame.columns = ['_'.join(map(str, c)) for c in frame.columns]."
        )
    return [plain_level(label) for label in frame.columns]


def column_at(frame: Any, j: int) -> Any:
    """Return column j, by its position."""
    return frame.iloc[:, j]


def is_number(series: Any, pandas: Any) -> bool:
    """Whether an array of numbers has the same content: numbers, booleans, or codes of numbers."""
    kind = series.dtype
    if isinstance(kind, pandas.CategoricalDtype):
        return bool(pandas.api.types.is_numeric_dtype(kind.categories.dtype))
    if _is_objects(kind):
        return not any(isinstance(cell, _NO_NUMBERS) for cell in series.dropna())
    return bool(pandas.api.types.is_numeric_dtype(kind))


def _is_objects(kind: Any) -> bool:
    return isinstance(kind, np.dtype) and kind.kind == "O"


def read_series(series: Any, label: Label, pandas: Any) -> Cells:
    """Read a column.

    Raises
    ------
    DataError
        For cells that have no model.
    """
    kind, types = series.dtype, pandas.api.types
    missing = series.isna().to_numpy(bool)
    if isinstance(kind, pandas.CategoricalDtype):
        return _categories(series, label, missing)
    if isinstance(kind, (pandas.PeriodDtype, pandas.IntervalDtype)):
        remedy = "dt.to_timestamp()" if isinstance(kind, pandas.PeriodDtype) else "astype(str)"
        raise refuse_cells(label, f"{kind}", f"Convert it with {remedy}.")
    if isinstance(kind, pandas.SparseDtype):
        return read_series(series.sparse.to_dense(), label, pandas)
    text = str(kind)
    if isinstance(kind, (np.dtype, pandas.DatetimeTZDtype)) and kind.kind in "mM":
        return _times(series, label, missing)
    objects = _is_objects(kind) or types.is_string_dtype(kind)
    if not objects and types.is_bool_dtype(kind):
        values = np.where(missing, 0, series.to_numpy(dtype=object)).astype(np.float64)
        return Cells(label, "boolean", text, values, missing)
    if not objects and types.is_complex_dtype(kind):
        raise refuse_cells(label, "complex numbers", "Pass their parts as two columns.")
    if not objects and types.is_numeric_dtype(kind) and _is_arithmetic(kind):
        values = series.to_numpy(dtype=np.float64, na_value=np.nan)
        return Cells(label, "number", text, np.where(missing, 0.0, values), missing)
    _check_rebuilt(kind, label, pandas)
    return cells_of_objects(series.to_numpy(dtype=object, na_value=None).tolist(), label, text)


def _is_arithmetic(kind: Any) -> bool:
    """Whether the numbers of a type are floats or integers: decimals are objects."""
    own = kind if isinstance(kind, np.dtype) else getattr(kind, "numpy_dtype", None)
    return own is not None and own.kind in "iuf"


def _check_rebuilt(kind: Any, label: Label, pandas: Any) -> None:
    try:
        same = pandas.api.types.pandas_dtype(str(kind)) == kind
    except (TypeError, ValueError, NotImplementedError):
        same = False
    if not same:
        raise refuse_cells(label, f"cells of type {kind}", "Convert it with astype(object).")


def _categories(series: Any, label: Label, missing: np.ndarray) -> Cells:
    index = series.cat.categories
    levels = tuple(plain_level(level) for level in index.tolist())
    strange = [level for level in levels if not isinstance(level, PLAIN)]
    if strange:
        raise refuse_cells(
            label,
            f"categories such as {strange[0]!r}",
            "Name them by text: column.cat.rename_categories(str).",
        )
    return Cells(
        label,
        "level",
        "category",
        series.cat.codes.to_numpy(np.int64),
        missing,
        levels=levels,
        levels_dtype=str(index.dtype),
        declared=True,
        ordered=bool(series.cat.ordered),
    )


def _times(series: Any, label: Label, missing: np.ndarray) -> Cells:
    kind, zone = series.dtype, None
    if not isinstance(kind, np.dtype):
        zone, series = str(kind.tz), series.dt.tz_convert("UTC").dt.tz_localize(None)
    values = series.to_numpy()
    unit = np.datetime_data(values.dtype)[0]
    clock = Clock("date" if values.dtype.kind == "M" else "duration", unit, zone)
    counts = np.where(missing, 0, values.view(np.int64))
    return Cells(label, "time", str(kind), counts, missing, clock=clock)


def build_series(
    column: Column, values: np.ndarray, missing: np.ndarray, index: Any, pandas: Any
) -> Any:
    """Build a column of a frame.

    Parameters
    ----------
    column : of the schema
    values : array of shape (n,): numbers, positions in the levels, or counts of the clock's unit
    missing : array of shape (n,), bool
    index : of the frame
    pandas : the package
    """
    if column.dtype == "category":
        kind = pandas.CategoricalDtype(
            pandas.Index(list(column.levels or ()), dtype=column.levels_dtype), column.ordered
        )
        codes = np.where(missing, -1, values).astype(np.int64)
        return pandas.Series(pandas.Categorical.from_codes(codes, dtype=kind), index=index)
    if column.clock is not None and not column.holds:
        return _build_times(column.clock, column.dtype, values, missing, index, pandas)
    if column.holds or (missing.any() and not _is_float(column.dtype)):
        cells = objects_of(column, values, missing)
        return pandas.Series(cells, index=index, dtype=column.dtype)
    numbers = np.where(missing, np.nan, values) if missing.any() else values
    return pandas.Series(in_range(numbers, column.dtype), index=index).astype(column.dtype)


def _is_float(dtype: str) -> bool:
    return dtype in ("float16", "float32", "float64")


def _build_times(
    clock: Clock, dtype: str, values: np.ndarray, missing: np.ndarray, index: Any, pandas: Any
) -> Any:
    counts = np.where(missing, np.iinfo(np.int64).min, values).astype(np.int64)
    letter = "M8" if clock.span == "date" else "m8"
    series = pandas.Series(counts.view(f"{letter}[{clock.unit}]"), index=index)
    if clock.zone is not None:
        series = series.dt.tz_localize("UTC")
    return series.astype(dtype)


def build_frame(columns: Sequence[Any], labels: Sequence[Label], index: Any, pandas: Any) -> Any:
    """Build a frame of columns, whose labels may repeat."""
    if not columns:
        return pandas.DataFrame(index=index)
    frame = pandas.concat(columns, axis=1)
    frame.columns = list(labels)
    return frame
