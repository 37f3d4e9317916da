"""Results for all rows of a source, in order, in memory or in a file."""

import os
from collections.abc import Callable
from typing import Any

import numpy as np

from wellposed import sources
from wellposed._bar import Bar
from wellposed.estimators.data.table import Table, of_source_rows

from .output import RowWriter, check_kind

_LEAST_ROWS = 256  # of a chunk, so that it is computed by the program of the others


def over_source(
    function: Callable[[Table], np.ndarray],
    source: sources.BlockSource,
    *,
    out: str | os.PathLike[str] | None = None,
    progress: bool | str = False,
) -> Any:
    """Apply a function of rows to a source, and return or write the results in order.

    Parameters
    ----------
    function : of a table of m rows, that returns an array of shape (m, ...)
    source : BlockSource
    out : path of a .npy or .parquet file to write; None returns an array
    progress : whether to show a progress bar

    Returns
    -------
    array of shape (n, ...), or the path

    Raises
    ------
    OutputError, SettingError
        If the file cannot be written, or is of another kind.
    """
    before = source.identity()
    with Bar(source.n_rows, progress, unit="rows") as bar, RowWriter(out, source.n_rows) as writer:
        for start, rows in sources.chunks_in_order(source, least=_LEAST_ROWS):
            writer.add(function(of_source_rows(source, rows)))
            bar.show(start + len(rows))
        sources.check_same(before, source.identity(), source)
        return writer.finish()


def by_row(
    function: Callable[[Any], np.ndarray],
    X: Any,
    *,
    out: str | os.PathLike[str] | None = None,
    progress: bool | str = False,
) -> Any:
    """Apply a function of rows to data of any kind; see :func:`over_source` for sources.

    Data in memory are passed as they are, and their results returned, or written to ``out``.
    """
    if isinstance(X, sources.BlockSource):
        return over_source(function, X, out=out, progress=progress)
    if out is None:
        return function(X)
    check_kind(out)
    results = function(X)
    with RowWriter(out, len(results)) as writer:
        writer.add(results)
        return writer.finish()
