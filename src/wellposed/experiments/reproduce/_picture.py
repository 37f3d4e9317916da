"""Figures of a table over the noise variance: ours beside the published ones."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ._cells import Cell, Reproduction

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WIDE = 100.0
_OURS, _THEIRS = "#1b5e9c", "#b5541c"
_PANELS = (("σ²-tuned ELBO", "ELBO with σ² tuned, nats"), ("collapsed", "latents collapsed"))


def over_noise(made: Reproduction, variances: Sequence[float]) -> "Figure":
    """Draw the tuned ELBO and the share of collapsed latents, for σ² given and learned from."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.0, 3.8), layout="constrained")
    axes = figure.subplots(1, 2)
    for ax, (column, label) in zip(axes, _PANELS, strict=True):
        for rows, style, kind in (
            ([f"σ² = {v:g}" for v in variances], "-", "given"),
            ([f"σ² from {v:g}" for v in variances], "--", "learned from"),
        ):
            cells = [made.cell(row, column) for row in rows]
            _line(ax, variances, cells, style, kind)
        ax.set_xscale("log")
        ax.set_xlabel("σ², given or at the start")
        ax.set_ylabel(label)
    axes[1].set_ylim(-0.03, 1.03)
    axes[0].legend(frameon=False, fontsize=8)
    return figure


def _line(
    ax: "Axes", variances: Sequence[float], cells: Sequence[Cell | None], style: str, kind: str
) -> None:
    ours = np.array([np.nan if c is None else c.value for c in cells])
    error = np.nan_to_num([0.0 if c is None else c.error for c in cells])
    theirs = np.array([np.nan if c is None or c.published is None else c.published for c in cells])
    ax.errorbar(
        variances, ours, error, color=_OURS, linestyle=style, marker="o", ms=4, capsize=2,
        label=f"σ² {kind}, ours",
    )  # fmt: skip
    if np.isfinite(theirs).any():
        ax.plot(
            variances, theirs, color=_THEIRS, linestyle=style, marker="s", ms=4, mfc="none",
            label=f"σ² {kind}, published",
        )  # fmt: skip


def over_rows(made: Reproduction, columns: Sequence[str]) -> "Figure":
    """Draw a panel a column: a dot for each row, ours and, where there is one, as published."""
    from matplotlib.figure import Figure

    rows = made.rows
    height = 1.2 + 0.3 * len(rows)
    figure = Figure(figsize=(2.2 + 2.6 * len(columns), height), layout="constrained")
    axes = np.atleast_1d(figure.subplots(1, len(columns), sharey=True))
    for ax, column in zip(axes, columns, strict=True):
        cells = [made.cell(row, column) for row in rows]
        ours = [np.nan if c is None else c.value for c in cells]
        error = np.nan_to_num([0.0 if c is None else c.error for c in cells])
        theirs = [np.nan if c is None or c.published is None else c.published for c in cells]
        places = np.arange(len(rows))
        ax.errorbar(ours, places, xerr=error, color=_OURS, fmt="o", ms=5, label="ours")
        if np.isfinite(theirs).any():
            ax.plot(theirs, places, color=_THEIRS, ls="", marker="s", ms=6, mfc="none",
                    label="published")  # fmt: skip
        shown = np.abs([*ours, *theirs])
        middle = float(np.nanmedian(shown))
        if 0 < _WIDE * middle < np.nanmax(shown):  # one row would hide the others
            ax.set_xscale("symlog", linthresh=middle)
        ax.set_title(column, fontsize=9)
        ax.tick_params(labelsize=8)
        ax.grid(axis="y", alpha=0.3)
    axes[0].set_yticks(np.arange(len(rows)), rows)
    axes[0].invert_yaxis()
    axes[0].legend(frameon=False, fontsize=8)
    return figure
