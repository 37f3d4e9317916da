"""One figure a recipe, 800 pixels wide at 100 dots an inch."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from wellposed.plotting import PALETTE, QUIET

from ._discrete import Discrete
from ._divergence import Divergence
from ._one_dimension import OneDimension
from ._parsimony_gap import ParsimonyGap
from ._trained_divergence import TrainedDivergence

_SIZE = (8.0, 4.6)
_FREE, _FLOORED, _BOUND, _INK = PALETTE[1], PALETTE[0], QUIET, PALETTE[-1]


def divergence_figure(found: Divergence) -> Figure:
    """ELBO and log p(x) against ε, free and with the floor, and the bound of the latter."""
    figure, ax = _axes()
    for values, colour, style, label in (
        (found.log_likelihood, _FREE, "-", "log p(x), σ free"),
        (found.elbo, _FREE, "--", "ELBO, σ free"),
        (found.floored_log_likelihood, _FLOORED, "-", "log p(x), σ above the floor"),
        (found.floored_elbo, _FLOORED, "--", "ELBO, σ above the floor"),
    ):
        ax.plot(found.variances, values, color=colour, linestyle=style, label=label)
    ax.axhline(found.bound, color=_BOUND, linestyle=":", label="bound of the floored model")
    ax.set(xscale="log", xlabel="ε, noise variance in the ball (data units²)", ylabel=_MEAN)
    ax.set_xlim(found.variances.max(), found.variances.min())
    _finish(ax, "One datum known, one σ shrinking: the ELBO has no maximum")
    return figure


def trained_divergence_figure(found: TrainedDivergence) -> Figure:
    """Training ELBO of both models against the epoch, and the bound of the floored one.

    The scale leaves out the first epochs, whose steep rise would flatten all that follows.
    """
    figure, ax = _axes()
    for values, colour, label in (
        (found.free, _FREE, "σ(z) free"),
        (found.floored, _FLOORED, "σ(z) above the data's floor"),
    ):
        ax.plot(np.arange(1, len(values) + 1), values, color=colour, label=label, linewidth=0.8)
    ax.axhline(found.bound, color=_BOUND, linestyle=":", label="bound of the floored model")
    late = np.concatenate([v[len(v) // 20 :] for v in (found.free, found.floored)])
    low, high = np.nanquantile(late, 0.01), max(float(np.nanmax(late)), found.bound)
    ax.set_ylim(low - 0.05 * (high - low), high + 0.05 * (high - low))
    ax.set(xlabel="epoch", ylabel="training ELBO, nats a datum")
    _finish(ax, "The same by training: a free σ(z) passes the bound that a floor sets")
    return figure


def one_dimension_figure(found: OneDimension) -> Figure:
    """ELBO against s for some λ with both formulas' optima, and the best ELBO against λ."""
    figure = Figure((_SIZE[0], 5.0), layout="constrained")
    left, right = figure.subplots(1, 2)
    chosen = np.unique(np.minimum((1, 3, 5, 9), len(found.precisions) - 1))
    for colour, i in zip(PALETTE, chosen, strict=False):
        label = f"λ = {found.precisions[i]:g}"
        left.plot(found.scales, found.elbo[i], color=colour, label=label)
        left.plot(found.best_scale[i], found.best_elbo[i], "o", color=colour)
        if found.precisions[i] > 0.5:
            published = found.published_scale[i], found.elbo_at_published_scale[i]
            left.plot(*published, "x", color=_INK, markersize=9, zorder=3)
    low = float(found.best_elbo[chosen].min())
    left.set(xscale="log", xlabel="s, scale of q(z | x)", ylabel="ELBO, nats")
    left.set_ylim(low - 3.0, 0.2)
    _finish(left, "μ(z) = z: a maximum for every λ\n● s² = 1/(2λ+1)   ✕ s² = 1/(2λ−1)")
    right.plot(found.precisions, found.best_elbo, color=_FLOORED, label="μ(z) = z, best s")
    right.plot(found.precisions, found.constant_mean, color=_FREE, label="μ(z) = 0, s = 1")
    right.axhline(found.limit, color=_BOUND, linestyle=":", label=f"limit −{-found.limit:.4f}")
    right.set(xscale="log", xlabel="λ = 1/(2σ²)", ylabel="ELBO, nats")
    _finish(right, "The bound is the doing of the mean,\nnot of the KL")
    return figure


def discrete_figure(found: Discrete) -> Figure:
    """Probability of whole numbers and density against σ."""
    figure, ax = _axes()
    ax.plot(found.scales, found.continuous, color=_FREE, label="log N(x | μ, σ²), a density")
    ax.plot(found.scales, found.discrete, color=_FLOORED, label="log P(x), a probability")
    ax.axhline(0.0, color=_BOUND, linestyle=":", label="bound of a probability")
    ax.set(xscale="log", xlabel="σ, in levels of the data", ylabel=_MEAN)
    ax.set_xlim(found.scales.max(), found.scales.min())
    _finish(ax, "The mean known, σ shrinking: whole numbers are bounded by zero")
    return figure


def parsimony_gap_figure(found: ParsimonyGap) -> Figure:
    """What bounds what, from the ELBO up to the ceiling; the gap between VAE and mixture."""
    figure, ax = _axes()
    bars = (
        ("ELBO of the VAE", found.elbo, _FLOORED, "estimated"),
        ("log p of the VAE", found.log_likelihood, _FLOORED, "estimated"),
        ("mixture of Gaussians", found.gaussians, PALETTE[2], "exact"),
        ("a kernel on every datum", found.kernels, PALETTE[2], "exact"),
        ("kernels improved by EM", found.locations, PALETTE[2], "exact"),
        ("bound of all mixtures", found.certified, _BOUND, "certified"),
        ("−(d/2) log 2πξ", found.ceiling, _BOUND, "certified"),
    )
    values = np.array([value for _, value, _, _ in bars])
    span = values.max() - values.min()
    for place, (_, value, colour, status) in enumerate(bars):
        ax.plot(value, place, "o", color=colour, markersize=9)
        ax.annotate(
            f"{value:.2f}  {status}",
            (value, place),
            (9, 0),
            textcoords="offset points",
            va="center",
        )
    ax.axvspan(found.log_likelihood, found.nonparametric, color=PALETTE[3], alpha=0.25, lw=0)
    ax.set_yticks(range(len(bars)), [name for name, *_ in bars])
    ax.set_ylim(len(bars) - 0.5, -0.5)
    ax.set_xlim(values.min() - 0.05 * span, values.max() + 0.28 * span)
    ax.set_xlabel(_MEAN)
    head = f"Parsimony gap, ξ = {found.variance:.3g}: {found.gap:.2f} nats, shaded"
    ax.set_title(f"{head}; at most {found.largest_gap:.2f}", loc="left", fontsize="medium")
    ax.spines[["top", "right"]].set_visible(False)
    return figure


_MEAN = "mean over data, nats a datum"


def _axes() -> tuple[Figure, Axes]:
    figure = Figure(_SIZE, layout="constrained")
    return figure, figure.add_subplot()


def _finish(ax: Axes, title: str) -> None:
    ax.set_title(title, loc="left", fontsize="medium")
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(
        loc="upper center", bbox_to_anchor=(0.5, -0.15), ncols=2, frameon=False, fontsize="small"
    )
