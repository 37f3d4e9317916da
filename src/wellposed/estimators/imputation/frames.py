"""Kinds of the columns of frames that imputers return."""

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import sklearn


def frame_output(estimator: Any) -> str | None:
    """Return the kind of frame that ``set_output`` asks for: "pandas" or "polars"; else None."""
    own = getattr(estimator, "_sklearn_output_config", {})
    kind = own.get("transform", sklearn.get_config()["transform_output"])
    return None if kind == "default" else kind


def with_kinds(
    filled: np.ndarray, given: Any, rows: np.ndarray, kept: np.ndarray, kind: str | None
) -> Any:
    """Return a frame in which columns without gaps are those of the given frame, in their types.

    Parameters
    ----------
    filled : array of shape (n, columns), the kept columns first
    given : what the user passed
    rows : array of shape (n, d); NaN is a gap
    kept : mask of shape (d,), the columns that ``filled`` has
    kind : of the frame that is asked for; the array is returned for None and for other containers
    """
    package = sys.modules.get(kind) if kind is not None else None
    frame = getattr(package, "DataFrame", None)
    if frame is None or not isinstance(given, frame):
        return filled
    complete = np.asarray(~np.isnan(rows).any(axis=0))
    columns: dict[str, Any] = {}
    for place, j in enumerate(np.flatnonzero(kept)):
        column = given.iloc[:, j] if kind == "pandas" else given[:, int(j)]
        columns[str(place)] = column if complete[j] else filled[:, place]
    for place in range(int(kept.sum()), filled.shape[1]):
        columns[str(place)] = filled[:, place]
    return frame(columns, index=given.index) if kind == "pandas" else frame(columns)


def with_columns(frame: Any, names: Sequence[str], values: np.ndarray) -> Any:
    """Append columns to a frame of pandas or polars.

    Parameters
    ----------
    frame : pandas or polars DataFrame of n rows
    names : of the columns
    values : array of shape (n, columns)
    """
    columns = dict(zip(map(str, names), values.T, strict=True))
    if hasattr(frame, "assign"):
        return frame.assign(**columns)
    package: Any = sys.modules["polars"]
    return frame.with_columns([package.Series(name, cells) for name, cells in columns.items()])
