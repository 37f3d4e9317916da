"""``wellposed outliers``: p-values of rows, alarms at a stated rate, and wrong cells."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from wellposed._checks import check_number
from wellposed._errors import SettingError

from ._columns import with_kinds
from ._files import (
    TABLES,
    as_frame,
    check_output,
    has_several_kinds,
    read_columns,
    save_model,
    write_table,
)
from ._options import Columns, Data, Drop, Force, Header, Missing, Seed, Table
from ._terminal import say

if TYPE_CHECKING:
    from wellposed.estimators import OutlierVAE

COLUMNS = ("score", "p_value", "outlier")
_NEW = (
    "Rows to judge, with the columns of DATA. By default the rows of DATA are judged: each half "
    "by a detector that was fitted to the other half."
)
_TRIM = (
    "Share of DATA that nothing is trained on, the farthest from most rows; 0.2 where groups of "
    "outliers are among them."
)
_EPOCHS = "Maximum number of epochs of the VAE, by default that of wp.OutlierVAE()."
_EXPLAIN = "Number of outliers whose cells are printed, those of the lowest score first."


def outliers(
    data: Data,
    new: Annotated[str | None, typer.Argument(metavar="[NEW]", help=_NEW)] = None,
    alpha: Annotated[float, typer.Option(help="Rate of false alarms.")] = 0.01,
    fdr: Annotated[
        float | None,
        typer.Option(
            help="In place of alpha: share of the alarms that may be false.", show_default=False
        ),
    ] = None,
    trim: Annotated[float, typer.Option(help=_TRIM)] = 0.0,
    missing: Missing = None,
    column: Columns = None,
    explain: Annotated[int, typer.Option(help=_EXPLAIN, min=0)] = 5,
    output: Table = None,
    save: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="File for the detector; needs NEW.", show_default=False),
    ] = None,
    max_epochs: Annotated[int, typer.Option(help=_EPOCHS, min=1)] = 100,
    seed: Seed = 0,
    header: Header = None,
    drop: Drop = None,
    force: Force = False,
) -> None:
    """Find outliers in NEW, or in DATA itself, with a rate of false alarms that is stated.

    CSV has the columns score (lower for outliers), p_value and outlier (1 or 0), a line a row.

    With NEW the figures are those of wp.OutlierVAE(random_state=0) in Python; without it, none are.
    """
    rate = check_number("--alpha", alpha, "0.01 is usual.", above=0, below=1)
    if fdr is not None:
        rate = check_number("--fdr", fdr, "0.1 is usual.", above=0, below=1)
    check_output(output, data, new, save, force=force, kinds=TABLES)
    if save is not None and new is None:
        raise SettingError(
            "--save is for the detector of DATA; without NEW there are two, one of each half. Pass "
            "NEW, or leave --save out."
        )
    limit = None if fdr is not None else rate
    settings = {"max_epochs": max_epochs, "missing": missing}
    parts = _judged(data, new, settings, column, seed, header, drop, alpha=limit, trim=trim)
    n = sum(len(part.places) for part in parts)
    score, p = np.empty(n), np.empty(n)
    for part in parts:
        score[part.places] = part.detector.score_samples(part.rows)
        p[part.places] = part.detector.p_values(part.rows)
    found = _alarms(p, rate, by_share=fdr is not None)
    write_table(output, np.stack([score, p, found], axis=1), COLUMNS)
    kind = "false discoveries" if fdr is not None else "false alarms"
    say(f"{int(found.sum())} of {n} rows are outliers, at a rate of {kind} of {rate:g}", err=True)
    _explain(parts, score, found, explain)
    if save is not None:
        save_model(parts[0].detector, save, force=force)
        say(f"Wrote {save}", err=True)


@dataclasses.dataclass(frozen=True, eq=False)
class _Part:
    """A detector, rows that it was not fitted to, and their places among all."""

    detector: "OutlierVAE"
    rows: Any
    places: np.ndarray


def _judged(
    data: str,
    new: str | None,
    settings: dict[str, Any],
    column: list[str] | None,
    seed: int,
    header: Any,
    drop: Any,
    *,
    alpha: float | None,
    trim: float,
) -> list[_Part]:
    """Fit a detector to DATA, or one to each half of it; an ``alpha`` is checked first.

    ``settings`` are those of the VAE. The schema of each half is that of the whole table.
    """
    from wellposed.estimators import OutlierVAE
    from wellposed.estimators.data.mixed import open_to_fit
    from wellposed.estimators.outliers.calibration import check_alpha, default_size
    from wellposed.estimators.outliers.outlier_vae import default_vae

    rows, noise = read_columns(data, header, drop), "auto"
    if column:
        rows, noise = with_kinds(rows, column)
    own: dict[str, Any] = {"vae": default_vae(**settings, noise=noise), "trim": trim}
    table = open_to_fit(rows, noise)
    n = len(table.values)
    halves = np.array_split(np.random.default_rng(seed).permutation(n), 2)
    if alpha is not None:
        check_alpha(alpha, default_size(n if new is not None else len(halves[1])))
    if new is not None:
        others = read_columns(new, header, drop)
        fitted = OutlierVAE(**own, random_state=seed).fit(rows)
        others = as_frame(others) if has_several_kinds(fitted.vae_) else others
        return [_Part(fitted, others, np.arange(len(fitted.vae_.open(others).values)))]
    return [
        _Part(
            OutlierVAE(**own, random_state=seed).fit(table.take(np.sort(fitted))),
            table.take(np.sort(judged)),
            np.sort(judged),
        )
        for fitted, judged in zip(halves, halves[::-1], strict=True)
    ]


def _alarms(p: np.ndarray, rate: float, *, by_share: bool) -> np.ndarray:
    """Return which rows are outliers."""
    from wellposed.evaluation import benjamini_hochberg

    return benjamini_hochberg(p, rate) if by_share else p <= rate * (1 + 1e-9)


def _explain(parts: list[_Part], score: np.ndarray, found: np.ndarray, most: int) -> None:
    """Print the cells of the outliers with the lowest scores, on stderr."""
    worst = np.flatnonzero(found)[np.argsort(score[found])][:most]
    for part in parts:
        chosen = np.flatnonzero(np.isin(part.places, worst))
        if not chosen.size:
            continue
        table = part.detector.vae_.open(part.rows).take(chosen)
        text = str(part.detector.explain(table))
        for place, line in zip(part.places[chosen], text.splitlines(), strict=False):
            say(f"row {place}: {line.partition(': ')[2]}", err=True)
