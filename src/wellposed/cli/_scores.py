"""log p(x) with its errors, to a table and to one line."""

from pathlib import Path
from typing import Any

import numpy as np

from ._outputs import write_table
from ._terminal import say

COLUMNS = ("log_p", "standard_error", "effective_sample_size", "pareto_k")


def write_scores(path: Path | None, found: Any) -> None:
    """Write four columns as CSV, or log p alone as npy."""
    if path is not None and path.suffix.lower() == ".npy":
        write_table(path, found.value, COLUMNS[:1])
        return
    columns = (found.value, found.standard_error, found.effective_sample_size, found.pareto_k)
    write_table(path, np.stack(columns, axis=1), COLUMNS)


def standard_error(found: Any) -> float:
    """Standard error of the mean of log p(x) over rows.

    The estimates' spread holds both the spread over data and each one's Monte Carlo error, so
    that nothing is added to it.
    """
    n = len(found.value)
    return float(found.value.std(ddof=1, dtype=np.float64) / np.sqrt(n)) if n > 1 else float("nan")


def monte_carlo_error(found: Any) -> float:
    """Monte Carlo error alone of the mean of log p(x) over rows."""
    return float(
        np.sqrt(np.sum(np.square(found.standard_error, dtype=np.float64))) / len(found.value)
    )


def show_mean(found: Any) -> None:
    """Say the mean on stderr, out of the way of a table on stdout."""
    n = len(found.value)
    alone = (
        "exact"
        if not np.any(found.standard_error)
        else (f"of Monte Carlo alone: {monte_carlo_error(found):.2g}")
    )
    say(
        f"mean log p(x) over {n} rows: {found.value.mean(dtype=np.float64):.4f} nats, standard "
        f"error {standard_error(found):.2g} ({alone})",
        err=True,
    )
