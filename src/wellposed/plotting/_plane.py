"""Posterior means of two latents."""

import math

import numpy as np

from wellposed._errors import DataError
from wellposed._labels import sortable
from wellposed._text import in_figure, no_tex

from ._axes import axes_or_new
from ._palette import PALETTE, QUIET
from .canvas import Axes

# Radius of the disc that contains 95 % of N(0, I) in the plane: 1 − exp(−r²/2) = 0.95.
_RADIUS = math.sqrt(-2 * math.log(0.05))

_MARKERS = ("o", "^", "s", "D")  # the next marker each time the colours repeat


def latent_plane(
    latents: np.ndarray,
    *,
    labels: np.ndarray | None = None,
    rates: np.ndarray | None = None,
    prior: np.ndarray | None = None,
    ax: Axes | None = None,
    title: str = "",
) -> Axes:
    """Scatter the posterior means of the two most active latents.

    Labels of one or two characters are drawn as text, so that classes differ by more than their
    colour; other labels are in a legend. A dashed circle contains 95 % of N(0, I); draws of
    another prior are small grey points.

    Parameters
    ----------
    latents : array of shape (n, k), posterior means; k ≥ 2
    labels : array of shape (n,), or None for one colour
    rates : array of shape (k,), nats: mean rate of each latent. The two latents with the largest
        rates are drawn; the first two if None
    prior : array of shape (m, k), draws of p(z); None if it is N(0, I)
    ax : axes to draw on; those of a new figure by default
    title : text above the plane

    Returns
    -------
    Axes, with one collection of points a label

    Raises
    ------
    DataError
        If there are fewer than two latents.

    Examples
    --------
    >>> latent_plane(np.eye(2), labels=np.array(["a", "b"]), title="Means").get_title(loc="left")
    'Means'
    """
    latents = _at_least_two(np.asarray(latents))
    ax = axes_or_new(ax)
    first, second = (0, 1) if rates is None else np.argsort(-np.asarray(rates), kind="stable")[:2]
    _scatter(ax, latents[:, [first, second]], labels)
    if prior is None:
        _draw_circle(ax)
    else:
        ax.scatter(*np.asarray(prior)[:, [first, second]].T, s=2, color=QUIET, zorder=0)
        _note(ax, "grey: draws of the prior")
    ax.set_xlabel(_axis_name(first, rates))
    ax.set_ylabel(_axis_name(second, rates))
    ax.set_aspect("equal", adjustable="datalim")
    ax.set_title(no_tex(title), loc="left")
    ax.spines[["top", "right"]].set_visible(False)
    if ax.get_legend_handles_labels()[1]:
        ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
    return ax


def _at_least_two(latents: np.ndarray) -> np.ndarray:
    if latents.ndim != 2 or latents.shape[1] < 2:
        raise DataError(
            f"A plane needs two latents a datum; got an array of shape {latents.shape}. "
            "Fit with n_components of 2 or more."
        )
    return latents


def _draw_circle(ax: Axes) -> None:
    """Draw the circle above the points, and its label in a corner."""
    turn = np.linspace(0, 2 * np.pi, 200)
    ax.plot(_RADIUS * np.cos(turn), _RADIUS * np.sin(turn), color="black", ls="--", lw=1, zorder=4)
    _note(ax, "dashed: 95 % of the prior")


def _note(ax: Axes, text: str) -> None:
    ax.text(
        0.99, 0.01, text, transform=ax.transAxes, ha="right", va="bottom",
        fontsize="small", color=QUIET,
    )  # fmt: skip


def _scatter(ax: Axes, points: np.ndarray, labels: np.ndarray | None) -> None:
    if labels is None:
        ax.scatter(*points.T, s=12, color=PALETTE[0])
        return
    labels = sortable(labels)
    for i, label in enumerate(np.unique(labels)):
        own = points[labels == label]
        name = str(label)
        colour = PALETTE[i % len(PALETTE)]
        # A marker that shows its label is not in the legend. Other labels may be invalid TeX.
        if name.isascii() and name.isalnum() and len(name) <= 2:
            ax.scatter(*own.T, s=48, marker=f"${name}$", color=colour, linewidths=0.3)
        else:
            marker = _MARKERS[i // len(PALETTE) % len(_MARKERS)]
            ax.scatter(*own.T, s=14, marker=marker, color=colour, label=in_figure(name))


def _axis_name(index: int, rates: np.ndarray | None) -> str:
    rate = "" if rates is None else f"  (rate {rates[index]:.1f} nats)"
    return f"latent {index}{rate}"
