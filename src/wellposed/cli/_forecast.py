"""``wellposed forecast``: which latents collapse, before any training."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from wellposed._checks import check_number
from wellposed._errors import SettingError

from ._columns import number_or_name
from ._files import check_outputs, check_picture, is_picture, read_rows, save_figure, write_table
from ._options import (
    Beta,
    Data,
    DivideBy,
    Drop,
    Force,
    ForecastComponents,
    ForecastOutput,
    ForecastResolution,
    ForecastTransform,
    Header,
    NoiseVariance,
)
from ._terminal import say

if TYPE_CHECKING:
    from wellposed.evaluation import Forecast

COLUMNS = ("direction", "variance", "share", "ratio", "rate", "active", "active_below")
_HEADS = ("direction", "variance λ", "share", "λ/βσ²", "rate, nats", "latent", "active if σ² <")
_MOST_ROWS = 20


def forecast(
    data: Data,
    components: ForecastComponents = None,
    noise_variance: NoiseVariance = None,
    beta: Beta = 1.0,
    divide_by: DivideBy = 1.0,
    transform: ForecastTransform = "auto",
    resolution: ForecastResolution = "auto",
    output: ForecastOutput = None,
    header: Header = None,
    drop: Drop = None,
    force: Force = False,
) -> None:
    """Forecast which latents are active and which collapse, before any training.

    Needs --components, or --noise-variance, or both. Without a noise variance, the one of
    highest likelihood is taken, and the data are standardised, as fit does.
    """
    _check_settings(components, noise_variance, divide_by, transform)
    check_outputs(output or (), data, force=force, kinds=(".png", ".csv"))
    from wellposed.estimators import forecast as forecast_of

    if any(map(is_picture, output or ())):
        check_picture()
    step = number_or_name(resolution)
    source = read_rows(data, header, drop)
    values = source.values if divide_by == 1 else source.values / np.float64(divide_by)
    name: Any = transform if divide_by == 1 else "identity"
    result = forecast_of(
        dataclasses.replace(source, values=values),
        noise_variance=noise_variance,
        n_components=components,
        beta=beta,
        transform=name,
        resolution=step if isinstance(step, str) else step / divide_by,
    )
    if divide_by != 1:
        units = f"squared units of the data divided by {divide_by:g}"
        result = dataclasses.replace(result, units=units)
    _show(result)
    for path in output or ():
        _write(path, result)
        say(f"Wrote {path}")


def _check_settings(
    components: int | None, noise_variance: float | None, divide_by: float, transform: str
) -> None:
    if components is None and noise_variance is None:
        raise SettingError(
            "A forecast needs the number of latents, the noise variance, or both; got neither. "
            "Give --components K or --noise-variance VARIANCE."
        )
    check_number("--divide-by", divide_by, "Leave it out to keep the units of the data.", above=0)
    if divide_by != 1 and transform not in ("auto", "identity"):
        raise SettingError(
            f"--divide-by sets the units of σ², and so does --transform {transform}; got both. "
            "Leave one out."
        )


def _show(result: "Forecast") -> None:
    """Print the first latents, the sum of the others and the sentences."""
    from rich.console import Console
    from rich.table import Table

    from wellposed.evaluation import sentences

    rows = _rows(result)
    table = Table(box=None, pad_edge=False)
    for head in _HEADS:
        table.add_column(head, justify="left" if head == "latent" else "right")
    for direction, variance, share, ratio, rate, active, active_below in rows[:_MOST_ROWS]:
        table.add_row(
            str(direction),
            f"{variance:.4g}",
            f"{share:.2%}",
            f"{ratio:.4g}",
            f"{rate:.4g}",
            "active" if active else "collapsed",
            f"{active_below:.4g}" if active_below > 0 else "never",
        )
    console = Console(width=max(Console().width, 80))
    console.print(table)
    if len(rows) > _MOST_ROWS:
        say(_sum_up(rows))
    say(f"\nσ² = {result.noise_variance:.4g}")
    for sentence in sentences(result):
        say(sentence)


def _rows(result: "Forecast") -> list[tuple[Any, ...]]:
    """Return one row per latent, with the entries of ``COLUMNS``; rounding errors become zero."""
    values = np.zeros(result.n_components)
    n = min(result.n_components, result.n_varying)
    values[:n] = result.eigenvalues[:n]
    columns = (
        range(1, result.n_components + 1),
        values,
        values / result.total_variance,
        values / result.threshold,
        result.rates,
        result.active.astype(int),
        values / result.beta,
    )
    return list(zip(*columns, strict=True))


def _sum_up(rows: list[tuple[Any, ...]]) -> str:
    others = rows[_MOST_ROWS:]
    share, rate, active = (sum(row[i] for row in others) for i in (2, 4, 5))
    return (
        f"… and {len(others)} more, {_MOST_ROWS + 1} to {len(rows)}: {active} active with "
        f"{rate:.4g} nats together, {len(others) - active} collapsed; {share:.2%} of the "
        "variance. A .csv file of --output has all of them."
    )


def _write(path: Path, result: "Forecast") -> None:
    """Write the figure or the whole table, by the file's suffix."""
    if path.suffix.lower() == ".csv":
        write_table(path, np.array(_rows(result), dtype=object), COLUMNS)
        return
    from wellposed import plotting

    save_figure(path, plotting.forecast(result))
