"""Rate of each latent."""

import numpy as np

from ._axes import axes_or_new
from ._palette import HELD_OUT, NOISE
from .canvas import Axes

_MARKED = 60  # latents above which marks would overlap


def rates(
    values: np.ndarray, *, forecast: np.ndarray | None = None, ax: Axes | None = None
) -> Axes:
    """Draw the mean rate of each latent, largest first, with the forecast from eigenvalues.

    Parameters
    ----------
    values : array of shape (k,), nats: KL(q(z_i | x) ‖ p(z_i)), means over data
    forecast : array of shape (k,), nats, rates of the best linear VAE; one mark for each
    ax : axes to draw on; those of a new figure by default

    Returns
    -------
    Axes, with one bar for each latent; a rate that is not finite is marked "?"

    Examples
    --------
    >>> len(rates(np.array([0.0, 2.0])).patches)
    2
    """
    ax = axes_or_new(ax, (7.0, 3.2))
    order = np.argsort(-np.asarray(values), kind="stable")
    place = np.arange(len(order))
    ax.bar(place, np.asarray(values)[order], 0.85, color=HELD_OUT, label="measured")
    for i in np.flatnonzero(~np.isfinite(np.asarray(values)[order])):
        ax.annotate("?", (i, 0), ha="center", va="bottom")
    if forecast is not None:
        style = "D" if len(order) <= _MARKED else "-"
        ax.plot(place, -np.sort(-np.asarray(forecast)), style, color=NOISE, ms=4, label="forecast")
        ax.legend(frameon=False)
    ax.set(xlabel="latents, by rate", ylabel="rate (nats)", xlim=(-0.6, len(order) - 0.4))
    if len(order) <= 30:
        ax.set_xticks(place, [str(i) for i in order], fontsize="small")
    else:
        ax.set_xticks([])
    ax.spines[["top", "right"]].set_visible(False)
    return ax
