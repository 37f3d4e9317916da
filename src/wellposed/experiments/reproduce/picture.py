"""Figures of a table: our figures beside the published ones."""

from collections.abc import Sequence

import numpy as np

from wellposed.plotting.canvas import Axes, Figure

from .cells import Reproduction

_WIDE = 100.0
_OURS, _PUBLISHED = "#1b5e9c", "#b5541c"
_PANELS = (("σ²-tuned ELBO", "ELBO with σ² tuned, nats"), ("collapsed", "latents collapsed"))


def over_noise(table: Reproduction, variances: Sequence[float]) -> Figure:
    """Draw the tuned ELBO and the share of collapsed latents against σ², given and learned."""
    figure = Figure(figsize=(9.0, 3.8), layout="constrained")
    axes = figure.subplots(1, 2)
    for ax, (column, label) in zip(axes, _PANELS, strict=True):
        for row, style, kind in (
            ("σ² = {:g}", "-", "given"),
            ("σ² from {:g}", "--", "learned from"),
        ):
            values = table.column(column, [row.format(v) for v in variances])
            _plot_line(ax, variances, values, style, kind)
        ax.set_xscale("log")
        ax.set_xlabel("σ², given or at the start")
        ax.set_ylabel(label)
    axes[1].set_ylim(-0.03, 1.03)
    axes[0].legend(frameon=False, fontsize=8)
    return figure


def _plot_line(
    ax: Axes, variances: Sequence[float], values: Sequence[np.ndarray], style: str, kind: str
) -> None:
    ours, error, published = values
    ax.errorbar(
        variances, ours, np.nan_to_num(error), color=_OURS, linestyle=style, marker="o", ms=4,
        capsize=2, label=f"σ² {kind}, ours",
    )  # fmt: skip
    if np.isfinite(published).any():
        ax.plot(
            variances, published, color=_PUBLISHED, linestyle=style, marker="s", ms=4, mfc="none",
            label=f"σ² {kind}, published",
        )  # fmt: skip


def over_rows(table: Reproduction, columns: Sequence[str]) -> Figure:
    """Draw one panel for each column, with a dot for each row: our figure and the published one."""
    rows = table.rows
    height = 1.2 + 0.3 * len(rows)
    figure = Figure(figsize=(2.2 + 2.6 * len(columns), height), layout="constrained")
    axes = np.atleast_1d(figure.subplots(1, len(columns), sharey=True))
    places = np.arange(len(rows))
    for ax, column in zip(axes, columns, strict=True):
        ours, error, published = table.column(column, rows)
        error = np.nan_to_num(error)
        ax.errorbar(ours, places, xerr=error, color=_OURS, fmt="o", ms=5, label="ours")
        if np.isfinite(published).any():
            ax.plot(published, places, color=_PUBLISHED, ls="", marker="s", ms=6, mfc="none",
                    label="published")  # fmt: skip
        size = np.abs([*ours, *published])
        middle = float(np.nanmedian(size))
        if 0 < _WIDE * middle < np.nanmax(size):  # otherwise one row would hide the others
            ax.set_xscale("symlog", linthresh=middle)
        ax.set_title(column, fontsize=9)
        ax.tick_params(labelsize=8)
        ax.grid(axis="y", alpha=0.3)
    axes[0].set_yticks(places, rows)
    axes[0].invert_yaxis()
    axes[0].legend(frameon=False, fontsize=8)
    return figure
