"""One figure for each recipe, 800 pixels wide at 100 dots an inch."""

import numpy as np

from wellposed.plotting import PALETTE, QUIET
from wellposed.plotting.canvas import Axes, Figure

from ._conditioning import Conditioning
from ._discrete import Discrete
from ._divergence import Divergence
from ._one_dimension import OneDimension
from ._parsimony_gap import ParsimonyGap
from ._trained_divergence import TrainedDivergence

_SIZE = (8.0, 4.6)
_FREE, _FLOORED, _OTHER, _BOUND, _INK = PALETTE[1], PALETTE[0], PALETTE[2], QUIET, PALETTE[-1]
_MEAN = "mean over data, nats a datum"


def divergence_figure(record: Divergence) -> Figure:
    """Draw ELBO and log p(x) against ε, with and without a floor under σ, and the bound.

    Parameters
    ----------
    record : what :func:`divergence` returns

    Examples
    --------
    >>> from wellposed.experiments import divergence
    >>> divergence_figure(divergence()).axes[0].get_ylabel()
    'mean over data, nats a datum'
    """
    figure, ax = _axes()
    for values, colour, style, label in (
        (record.log_likelihood, _FREE, "-", "log p(x), σ free"),
        (record.elbo, _FREE, "--", "ELBO, σ free"),
        (record.floored_log_likelihood, _FLOORED, "-", "log p(x), σ above the floor"),
        (record.floored_elbo, _FLOORED, "--", "ELBO, σ above the floor"),
    ):
        ax.plot(record.variances, values, color=colour, linestyle=style, label=label)
    ax.axhline(record.bound, color=_BOUND, linestyle=":", label="bound of the floored model")
    ax.set(xscale="log", xlabel="ε, noise variance in the ball (data units²)", ylabel=_MEAN)
    ax.set_xlim(record.variances.max(), record.variances.min())
    _finish(ax, "One exact mean, σ → 0: the ELBO has no maximum")
    return figure


