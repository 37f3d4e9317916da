"""The forecast of collapse: which latents are active at which noise variance."""

import numpy as np

from wellposed.evaluation import Forecast, sentences

from ._palette import PALETTE, QUIET
from .canvas import Axes, Figure, LogLocator, MaxNLocator, NullFormatter

_ACTIVE, _BAR = PALETTE[0], PALETTE[5]
_COLOURS = {
    "active latents": _ACTIVE,
    "collapsed latents": PALETTE[1],
    "directions without a latent": QUIET,
}
_CROWDED = 40  # directions above which the axis is logarithmic, to separate the first ones
_DEPTH = 1e-4  # share of the threshold or largest variance below which directions are not drawn


def forecast(record: Forecast) -> Figure:
    """Draw the variances of the data against βσ², and the number of active latents at each σ².

    The left panel has one mark for the variance λ of each direction, and a line at the threshold
    βσ². The right-hand axis is zero at the threshold: on it the height of an active latent is its
    rate ½ log(λ/βσ²). Directions far below the threshold, or without variance, are not drawn; the
    legend gives their number. The right panel marks the noise variance of the forecast.

    Parameters
    ----------
    record : result of :func:`wellposed.forecast`

    Returns
    -------
    Figure of 11 × 5 inches

    Examples
    --------
    >>> from wellposed import evaluation
    >>> rows = np.diag([3.0, 2.0, 1.0])
    >>> figure = forecast(evaluation.forecast(rows, noise_variance=0.5, n_components=2))
    >>> figure.get_suptitle()
    'In the best linear VAE with a noise variance of 0.5, 2 of 2 latents are active.'
    """
    figure = Figure((11.0, 5.0), layout="constrained")
    figure.get_layout_engine().set(wspace=0.08)  # type: ignore[union-attr]
    scree, ladder = figure.subplots(1, 2, width_ratios=(3, 2))
    _draw_scree(scree, record)
    _draw_ladder(ladder, record)
    figure.suptitle(sentences(record)[0], x=0.01, ha="left", fontweight="bold")
    for ax in (scree, ladder):
        ax.legend(frameon=False, fontsize="small")
    return figure


def _draw_scree(ax: Axes, record: Forecast) -> None:
    values, active = record.eigenvalues, record.n_active
    lowest = _DEPTH * min(record.threshold, values[0])
    values = values[values > lowest]
    order = np.arange(1, len(values) + 1)
    ax.vlines(order[:active], record.threshold, values[:active], color=_ACTIVE, alpha=0.35, lw=1)
    for first, last, style, name in _parts(record):
        hidden = max(last - max(first, len(values)), 0)
        left_out = f", {hidden} below the frame" if hidden else ""
        shown = order[first:last], values[first:last]
        label = f"{name} ({last - first}{left_out})"
        ax.plot(*shown, style, label=label, markersize=5, color=_COLOURS[name])
    ax.axhline(record.threshold, color=_BAR, lw=2, label=f"threshold βσ² = {record.threshold:.4g}")
    limits = np.append(values, record.threshold)
    ax.set(yscale="log", ylim=(limits.min() / 2, limits.max() * 2))
    if len(values) > _CROWDED:
        ax.set_xscale("log")
        ax.xaxis.set_major_formatter("{x:g}")
    else:
        ax.set_xlim(0.5, len(values) + 0.5)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    ax.set(xlabel="direction of the data, by falling variance", ylabel="variance λ (model units²)")
    ax.set_title("Variance of the data by direction", loc="left", fontsize="medium")
    ax.spines["top"].set_visible(False)
    _add_rates(ax, record.threshold)


def _parts(record: Forecast) -> list[tuple[int, int, str, str]]:
    """First and last direction, marker and name of the parts that are not empty."""
    active, k, r = record.n_active, record.n_components, len(record.eigenvalues)
    bounds = ((0, active, "o"), (active, k, "x"), (k, r, "."))
    return [(*part, name) for part, name in zip(bounds, _COLOURS, strict=True) if part[0] < part[1]]


def _add_rates(ax: Axes, threshold: float) -> None:
    """Add an axis of rates: a rate is affine in log λ."""
    low, high = (0.5 * float(np.log(end / threshold)) for end in ax.get_ylim())
    rates = ax.twinx()
    room = max(int(8 * high / (high - low)), 1)  # share of the axis above zero
    ticks = [tick for tick in MaxNLocator(room).tick_values(0.0, high) if 0 <= tick <= high]
    rates.set_ylim(low, high)
    rates.set_yticks(ticks)
    rates.set_ylabel("rate of an active latent (nats)")
    rates.spines["top"].set_visible(False)


def _draw_ladder(ax: Axes, record: Forecast) -> None:
    steps = record.active_below[: min(record.n_components, record.n_varying)]
    edges = np.append(steps, record.noise_variance)
    low, high = edges.min() / 3, edges.max() * 3
    # From the highest σ² to the lowest: another latent is active below each step.
    ax.plot(
        np.concatenate([[high], steps, [low]]),
        np.concatenate([np.arange(len(steps) + 1), [len(steps)]]),
        drawstyle="steps-post",
        color=_ACTIVE,
    )
    name = "best" if record.learned else "given"
    ax.axvline(record.noise_variance, color=_BAR, lw=2)
    ax.plot(
        record.noise_variance,
        record.n_active,
        "o",
        color=_BAR,
        markeredgecolor="black",
        label=f"σ² = {record.noise_variance:.4g} ({name}): {record.n_active} active",
    )
    ax.set(xscale="log", xlim=(low, high), xlabel="noise variance σ² (model units²)")
    if high < 100 * low:  # too few powers of ten for ticks
        ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.xaxis.set_major_formatter("{x:g}")
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set(ylim=(-0.03 * max(len(steps), 1), 1.08 * max(len(steps), 1)))
    ax.set_ylabel(f"active latents, of {record.n_components}")
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_title("Active latents by noise variance", loc="left", fontsize="medium")
    ax.spines[["top", "right"]].set_visible(False)
