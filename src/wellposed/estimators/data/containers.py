"""Conversion of containers (arrays, frames, sparse matrices, paths) to tables of numbers.

Optional packages are not imported here: their data exist only where they are already imported.
"""

import os
import sys
import warnings
from collections.abc import Iterator, Mapping, Set
from typing import Any

import numpy as np
import scipy.sparse

from wellposed import datasets, sources
from wellposed._errors import DataError

from .frames import of_arrow, of_pandas, of_polars
from .table import Table, of_array, of_columns, of_source_rows

DENSE_AT_MOST = 2**28  # maximum number of entries of dense rows: 2 GiB as float64


def table_of(X: Any) -> Table:
    """Read rows from a container of any supported type.

    Arrays of three or four axes are images, (n, H, W) or (n, H, W, C), and are flattened as a
    file of them is. Sparse rows become dense. Masked entries are gaps. The names of a frame, a
    file or a structured array name the features.

    Parameters
    ----------
    X : path, ``datasets.Source``, source of blocks, array, frame, sparse matrix, masked or
        structured array, Arrow table, or nested sequence

    Raises
    ------
    DataError
        For data that are no table of real numbers, with the column and the remedy.
    """
    if isinstance(X, Table):
        return X
    if isinstance(X, (str, os.PathLike)):
        X = datasets.read(X)
    if isinstance(X, datasets.Source):
        return _of_source(X)
    if isinstance(X, sources.BlockSource):
        return _of_blocks(X)
    if scipy.sparse.issparse(X):
        return _of_sparse(X)
    frame = _of_frame(X)
    if frame is not None:
        return frame
    if isinstance(X, np.ma.MaskedArray):
        return _of_mask(X)
    values = X if type(X) is np.ndarray else _as_array(X)
    if values.dtype.names is not None:
        return _of_fields(values)
    return of_array(values)


def _of_source(source: datasets.Source) -> Table:
    # Names of pixels are dropped: they repeat the positions in the image shape.
    names = source.feature_names if source.image_shape is None else None
    array = of_array(source.values)
    lines = getattr(source, "lines", None)
    return Table(array.values, names, names, source.image_shape, lines)


def _of_blocks(source: sources.BlockSource) -> Table:
    """Read a source whole, for a method that has no way to read it in blocks."""
    entries = source.n_rows * source.n_features
    if entries > DENSE_AT_MOST:
        raise DataError(
            f"This reads all rows into memory, at most {DENSE_AT_MOST:,} entries; got {source!r}. "
            "Pass some of its rows, source.rows(start, stop); fit, partial_fit, transform and "
            "score_samples of VAE and of the linear models read in blocks."
        )
    return of_source_rows(source, source.rows(0, source.n_rows))


def _of_sparse(X: Any) -> Table:
    if X.ndim == 2 and X.shape[0] * X.shape[1] > DENSE_AT_MOST:
        check_dense(X.shape)
    return of_array(X.toarray())


def check_dense(shape: tuple[int, ...]) -> None:
    """Refuse sparse rows that would take too much memory once they are dense."""
    if shape[0] * shape[1] > DENSE_AT_MOST:
        raise DataError(
            f"Sparse rows are made dense, at most {DENSE_AT_MOST:,} entries; got {shape[0]:,} rows "
            f"of {shape[1]:,} features. Fit on fewer rows or features (partial_fit takes pieces), "
            "or reduce them first, with sklearn.decomposition.TruncatedSVD."
        )


def _of_frame(X: Any) -> Table | None:
    """Read a frame of pandas, polars, Arrow or narwhals; None for other types."""
    pandas, polars, arrow, narwhals = (
        sys.modules.get(name) for name in ("pandas", "polars", "pyarrow", "narwhals")
    )
    if narwhals is not None and hasattr(narwhals, "to_native"):
        X = narwhals.to_native(X, pass_through=True)
    if pandas is not None and hasattr(pandas, "DataFrame"):
        if isinstance(X, pandas.DataFrame):
            return of_pandas(X, pandas, check_dense)
        if isinstance(X, (pandas.Series, pandas.Index)):
            _refuse_series(X, "X.to_frame()")
    if polars is not None and hasattr(polars, "DataFrame"):
        if isinstance(X, polars.LazyFrame):
            raise DataError("Data must be in memory; got a LazyFrame. Pass X.collect().")
        if isinstance(X, polars.DataFrame):
            return of_polars(X)
        if isinstance(X, polars.Series):
            _refuse_series(X, "X.to_frame()")
    if arrow is not None and hasattr(arrow, "Table"):
        if isinstance(X, (arrow.Table, arrow.RecordBatch)):
            return of_arrow(X, arrow)
        if isinstance(X, (arrow.Array, arrow.ChunkedArray)):
            _refuse_series(X, 'pyarrow.table({"x": X})')
    return None


