"""The PIT histogram, with the band of its variation under calibration."""

import numpy as np
from scipy.stats import norm

from wellposed.evaluation import Calibration, Coverage

from ._axes import axes_or_new, headed
from ._palette import HELD_OUT, QUIET
from .canvas import Axes

_HELD = 0.95  # probability that the band contains all bins

_OF = {
    "posterior": "x given z ~ q(z | x)",
    "prior": "marginals of p(x)",
    "given features": "hidden features given the others",
}


def calibration(record: Calibration | Coverage, *, ax: Axes | None = None) -> Axes:
    """Draw the histogram of the probability integral transform; calibrated models have a flat one.

    The band contains all bars of a calibrated model in 95 % of the cases (Bonferroni), with errors
    over rows, whose features are not independent. A U shape means that the model's variance is too
    small, a hump that it is too large, and a slope that its mean is biased.

    Parameters
    ----------
    record : result of :func:`wellposed.evaluation.calibration` or ``coverage``
    ax : axes to draw on; those of a new figure by default

    Returns
    -------
    Axes

    Examples
    --------
    >>> import wellposed as wp
    >>> calibration(wp.evaluation.coverage(model, X, key=key)).get_xlabel()
    'rank of x among draws'
    """
    result = record.coverage if isinstance(record, Calibration) else record
    ax = axes_or_new(ax, (5.5, 4.0))
    bins = len(result.histogram)
    edges = np.linspace(0, 1, bins + 1)
    # One error for all bins, since the error of an empty bin is zero.
    error = np.full(bins, np.sqrt((result.histogram_error**2).mean()))
    reach = norm.ppf(1 - (1 - _HELD) / (2 * bins)) * error
    ax.stairs(result.histogram, edges, fill=True, color=HELD_OUT, alpha=0.85)
    ax.stairs(
        1 + reach,
        edges,
        baseline=np.maximum(1 - reach, 0.0),
        fill=True,
        color=QUIET,
        alpha=0.45,
        label="expected of a uniform",
    )
    ax.axhline(1.0, color="black", lw=1)
    high = max(float((1 + reach).max()), float(result.histogram.max()), 1.5)
    ax.set(xlim=(0, 1), ylim=(0, 1.05 * high), xlabel="rank of x among draws", ylabel="density")
    ax.spines[["top", "right"]].set_visible(False)
    held = ", ".join(
        f"{level:.0%}: {share:.0%}"
        for level, share in zip(result.levels, result.coverage, strict=True)
    )
    headed(ax, f"PIT, {_OF[result.latents]}", f"coverage of central intervals  {held}")
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.14), frameon=False, fontsize="small")
    return ax
