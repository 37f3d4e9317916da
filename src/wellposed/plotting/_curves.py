"""Training curves."""

from collections.abc import Mapping

import numpy as np

from wellposed._text import no_tex

from ._axes import axes_or_new
from ._palette import HELD_OUT, NOISE, QUIET, TRAIN
from .canvas import Axes


def training_curves(
    history: Mapping[str, np.ndarray],
    *,
    best_epoch: int | None = None,
    ax: Axes | None = None,
    title: str = "",
) -> Axes:
    """Draw the objective on training and held-out rows, and the noise variance on a second axis.

    The scale of the objective ignores the first tenth of the epochs, where it increases steeply.
    A dotted line marks the epoch that the model is of.

    Parameters
    ----------
    history : an estimator's ``history_``
    best_epoch : its ``best_epoch_``, of which 0 has no line; None marks the best held-out epoch,
        which with folds is not that of the model
    ax : axes to draw on; those of a new figure by default
    title : text above the curves

    Returns
    -------
    Axes of the objective; the noise variance, if it does not depend on z, is on the twin axes

    Examples
    --------
    >>> training_curves(vae.history_).get_xlabel()
    'epoch'
    """
    ax = axes_or_new(ax)
    epochs = np.asarray(history["epoch"])
    trained, held = (np.asarray(history[n]) for n in ("objective", "held_out_objective"))
    lines = ax.plot(epochs, trained, color=TRAIN, label="objective, training")
    if not np.isnan(held).all():
        lines += ax.plot(epochs, held, color=HELD_OUT, label="objective, held out")
        if best_epoch is None:
            best_epoch = int(epochs[np.nanargmax(held)])
        if best_epoch:
            ax.axvline(best_epoch, color=QUIET, linestyle=":")
    shown = np.stack([trained, held])[:, len(epochs) // 10 :]
    low, high = float(np.nanmin(shown)), float(np.nanmax(shown))
    margin = 0.05 * (high - low) or 1.0
    ax.set(xlabel="epoch", ylabel="nats a datum", ylim=(low - margin, high + margin))
    variance = np.asarray(history["noise_variance"])
    if not np.isnan(variance).all():
        twin = ax.twinx()
        lines += twin.plot(epochs, variance, color=NOISE, linestyle="--", label="noise variance")
        twin.set(ylabel="noise variance, model units", yscale="log")
    ax.legend(
        handles=lines,
        loc="upper center",
        bbox_to_anchor=(0.5, -0.15),
        ncols=3,
        frameon=False,
        fontsize="small",
    )
    ax.set_title(no_tex(title), loc="left")
    return ax