def _refuse_series(X: Any, remedy: str) -> None:
    raise DataError(
        f"Expected 2D array, rows and features; got one column, a {type(X).__name__} of "
        f"{len(X)} entries. Reshape your data: {remedy} is a table of one feature."
    )


def _of_mask(X: Any) -> Table:
    """Read a masked array; masked entries are gaps, whatever their value."""
    if X.dtype.names is not None:
        return _of_fields(X)
    return of_array(_fill(X))


def _fill(X: Any) -> np.ndarray:
    if not np.ma.is_masked(X):
        return np.asarray(X.data)
    if X.dtype.kind in "biuf":
        return X.astype(np.float64).filled(np.nan)
    return X.astype(object).filled(None)


def _of_fields(X: np.ndarray) -> Table:
    """Read a structured array, whose fields are named columns."""
    names = X.dtype.names or ()
    if X.ndim != 1:
        raise DataError(
            f"A structured array must have one axis; got shape {X.shape}. Pass X.ravel()."
        )
    columns = [X[name] for name in names]
    for name, column in zip(names, columns, strict=True):
        if column.ndim != 1 or column.dtype.names is not None:
            raise DataError(
                f"Every column must hold one number a row; column {name!r} holds several. Make "
                "each a column of its own."
            )
    filled = [_fill(c) if isinstance(c, np.ma.MaskedArray) else c for c in columns]
    return of_columns(filled, names, n_rows=len(X))


def _as_array(X: Any) -> np.ndarray:
    """Turn sequences, and objects that provide an array, into an array."""
    _refuse_strange(X)
    if isinstance(X, (list, tuple)) and any(isinstance(row, np.ma.MaskedArray) for row in X):
        return _fill(np.ma.stack([np.ma.asarray(row) for row in X]))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a masked entry becomes NaN, which is refused below
            values = np.asarray(X)
            if values.dtype.kind in "SU" and isinstance(X, (list, tuple)):
                values = np.array(X, object)  # so that columns of numbers keep their type
    except Exception as error:  # code of the container, which may raise anything
        _refuse_unreadable(X, error)
    if values.ndim == 0 and values.dtype.kind == "O":
        _refuse_unreadable(X, None)
    return values


def _refuse_strange(X: Any) -> None:
    remedy = None
    if isinstance(X, Mapping) or (isinstance(X, (list, tuple)) and X and isinstance(X[0], Mapping)):
        remedy = "pandas.DataFrame(X), which makes a column of each entry"
    elif isinstance(X, Iterator):
        remedy = "numpy.array(list(X)), or the path of a file"
    elif isinstance(X, Set):
        remedy = "a list, whose order is known"
    if remedy is not None:
        raise DataError(
            f"Data must be a table of numbers; got a {type(X).__name__}. Pass {remedy}."
        )


def _refuse_unreadable(X: Any, error: Exception | None) -> None:
    if isinstance(X, (list, tuple)):
        lengths = [len(row) if hasattr(row, "__len__") else None for row in X]
        other = next((i for i, length in enumerate(lengths) if length != lengths[0]), None)
        if other is not None:
            raise DataError(
                f"Every row must have as many entries as the first; row {other} has "
                f"{lengths[other] or 'no'} and row 0 has {lengths[0] or 'no'}. Correct that row, "
                "or fill its gaps."
            ) from error
    why = "" if error is None else f" that cannot be read as an array ({error})"
    raise DataError(
        f"Data must be a table of numbers; got a {type(X).__module__}.{type(X).__qualname__}{why}. "
        "Pass a NumPy array, a frame of pandas or polars, or a path."
    ) from error
