"""Results for all rows of a source, in order, in memory or in a file."""

import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wellposed import serialise, sources
from wellposed._bar import Bar
from wellposed.estimators._fitted import Fitted
from wellposed.estimators.data.table import Table, of_source_rows

from .output import RowWriter, check_kind
from .rows import check_no_covariates

_LEAST_ROWS = 256  # of a chunk, so that it is computed by the program of the others


def over_source(
    function: Callable[[Table], np.ndarray],
    source: sources.BlockSource,
    *,
    out: str | os.PathLike[str] | None = None,
    names: Sequence[str] | None = None,
    progress: bool | str = False,
) -> Any:
    """Apply a function of rows to a source, and return or write the results in order.

    Parameters
    ----------
    function : of a table of m rows, that returns an array of shape (m, ...)
    source : BlockSource
    out : path of a .npy or .parquet file to write; None returns an array
    names : of the columns in a .parquet file
    progress : whether to show a progress bar

    Returns
    -------
    array of shape (n, ...), or the path

    Raises
    ------
    OutputError, SettingError
        If the file cannot be written, or is of another kind.
    """
    n, before = source.n_rows, source.identity()
    sources.check_some(n, source.n_features, repr(source))
    with Bar(n, progress, unit="rows") as bar, RowWriter(out, n, names) as writer:
        for start, rows in sources.chunks_in_order(source, least=_LEAST_ROWS):
            writer.add(function(of_source_rows(source, rows, start)))
            bar.show(start + len(rows))
        sources.check_same(before, source.identity(), source)
        return writer.finish()


def by_row(
    vae: Fitted,
    function: Callable[[Any], np.ndarray],
    X: Any,
    *,
    out: str | os.PathLike[str] | None,
    names: Sequence[str] | None,
) -> Any:
    """Apply a function of a fitted VAE to data of any kind; see :func:`over_source` for sources.

    Data in memory are passed as they are, and their results returned, or written to ``out``.

    Raises
    ------
    SettingError
        If ``out`` is a file that is read as well; for a source and a conditional model.
    """
    if isinstance(X, sources.BlockSource):
        check_no_covariates(vae.covariates_)
        serialise.check_apart(out, *X.paths)
        return over_source(function, X, out=out, names=names, progress=vae.progress)
    if out is None:
        return function(X)
    check_kind(out)
    serialise.check_apart(out, X)
    serialise.check_writable(out, overwrite=True)
    results = function(X)
    with RowWriter(out, len(results), names) as writer:
        writer.add(results)
        return writer.finish()
