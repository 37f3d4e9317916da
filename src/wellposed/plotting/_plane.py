"""The latents, two at a time."""

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle

from wellposed._errors import DataError

from ._axes import axes_or_new
from ._palette import PALETTE, QUIET

# Of N(0, I) in the plane, this radius holds 95 %: 1 − exp(−r²/2) = 0.95.
_RADIUS = math.sqrt(-2 * math.log(0.05))


def latent_plane(
    latents: np.ndarray,
    *,
    labels: np.ndarray | None = None,
    rates: np.ndarray | None = None,
    ax: Axes | None = None,
    title: str = "",
) -> Axes:
    """Scatter the posterior means of the two most active latents.

    Labels of one or two characters are drawn as themselves, so that colour is never the only
    thing that tells classes apart. A dashed circle holds 95 % of the prior.

    Parameters
    ----------
    latents : array of shape (n, k), posterior means; k ≥ 2
    labels : array of shape (n,), or None for one colour
    rates : array of shape (k,), nats: mean rate of each latent, by which the two are chosen.
        None takes the first two.
    ax : axes to draw on; those of a new figure by default
    title : above the plane

    Returns
    -------
    Axes, with one collection of points a label

    Raises
    ------
    DataError
        If there are fewer than two latents.
    """
    latents = np.asarray(latents)
    if latents.ndim != 2 or latents.shape[1] < 2:
        raise DataError(
            f"A plane needs two latents a datum; got an array of shape {latents.shape}. "
            "Fit with n_components of 2 or more."
        )
    ax = axes_or_new(ax)
    first, second = (0, 1) if rates is None else np.argsort(-np.asarray(rates), kind="stable")[:2]
    _scatter(ax, latents[:, [first, second]], labels)
    ax.add_patch(
        Circle((0, 0), _RADIUS, fill=False, color=QUIET, linestyle="--", label="95 % of prior")
    )
    ax.set_xlabel(_axis_name(first, rates))
    ax.set_ylabel(_axis_name(second, rates))
    ax.set_aspect("equal", adjustable="datalim")
    ax.set_title(title, loc="left")
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, handletextpad=0.4)
    return ax


def _scatter(ax: Axes, points: np.ndarray, labels: np.ndarray | None) -> None:
    if labels is None:
        ax.scatter(*points.T, s=12, color=PALETTE[0], label="data")
        return
    labels = np.asarray(labels)
    for i, label in enumerate(np.unique(labels)):
        own = points[labels == label]
        name = str(label)
        drawn = name.isalnum() and len(name) <= 2
        marker, size = (f"${name}$", 36) if drawn else ("o", 14)
        colour = PALETTE[i % len(PALETTE)]
        ax.scatter(*own.T, s=size, marker=marker, color=colour, linewidths=0.3, label=name)


def _axis_name(index: int, rates: np.ndarray | None) -> str:
    rate = "" if rates is None else f"  (rate {rates[index]:.1f} nats)"
    return f"latent {index}{rate}"
