"""The tables as text."""

from collections.abc import Sequence
from pathlib import Path

from .compare import Comparison, Mean
from .rivals import MIXTURE

_NAME, _COLUMN = 26, 17


def heading(rivals: Sequence[str]) -> str:
    """The head of the table of log densities."""
    cells = "".join(f"{name:>{_COLUMN}}" for name in rivals)
    return (
        "held-out log p(x), nats a row in data units: mean ± standard error over the splits\n"
        f"{'table':{_NAME}}{cells}{'VAE - mixture':>{_COLUMN}}{'VAE - best rival':>32}"
    )


def line(shape: str, compared: Comparison, rivals: Sequence[str]) -> str:
    """One table: each rival, and the paired differences of the VAE to the mixture and the best."""
    cells = "".join(f"{_cell(compared.mean(name)):>{_COLUMN}}" for name in rivals)
    best = compared.best_rival
    lead = None if best is None else compared.lead(best)
    last = "-" if lead is None else f"{lead} ({best})"
    return f"{shape:{_NAME}}{cells}{_cell(compared.lead(MIXTURE)):>{_COLUMN}}{last:>32}"


def _cell(mean: Mean | None) -> str:
    return "-" if mean is None else str(mean)


def seconds_heading(rivals: Sequence[str], source: Path | None) -> str:
    """The head of the table of seconds; ``source`` has those of rivals that were not run."""
    cells = "".join(f"{name:>{_COLUMN}}" for name in rivals)
    return (
        "seconds of a fit with its whole search, mean over the splits"
        f"{'' if source is None else f'; of rivals as {source} has them'}\n"
        f"{'table':{_NAME}}{cells}{'VAE / mixture':>{_COLUMN}}"
    )


def seconds_line(shape: str, compared: Comparison, rivals: Sequence[str]) -> str:
    """One table: seconds of each rival, and the ratio of the VAE to the mixture."""
    values = [compared.seconds(name) for name in rivals]
    cells = "".join(f"{'-' if value is None else f'{value:.2f}':>{_COLUMN}}" for value in values)
    ratio = compared.time_ratio
    return f"{shape:{_NAME}}{cells}{'-' if ratio is None else f'{ratio:.2f}':>{_COLUMN}}"


def skips(compared: Comparison) -> list[str]:
    """Why a rival has no figure, one line a rival."""
    reasons = {
        name: figure.chosen
        for name, figures in compared.figures.items()
        for figure in figures
        if figure.log_p is None
    }
    return [f"    {name} skipped: {reason}" for name, reason in reasons.items()]


def choices(compared: Comparison) -> list[str]:
    """What each rival chose, one line a rival."""
    return [
        f"    {name}: {', '.join(figure.chosen for figure in figures)}"
        for name, figures in compared.figures.items()
    ]
