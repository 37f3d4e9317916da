"""``wellposed score``: log p(x) of each row, and its mean with its errors."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from wellposed._errors import SettingError

from ._files import TABLES, check_blocks, check_output, open_model, read_rows_for, write_table
from ._options import Blocks, Data, Drop, Force, Header, Model, Table
from ._terminal import say
from .hosts import Coordinator, Distributed, Process, Processes, Role, StepTimeout, joined

if TYPE_CHECKING:
    from wellposed.evaluation import LogLikelihood

COLUMNS = ("log_p", "standard_error", "effective_sample_size", "pareto_k")

_METHOD = (
    "importance refines a proposal for each row and samples z from it; it is the default of a VAE. "
    "encoder samples z from q(z|x). ais anneals from q(z|x) to the posterior. exact is the closed "
    "form of linear decoders, and the only method of all other estimators. auto is exact if it "
    "can be; else it anneals the rows on which importance sampling is unreliable."
)


def score(
    model: Model,
    data: Data,
    output: Table = None,
    samples: Annotated[int, typer.Option(help="Number of draws of z per row.")] = 128,
    method: Annotated[str | None, typer.Option(help=_METHOD, show_default=False)] = None,
    header: Header = None,
    drop: Drop = None,
    blocks: Blocks = False,
    distributed: Distributed = False,
    coordinator: Coordinator = None,
    processes: Processes = None,
    process: Process = None,
    step_timeout: StepTimeout = None,
    force: Force = False,
) -> None:
    """Estimate log p(x) of each row, in nats and in the units of DATA.

    CSV has the columns log_p, standard_error (of the Monte Carlo estimate),
    effective_sample_size and pareto_k; npy has log_p alone, and so has parquet, with --blocks.
    With --blocks and --distributed several processes share the rows, and one of them writes.
    """
    if distributed and not blocks:
        raise SettingError(
            "Processes share data that are read in blocks; got --distributed without --blocks. Add "
            "that, or leave it out."
        )
    with joined(distributed, coordinator, processes, process, step_timeout) as role:
        if blocks:
            check_blocks(header, drop)
            _score_blocks(model, data, output, samples, method, role, force=force)
            return
    check_output(output, model, data, force=force, kinds=TABLES)
    options = {} if method is None else {"method": method}
    vae = open_model(model)
    scores = vae.log_likelihood(read_rows_for(vae, data, header, drop), samples, **options)
    _write_scores(output, scores)
    _show_mean(scores)


def _score_blocks(
    model: Path,
    data: str,
    output: Path | None,
    samples: int,
    method: str | None,
    role: Role,
    *,
    force: bool,
) -> None:
    """Write log p(x) of rows that are read in blocks, as they are computed."""
    from wellposed.estimators import VAE
    from wellposed.estimators.linear.methods import ExactMethods
    from wellposed.estimators.streamed.output import KINDS
    from wellposed.sources import open_source

    if output is None:
        raise SettingError(
            "Scores of data in blocks are written as they come; got no --output. Name a .npy or "
            ".parquet file."
        )
    if role.writes:
        check_output(output, model, data, force=force, kinds=KINDS)
    vae = open_model(model)
    options: dict[str, Any] = {} if method is None else {"method": method}
    if isinstance(vae, VAE):
        options["n_samples"] = samples
        if role.distributed:
            vae.set_params(devices="all")
    elif not isinstance(vae, ExactMethods):
        raise SettingError(
            f"Data in blocks are scored by a VAE or an exact model; {model} holds a "
            f"{type(vae).__name__}. Leave --blocks out."
        )
    elif role.distributed or options.pop("method", "exact") not in ("auto", "exact"):
        raise SettingError(
            f"A {type(vae).__name__} has an exact log p(x), which one process computes; got "
            "--distributed or another --method. Leave them out."
        )
    source = open_source(data)
    vae.score_samples(source, out=output, **options)
    if not role.writes:
        return
    say(f"Wrote log p(x) of {source.n_rows} rows to {output}", err=True)


def standard_error(scores: "LogLikelihood") -> float:
    """Return the standard error of the mean of log p(x) over rows.

    The spread of the estimates includes both the spread over the data and the Monte Carlo error
    of each, so nothing is added.
    """
    n = len(scores.value)
    return float(scores.value.std(ddof=1, dtype=np.float64) / np.sqrt(n)) if n > 1 else float("nan")


def monte_carlo_error(scores: "LogLikelihood") -> float:
    """Return the Monte Carlo error alone of the mean of log p(x) over rows."""
    return float(
        np.sqrt(np.sum(np.square(scores.standard_error, dtype=np.float64))) / len(scores.value)
    )


def _write_scores(path: Path | None, scores: "LogLikelihood") -> None:
    """Write four columns as CSV, or log p alone as npy."""
    if path is not None and path.suffix.lower() == ".npy":
        write_table(path, np.asarray(scores.value), COLUMNS[:1])
        return
    columns = (scores.value, scores.standard_error, scores.effective_sample_size, scores.pareto_k)
    write_table(path, np.stack(columns, axis=1), COLUMNS)


def _show_mean(scores: "LogLikelihood") -> None:
    """Print the mean on stderr, so that it is not mixed with a table on stdout."""
    n = len(scores.value)
    alone = (
        f"of Monte Carlo alone: {monte_carlo_error(scores):.2g}"
        if np.any(scores.standard_error)
        else "exact"
    )
    say(
        f"mean log p(x) over {n} rows: {scores.value.mean(dtype=np.float64):.4f} nats, standard "
        f"error {standard_error(scores):.2g} ({alone})",
        err=True,
    )
