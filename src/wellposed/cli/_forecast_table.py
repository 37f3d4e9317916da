"""A forecast as a table, as sentences and as files."""

from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from wellposed.evaluation import Forecast, sentences

from ._outputs import write_table
from ._terminal import say

COLUMNS = ("direction", "variance", "share", "ratio", "rate", "lives", "keeps_alive")
_HEADS = ("direction", "variance λ", "share", "λ/βσ²", "rate, nats", "latent", "lives below σ² =")
_SHOWN = 20


def rows_of(found: Forecast) -> list[tuple[Any, ...]]:
    """One row a latent, with the entries of ``COLUMNS``; what is rounding is zero."""
    values = np.zeros(found.n_components)
    n = min(found.n_components, found.n_varying)
    values[:n] = found.eigenvalues[:n]
    columns = (
        range(1, found.n_components + 1),
        values,
        values / found.total_variance,
        values / found.threshold,
        found.rates,
        found.active.astype(int),
        values / found.beta,
    )
    return list(zip(*columns, strict=True))


def show(found: Forecast, units: str) -> None:
    """Print the first latents, what the others come to, the units and the sentences."""
    rows = rows_of(found)
    table = Table(box=None, pad_edge=False)
    for head in _HEADS:
        table.add_column(head, justify="left" if head == "latent" else "right")
    for direction, *numbers, lives, keeps in rows[:_SHOWN]:
        variance, share, ratio, rate = numbers
        table.add_row(
            str(direction),
            f"{variance:.4g}",
            f"{share:.2%}",
            f"{ratio:.4g}",
            f"{rate:.4g}",
            "lives" if lives else "dies",
            f"{keeps:.4g}" if keeps > 0 else "never",
        )
    console = Console(width=max(Console().width, 80))
    console.print(table)
    if len(rows) > _SHOWN:
        say(_others(rows))
    say(f"\nσ² = {found.noise_variance:.4g}; σ² and λ are {units}.")
    for sentence in sentences(found):
        say(sentence)


def _others(rows: list[tuple[Any, ...]]) -> str:
    rest = rows[_SHOWN:]
    rates, lives = (sum(row[i] for row in rest) for i in (4, 5))
    share = sum(row[2] for row in rest)
    return (
        f"… and {len(rest)} more, {_SHOWN + 1} to {len(rows)}: {lives} live with {rates:.4g} nats "
        f"together, {len(rest) - lives} die; {share:.2%} of the variance. All are in a .csv file "
        "of --output."
    )


def units_of(transform: str, scale: float) -> str:
    """Say in which units the variances are."""
    if scale != 1:
        return f"in squared units of the data divided by {scale:g}"
    if transform == "identity":
        return "in squared units of the data as they are in the file"
    what = {
        "standardize": "standardised data (images and whole numbers by one scale for all "
        "features, else each feature by its own)",
        "logit": "logits of the data",
    }
    return f"in squared units of the {what.get(transform, transform)}"


def write(path: Path, found: Forecast) -> None:
    """Write the figure or the whole table, by the file's suffix."""
    if path.suffix.lower() == ".csv":
        write_table(path, np.array(rows_of(found), dtype=object), COLUMNS)
        return
    from wellposed import plotting

    from ._picture import save_figure

    save_figure(path, plotting.forecast(found))
