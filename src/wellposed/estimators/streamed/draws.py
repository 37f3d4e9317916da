"""Draws of a model, written to a file as they come."""

import os
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import jax
import numpy as np

from wellposed import evaluation, sources
from wellposed._bar import Bar
from wellposed._errors import SettingError
from wellposed.estimators._fitted import Fitted

from .dealt import agree_on_call, collect, processes_of
from .output import RowWriter, check_kind

_MOST_ROWS = 16_384  # of a part; a multiple of evaluation.DRAWN


def write_draws(
    vae: Fitted,
    draw: Callable[[int, int], np.ndarray],
    n: int,
    out: str | os.PathLike[str],
    convert: Callable[[int, np.ndarray], Any],
    **facts: object,
) -> Any:
    """Write n draws to a file, and return its path; every process that joined calls it.

    Parameters
    ----------
    vae : the estimator
    draw : function of the number of the first draw and the number after the last, that returns
        these draws as the model has them
    n : number of draws
    out : .npy or .parquet file
    convert : function of the number of the first draw and the draws, that returns what is written
    facts : what the calls of all processes have alike

    Raises
    ------
    SettingError
        For another kind of file, or a frame that is not written to .parquet.
    OutputError, HostsError
        As of :func:`wellposed.estimators.streamed.score.over_source`.
    """
    check_kind(out)
    if vae.schema_ is not None and Path(out).suffix.lower() != ".parquet":
        raise SettingError(
            "Columns of several kinds are written to a .parquet file; got "
            f"{Path(out).name!r}. Name one that ends in .parquet."
        )
    process, n_processes = processes_of(vae)
    agree_on_call(vae, n_samples=n, **facts)
    size = min(_MOST_ROWS, sources.chunk_rows_of(vae.n_features_in_))
    starts = range(0, n, max(size, evaluation.DRAWN))

    def parts(bar: Bar) -> Generator[np.ndarray]:
        for start in starts[process::n_processes]:
            stop = min(start + starts.step, n)
            yield draw(start, stop)
            bar.show(stop)

    writes, names = process == 0, getattr(vae, "feature_names_in_", None)
    if vae.covariates_ is not None:
        names = None
    with Bar(n, vae.progress if writes else False, unit="draws") as bar:
        return collect(
            vae,
            parts(bar),
            len(starts),
            lambda: RowWriter(out, n, names, writes=writes),
            lambda i, rows: convert(starts[i], rows),
        )


def key_text(key: jax.Array) -> str:
    """Return the numbers of a key, for a comparison between processes."""
    return str(jax.random.key_data(key))
