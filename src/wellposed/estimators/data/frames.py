"""Readers of pandas and polars frames, and of Arrow tables, column by column."""

from collections.abc import Callable
from typing import Any

import numpy as np

from .numbers import column_name, refuse
from .table import Table, of_array, of_columns


def of_pandas(frame: Any, pandas: Any, check_dense: Callable[[tuple[int, ...]], None]) -> Table:
    """Read a pandas frame of NumPy, nullable, sparse, categorical or Arrow columns."""
    labels = list(frame.columns)
    kinds = list(frame.dtypes)
    if any(isinstance(kind, pandas.SparseDtype) for kind in kinds):
        check_dense(frame.shape)
    text = tuple(str(label) for label in labels)
    if len(set(kinds)) == 1 and isinstance(kinds[0], np.dtype) and kinds[0].kind in "iuf":
        return _with_labels(of_array(frame.to_numpy()), labels)  # read as a whole
    columns = [
        _pandas_column(frame.iloc[:, j], pandas, column_name(j, text)) for j in range(len(labels))
    ]
    return of_columns(columns, labels, n_rows=len(frame))


def of_polars(frame: Any) -> Table:
    """Read a polars frame."""
    columns = [
        _polars_column(series, column_name(j, frame.columns))
        for j, series in enumerate(frame.get_columns())
    ]
    return of_columns(columns, frame.columns, n_rows=len(frame))


def of_arrow(table: Any, arrow: Any) -> Table:
    """Read an Arrow table or record batch."""
    names = list(table.schema.names)
    columns = [
        _arrow_column(table.column(j), arrow, column_name(j, names)) for j in range(len(names))
    ]
    return of_columns(columns, names, n_rows=table.num_rows)


def _with_labels(table: Table, labels: list[Any]) -> Table:
    """Add the labels of a frame to the table of an array."""
    text = tuple(str(label) for label in labels)
    names = text if any(isinstance(label, str) for label in labels) else None
    return Table(table.values, names, text)


def _pandas_column(series: Any, pandas: Any, column: str) -> np.ndarray:
    kind = series.dtype
    if isinstance(kind, np.dtype):
        return series.to_numpy()
    if isinstance(kind, pandas.SparseDtype):
        return np.asarray(series.sparse.to_dense())
    if isinstance(kind, pandas.CategoricalDtype):
        return _categories(series, pandas, column)
    if pandas.api.types.is_numeric_dtype(kind):
        own = getattr(kind, "numpy_dtype", None)
        if own is not None and own.kind in "biuf":
            if series.isna().any():
                return series.to_numpy(dtype=np.float64, na_value=np.nan)
            return series.to_numpy(dtype=own)
        return series.to_numpy(dtype=object)  # decimals, and numbers of other packages
    if kind.kind in "Mm" or isinstance(kind, (pandas.PeriodDtype, pandas.IntervalDtype)):
        refuse(column, f"dates, durations or intervals ({kind})")
    return series.to_numpy(dtype=object)


def _categories(series: Any, pandas: Any, column: str) -> np.ndarray:
    """Read numbers that are stored as categories; a missing one is NaN."""
    categories = series.cat.categories
    if not pandas.api.types.is_numeric_dtype(categories.dtype):
        refuse(
            column, f"categories, such as {categories[0]!r}" if len(categories) else "categories"
        )
    values, codes = categories.to_numpy(), series.cat.codes.to_numpy()
    if (codes >= 0).all():
        return values[codes]
    return np.where(codes >= 0, values[codes].astype(np.float64), np.nan)


def _polars_column(series: Any, column: str) -> np.ndarray:
    kind = type(series.dtype).__name__
    if kind in ("Categorical", "Enum"):
        refuse(column, f"categories ({kind})")
    if kind in ("List", "Array", "Struct", "Object"):
        refuse(column, f"several values an entry ({series.dtype})")
    try:
        return series.to_numpy()
    except Exception:  # polars' own, of types that NumPy does not have
        return np.array(series.to_list(), object)


def _arrow_column(column: Any, arrow: Any, called_: str) -> np.ndarray:
    if arrow.types.is_nested(column.type):
        refuse(called_, f"several values an entry ({column.type})")
    if isinstance(column, arrow.ChunkedArray):
        return column.to_numpy()
    return column.to_numpy(zero_copy_only=False)
