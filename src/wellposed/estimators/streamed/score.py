"""Results for all rows of a source, in order, in memory or in a file."""

import os
from collections.abc import Callable, Generator, Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from wellposed import serialise, sources, training
from wellposed._bar import Bar
from wellposed.estimators.data.covariates import split
from wellposed.estimators.data.table import Table, of_source_rows

from .dealt import agree_on_call, collect, processes_of
from .output import RowWriter, check_kind

_LEAST_ROWS = 256  # of a chunk, so that it is computed by the program of the others


def over_source(
    vae: BaseEstimator,
    function: Callable[[Table], np.ndarray],
    source: sources.BlockSource,
    *,
    call: str,
    out: str | os.PathLike[str] | None = None,
    names: Sequence[str] | None = None,
) -> Any:
    """Apply a function of rows to a source, and return or write the results in order.

    Processes that joined compute chunks in turn, where the estimator's ``devices`` is not None:
    then each of them calls this function. All return the results, and one writes the file.

    Parameters
    ----------
    vae : the estimator
    function : of a table of m rows, that returns an array of shape (m, ...)
    source : BlockSource
    call : what processes that joined must call alike, with its settings
    out : path of a .npy or .parquet file to write; None returns an array
    names : of the columns in a .parquet file

    Returns
    -------
    array of shape (n, ...), or the path

    Raises
    ------
    OutputError, SettingError
        If the file cannot be written, or is of another kind.
    HostsError
        If the call, the model or the data differ between processes, or one of them failed.
    """
    n, before = source.n_rows, source.identity()
    covariates = getattr(vae, "covariates_", None)
    sources.check_some(n, source.n_features, repr(source))
    share = processes_of(vae)
    if share[1] > 1:
        ends = source.whole_block(0), source.whole_block(source.n_blocks - 1)
        agree_on_call(vae, call=call, data=f"{source!r} {training.fingerprint(ends)[:16]}")

    def parts(bar: Bar) -> Generator[np.ndarray]:
        for start, rows in sources.chunks_in_order(source, least=_LEAST_ROWS, share=share):
            yield function(split(of_source_rows(source, rows, start), covariates))
            bar.show(start + len(rows))
        sources.check_same(before, source.identity(), source)

    writes = share[0] == 0
    progress = getattr(vae, "progress", "auto") if writes else False
    with Bar(n, progress, unit="rows") as bar:
        return collect(
            vae,
            parts(bar),
            sources.n_chunks_in_order(source, least=_LEAST_ROWS),
            lambda: RowWriter(out, n, names, writes=writes),
        )


def by_row(
    vae: BaseEstimator,
    function: Callable[[Any], np.ndarray],
    X: Any,
    *,
    call: str,
    out: str | os.PathLike[str] | None,
    names: Sequence[str] | None,
) -> Any:
    """Apply a function of a fitted estimator to data of any kind.

    For sources see :func:`over_source`. Data in memory are passed as they are, and their results
    returned, or written to ``out``.

    Raises
    ------
    SettingError
        If ``out`` is a file that is read as well.
    """
    if isinstance(X, sources.BlockSource):
        serialise.check_apart(out, *X.paths)
        return over_source(vae, function, X, call=call, out=out, names=names)
    if out is None:
        return function(X)
    check_kind(out)
    serialise.check_apart(out, X)
    writes = processes_of(vae)[0] == 0
    if writes:
        serialise.check_writable(out, overwrite=True)
    results = function(X)
    with RowWriter(out, len(results), names, writes=writes) as writer:
        writer.add(results)
        return writer.finish()
