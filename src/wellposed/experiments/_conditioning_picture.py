"""The conditioning at collapsed latents, drawn against the noise variance."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from wellposed.plotting import PALETTE

from ._conditioning import Conditioning

_JOINT, _PROFILE, _LEADING = PALETTE[1], PALETTE[0], PALETTE[2]


def conditioning_figure(found: Conditioning) -> Figure:
    """Draw the ways out of the collapse, and the condition numbers, against falling σ²."""
    order = np.argsort(-found.noise_variances)
    grid = found.noise_variances[order]
    figure = Figure((8.0, 4.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.plot(grid, found.profile.n_ascent[order], color=_PROFILE, drawstyle="steps-mid")
    left.set_ylabel("directions leading upwards, per collapsed latent")
    left.set_ylim(bottom=0)
    left.set_title("The lower σ², the more ways out", loc="left", fontsize="medium")
    for values, colour, style, label in (
        (found.joint.condition, _JOINT, "-", "Hessian in (W, V, D)"),
        (found.profile.condition, _PROFILE, "--", "profile: best V, D for each W"),
        (found.leading_condition, _LEADING, "-.", _leading(found)),
    ):
        shown = np.where(np.isfinite(values), values, np.nan)[order]
        right.plot(grid, shown, color=colour, linestyle=style, label=label)
    right.set(yscale="log", ylabel="largest over smallest |curvature|")
    right.set_title("… but no better condition number", loc="left", fontsize="medium")
    figure.legend(
        handles=right.get_lines(),
        loc="outside lower right",
        ncols=3,
        frameon=False,
        fontsize="small",
    )
    for ax in (left, right):
        _against_noise(ax, grid)
    return figure


def _leading(found: Conditioning) -> str:
    m = found.n_collapsed
    return f"profile, the {m} strongest directions" if m > 1 else "profile, the strongest direction"


def _against_noise(ax: Axes, grid: np.ndarray) -> None:
    ax.set(xscale="log", xlabel="noise variance σ², falling (data units²)")
    if len(grid) > 1:
        ax.set_xlim(grid[0], grid[-1])
    ax.spines[["top", "right"]].set_visible(False)
