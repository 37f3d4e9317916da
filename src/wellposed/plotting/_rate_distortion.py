"""Rates and distortions of several models."""

import numpy as np

from wellposed.evaluation import RateDistortionCurve

from ._axes import axes_or_new
from ._palette import PALETTE, QUIET
from .canvas import Axes

_MODELS, _INFORMATION, _BEST = PALETTE[0], PALETTE[3], PALETTE[1]
_SYMBOL = {"beta": "β", "noise_variance": "σ²"}


def rate_distortion(curve: RateDistortionCurve, *, ax: Axes | None = None) -> Axes:
    """Draw the distortion of each model against its rate, with two standard errors.

    The dotted line contains all pairs with the best ELBO of these models: a model above it has a
    lower ELBO. A bar to the left of a point is the bracket of the mutual information of x and z,
    the rate minus the mismatch of q(z) and p(z).

    Parameters
    ----------
    curve : result of :func:`wellposed.rate_distortion_curve`, with at least one point
    ax : axes to draw on; those of a new figure by default

    Examples
    --------
    >>> from wellposed import evaluation
    >>> points = (evaluation.RatePoint(1.0, vae, evaluation.rate_distortion(model, X, key=key)),)
    >>> rate_distortion(RateDistortionCurve("beta", points)).get_xlabel()
    'rate R (nats a datum)'
    """
    ax = axes_or_new(ax, (6.5, 5.0))
    rate, distortion = curve.rate, curve.distortion
    errors = [
        [2 * getattr(p.result, name).standard_error for p in curve.points]
        for name in ("rate", "distortion")
    ]
    low, high = np.array([p.result.information_range for p in curve.points]).T
    wide = {"color": _INFORMATION, "lw": 5, "alpha": 0.6}
    ax.hlines(distortion, low, high, label="information I(x; z)", **wide)
    order = np.argsort(rate)
    ax.plot(rate[order], distortion[order], color=_MODELS, lw=1)
    ax.errorbar(
        rate, distortion, errors[1], errors[0], "o", color=_MODELS, markersize=5, label="models"
    )
    best = curve.best.result
    total = -best.elbo.value
    ax.plot(
        best.rate.value,
        best.distortion.value,
        "o",
        color=_BEST,
        markeredgecolor="black",
        zorder=3,
        label=f"best ELBO, {-total:.5g} nats",
    )
    along = np.array([0.0, 1.1 * rate.max()])
    limits = ax.get_ylim()
    ax.plot(along, total - along, ":", color=QUIET, label="R + D of the best")
    ax.set(ylim=limits)
    for point in curve.points:
        ax.annotate(
            f"{_SYMBOL[curve.varied]} = {point.value:.3g}",
            (point.result.rate.value, point.result.distortion.value),
            (6, 5),
            textcoords="offset points",
            fontsize="small",
        )
    ax.set(xlabel="rate R (nats a datum)", ylabel="distortion D (nats a datum)")
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, fontsize="small")
    return ax