def trained_divergence_figure(record: TrainedDivergence) -> Figure:
    """Draw the training ELBO of both models against the epoch, and the bound of the floored one.

    The scale omits the first epochs, where the ELBO rises steeply.

    Parameters
    ----------
    record : what :func:`trained_divergence` returns

    Examples
    --------
    >>> from wellposed.experiments import trained_divergence
    >>> trained_divergence_figure(trained_divergence(max_epochs=3)).axes[0].get_xlabel()
    'epoch'
    """
    figure, ax = _axes()
    for values, colour, label in (
        (record.free, _FREE, "σ(z) free"),
        (record.floored, _FLOORED, "σ(z) above the data's floor"),
    ):
        ax.plot(np.arange(1, len(values) + 1), values, color=colour, label=label, linewidth=0.8)
    ax.axhline(record.bound, color=_BOUND, linestyle=":", label="bound of the floored model")
    late = np.concatenate([v[len(v) // 20 :] for v in (record.free, record.floored)])
    low, high = np.nanquantile(late, 0.01), max(float(np.nanmax(late)), record.bound)
    ax.set_ylim(low - 0.05 * (high - low), high + 0.05 * (high - low))
    ax.set(xlabel="epoch", ylabel="training ELBO, nats a datum")
    _finish(ax, "The same by training: a free σ(z) passes the bound that a floor sets")
    return figure


def one_dimension_figure(record: OneDimension) -> Figure:
    """Draw ELBO against s for four λ, with the optima of both formulas, and the best against λ.

    Parameters
    ----------
    record : what :func:`one_dimension` returns

    Examples
    --------
    >>> from wellposed.experiments import one_dimension
    >>> len(one_dimension_figure(one_dimension()).axes)
    2
    """
    figure = Figure((_SIZE[0], 5.0), layout="constrained")
    left, right = figure.subplots(1, 2)
    indices = np.unique(np.minimum((1, 3, 5, 9), len(record.precisions) - 1))
    for colour, i in zip(PALETTE, indices, strict=False):
        label = f"λ = {record.precisions[i]:g}"
        left.plot(record.scales, record.elbo[i], color=colour, label=label)
        left.plot(record.best_scale[i], record.best_elbo[i], "o", color=colour)
        if record.precisions[i] > 0.5:
            published = record.published_scale[i], record.elbo_at_published_scale[i]
            left.plot(*published, "x", color=_INK, markersize=9, zorder=3)
    low = float(record.best_elbo[indices].min())
    left.set(xscale="log", xlabel="s, scale of q(z | x)", ylabel="ELBO, nats")
    left.set_ylim(low - 3.0, 0.2)
    _finish(left, "μ(z) = z: a maximum for every λ\n● s² = 1/(2λ+1)   ✕ s² = 1/(2λ−1)")
    right.plot(record.precisions, record.best_elbo, color=_FLOORED, label="μ(z) = z, best s")
    right.plot(record.precisions, record.constant_mean, color=_FREE, label="μ(z) = 0, s = 1")
    right.axhline(record.limit, color=_BOUND, linestyle=":", label=f"limit −{-record.limit:.4f}")
    right.set(xscale="log", xlabel="λ = 1/(2σ²)", ylabel="ELBO, nats")
    _finish(right, "The mean causes the bound,\nnot the KL")
    return figure


def discrete_figure(record: Discrete) -> Figure:
    """Draw the log probability of whole numbers and the log density against σ.

    Parameters
    ----------
    record : what :func:`discrete` returns

    Examples
    --------
    >>> from wellposed.experiments import discrete
    >>> discrete_figure(discrete()).axes[0].get_xlabel()
    'σ, in levels of the data'
    """
    figure, ax = _axes()
    ax.plot(record.scales, record.continuous, color=_FREE, label="log N(x | μ, σ²), a density")
    ax.plot(record.scales, record.discrete, color=_FLOORED, label="log P(x), a probability")
    ax.axhline(0.0, color=_BOUND, linestyle=":", label="bound of a probability")
    ax.set(xscale="log", xlabel="σ, in levels of the data", ylabel=_MEAN)
    ax.set_xlim(record.scales.max(), record.scales.min())
    _finish(ax, "Exact means, σ → 0: a probability is bounded by zero")
    return figure


def parsimony_gap_figure(record: ParsimonyGap) -> Figure:
    """Draw the chain of bounds from the ELBO to the ceiling, and shade the parsimony gap.

    Parameters
    ----------
    record : what :func:`parsimony_gap` returns

    Examples
    --------
    >>> from wellposed.experiments import parsimony_gap
    >>> rows = np.random.default_rng(0).normal(size=(30, 2))
    >>> record = parsimony_gap(rows, variance=1.0, n_gaussians=2, max_epochs=2)
    >>> len(parsimony_gap_figure(record).axes[0].texts)
    7
    """
    figure, ax = _axes()
    bars = (
        ("ELBO of the VAE", record.elbo, _FLOORED, "estimated"),
        ("log p of the VAE", record.log_likelihood, _FLOORED, "estimated"),
        ("mixture of Gaussians", record.gaussians, _OTHER, "exact"),
        ("a kernel on every datum", record.kernels, _OTHER, "exact"),
        ("kernels improved by EM", record.locations, _OTHER, "exact"),
        ("bound of all mixtures", record.certified, _BOUND, "certified"),
        ("−(d/2) log 2πξ", record.ceiling, _BOUND, "certified"),
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
    ax.axvspan(record.log_likelihood, record.nonparametric, color=PALETTE[3], alpha=0.25, lw=0)
    ax.set_yticks(range(len(bars)), [name for name, *_ in bars])
    ax.set_ylim(len(bars) - 0.5, -0.5)
    ax.set_xlim(values.min() - 0.05 * span, values.max() + 0.28 * span)
    ax.set_xlabel(_MEAN)
    head = f"Parsimony gap, ξ = {record.variance:.3g}: {record.gap:.2f} nats, shaded"
    _title(ax, f"{head}; at most {record.largest_gap:.2f}")
    return figure


def conditioning_figure(record: Conditioning) -> Figure:
    """Draw the number of directions of ascent, and the condition numbers, against falling σ².

    Parameters
    ----------
    record : what :func:`conditioning` returns

    Examples
    --------
    >>> from wellposed.experiments import conditioning
    >>> X = np.array([[2.0, 0.0], [-2.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    >>> conditioning_figure(conditioning(X, 1)).axes[1].get_ylabel()
    'largest over smallest |curvature|'
    """
    order = np.argsort(-record.noise_variances)
    grid = record.noise_variances[order]
    figure = Figure(_SIZE, layout="constrained")
    left, right = figure.subplots(1, 2)
    left.plot(grid, record.profile.n_ascent[order], color=_FLOORED, drawstyle="steps-mid")
    left.set_ylabel("directions of ascent, per collapsed latent")
    left.set_ylim(bottom=0)
    m = record.n_collapsed
    strongest = f"the {m} strongest directions" if m > 1 else "the strongest direction"
    for values, colour, style, label in (
        (record.joint.condition, _FREE, "-", "Hessian in (W, V, D)"),
        (record.profile.condition, _FLOORED, "--", "profile: best V, D for each W"),
        (record.leading_condition, _OTHER, "-.", f"profile, {strongest}"),
    ):
        finite = np.where(np.isfinite(values), values, np.nan)[order]
        right.plot(grid, finite, color=colour, linestyle=style, label=label)
    right.set(yscale="log", ylabel="largest over smallest |curvature|")
    lines = right.get_lines()
    figure.legend(
        handles=lines, loc="outside lower right", ncols=3, frameon=False, fontsize="small"
    )
    titles = "A lower σ² gives more directions of ascent", "The condition number does not improve"
    for ax, title in zip((left, right), titles, strict=True):
        ax.set(xscale="log", xlabel="noise variance σ², falling (data units²)")
        if len(grid) > 1:
            ax.set_xlim(grid[0], grid[-1])
        _title(ax, title)
    return figure


def _axes() -> tuple[Figure, Axes]:
    figure = Figure(_SIZE, layout="constrained")
    return figure, figure.add_subplot()


def _title(ax: Axes, title: str) -> None:
    ax.set_title(title, loc="left", fontsize="medium")
    ax.spines[["top", "right"]].set_visible(False)


def _finish(ax: Axes, title: str) -> None:
    _title(ax, title)
    ax.legend(
        loc="upper center", bbox_to_anchor=(0.5, -0.15), ncols=2, frameon=False, fontsize="small"
    )
