"""Tables of numbers, one panel for each feature: marginals, traversals, residuals."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from wellposed._text import cut, in_figure

from ._axes import TURNED
from ._palette import HELD_OUT, NOISE, PALETTE
from .canvas import Axes, Figure

_SHOWN = 12  # panels
_BINS = 30
_MOST_LEVELS, _LEVEL = 8, 12  # levels of a panel, and characters of the name of one

Levels = Mapping[int, Sequence[str]]


class _Style(NamedTuple):
    kind: Literal["bar", "step"]
    of_bars: dict[str, Any]


_STYLES = (  # of data and of draws
    _Style("bar", {"color": HELD_OUT, "alpha": 0.45}),
    _Style("step", {"edgecolor": NOISE, "lw": 1.5}),
)


def marginals(
    data: np.ndarray,
    drawn: np.ndarray,
    *,
    names: Sequence[str] | None = None,
    levels: Levels | None = None,
) -> Figure:
    """Draw histograms of the data and of draws, for the first twelve features that vary.

    Parameters
    ----------
    data, drawn : arrays of shape (n, d) and (m, d), data units; a level is its position, and NaN a
        missing cell, which is left out
    names : of the features, d of them
    levels : names of the levels by the position of the feature; its eight most frequent are drawn

    Returns
    -------
    Figure

    Examples
    --------
    >>> len(marginals(X, X[:50]).axes)
    4
    """
    seen = [column[~np.isnan(column)] for column in data.T]
    at = [j for j, column in enumerate(seen) if len(column) and np.ptp(column) > 0][:_SHOWN]
    figure, axes = _panels(len(at))
    for ax, j in zip(axes, at, strict=True):
        both = {"data": seen[j], "draws": drawn[~np.isnan(drawn[:, j]), j]}
        if levels is not None and j in levels:
            _shares(ax, both, levels[j])
        else:
            _histograms(ax, both)
        _labelled(ax, j, names)
    if axes:
        axes[0].legend(frameon=False, fontsize="small")
    return figure


def _histograms(ax: Axes, both: Mapping[str, np.ndarray]) -> None:
    low, high = np.quantile(np.concatenate([*both.values()]), (0.005, 0.995))
    edges = np.linspace(low, high if high > low else low + 1.0, _BINS + 1)
    for (name, values), style in zip(both.items(), _STYLES, strict=True):
        ax.hist(values, edges, density=True, histtype=style.kind, label=name, **style.of_bars)
    ax.set_ylabel("density", fontsize="x-small")


def _shares(ax: Axes, both: Mapping[str, np.ndarray], levels: Sequence[str]) -> None:
    """Draw the share of each level, in their order."""
    n = len(levels)
    shares = {
        name: np.bincount(values.astype(int), minlength=n) / max(len(values), 1)
        for name, values in both.items()
    }
    most = np.sort(np.argsort(-np.maximum(*shares.values()), kind="stable")[:_MOST_LEVELS])
    place = np.arange(len(most))
    for (name, share), style in zip(shares.items(), _STYLES, strict=True):
        filled = style.kind != "step"
        ax.bar(place, share[most], 0.8, fill=filled, label=name, **style.of_bars)
    _name_levels(ax.set_xticks, place, [levels[int(i)] for i in most], rotation=30, ha="right")
    ax.set_ylabel("share", fontsize="x-small")


def traversals(
    grid: np.ndarray,
    means: np.ndarray,
    latents: Sequence[int],
    *,
    names: Sequence[str] | None = None,
    levels: Levels | None = None,
    scale: np.ndarray | None = None,
) -> Figure:
    """Draw E[x|z] along each latent, for the twelve features that change most.

    Parameters
    ----------
    grid : array of shape (s,), values of the latent in standard deviations of the prior
    means : array of shape (m, s, d), data units: E[x|z] with one of m latents at those values
    latents : positions of the m latents, for the legend
    names : of the features, d of them
    levels : names of the levels by the position of the feature
    scale : shape (d,), unit of each feature in which its change counts; None is one

    Returns
    -------
    Figure

    Examples
    --------
    >>> grid = np.linspace(-2, 2, 5)
    >>> len(traversals(grid, np.ones((1, 5, 3)) * grid[:, None], [0]).axes) > 0
    True
    """
    span = np.ptp(means, axis=1).max(axis=0) / (1.0 if scale is None else scale)
    at = np.sort(np.argsort(-span, kind="stable")[: min(_SHOWN, len(span))])
    figure, axes = _panels(len(at))
    for ax, j in zip(axes, at, strict=True):
        for i, latent in enumerate(latents):
            colour = PALETTE[i % len(PALETTE)]
            ax.plot(grid, means[i, :, j], color=colour, lw=1.5, label=f"latent {latent}")
        if levels is not None and j in levels:
            named = np.unique(means[..., j].astype(int))
            _name_levels(ax.set_yticks, named, [levels[int(j)][int(i)] for i in named])
        _labelled(ax, j, names)
    axes[0].legend(frameon=False, fontsize="x-small")
    figure.supxlabel("value of the latent, standard deviations of the prior", fontsize="small")
    return figure


def residual_boxes(residuals: np.ndarray, *, names: Sequence[str] | None = None) -> Figure:
    """Draw the quartiles and the central 95 % of each feature's residuals in units of σ.

    Parameters
    ----------
    residuals : array of shape (n, d), in units of the noise's σ; NaN is left out
    names : of the features, d of them

    Returns
    -------
    Figure, with the band that contains 95 % of a Gaussian

    Examples
    --------
    >>> len(residual_boxes(np.random.default_rng(0).normal(size=(50, 4))).axes)
    1
    """
    d = residuals.shape[1]
    figure = Figure((min(11.0, max(5.0, 0.35 * d + 2)), 3.6), layout="constrained")
    ax = figure.add_subplot()
    low, first, middle, third, high = np.nanquantile(
        residuals, (0.025, 0.25, 0.5, 0.75, 0.975), axis=0
    )
    place = np.arange(d)
    ax.axhspan(-1.96, 1.96, color=HELD_OUT, alpha=0.08)
    ax.vlines(place, low, high, color=HELD_OUT, lw=1)
    ax.vlines(place, first, third, color=HELD_OUT, lw=5)
    ax.plot(place, middle, "_", color="white", ms=7)
    ax.set(ylabel="residual over σ", xlim=(-0.6, d - 0.4))
    if d <= 24:
        shown = [str(j) if names is None else in_figure(names[j]) for j in range(d)]
        turned = {} if names is None else TURNED
        ax.set_xticks(place, shown, fontsize="small", **turned)
    else:
        ax.set(xlabel="features", xticks=[])
    ax.spines[["top", "right"]].set_visible(False)
    return figure


def column_distances(
    drawn: np.ndarray, real: np.ndarray, *, names: Sequence[str] | None = None
) -> Axes:
    """Draw the distance of each column of drawn rows from real rows, the largest first.

    Parameters
    ----------
    drawn, real : arrays of shape (d,), distances from 0 to 1 of drawn rows and of other real rows
    names : of the columns, d of them

    Returns
    -------
    Axes, with the thirty columns of the largest distance

    Examples
    --------
    >>> len(column_distances(np.array([0.1, 0.3]), np.array([0.1, 0.1])).get_yticklabels())
    2
    """
    at = np.argsort(-np.nan_to_num(drawn), kind="stable")[:_BINS][::-1]
    figure = Figure((7.0, 0.26 * len(at) + 1.0), layout="constrained")
    ax = figure.add_subplot()
    place = np.arange(len(at))
    ax.barh(place, drawn[at], height=0.6, color=NOISE, label="drawn rows")
    ax.plot(real[at], place, "o", color=HELD_OUT, ms=5, label="real rows")
    shown = [str(j) if names is None else in_figure(names[j]) for j in at]
    ax.set_yticks(place, shown, fontsize="small")
    ax.set(xlabel="distance from held-out rows", xlim=(0.0, None), ylim=(-0.6, len(at) - 0.4))
    ax.legend(frameon=False, fontsize="small", loc="lower right")
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def _panels(n: int) -> tuple[Figure, list[Axes]]:
    columns = min(4, max(n, 1))
    rows = -(-max(n, 1) // columns)
    figure = Figure((2.6 * columns, 1.9 * rows + 0.3), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for ax in axes[n:]:
        ax.set_axis_off()
    return figure, list(axes[:n])


def _name_levels(set_ticks: Any, place: np.ndarray, names: Sequence[str], **how: Any) -> None:
    set_ticks(place, [in_figure(cut(name, _LEVEL)) for name in names], **how)


def _labelled(ax: Axes, j: int, names: Sequence[str] | None) -> None:
    title = f"feature {j}" if names is None else in_figure(names[j])
    ax.set_title(title, fontsize="small", loc="left")
    ax.tick_params(labelsize="x-small")
    ax.spines[["top", "right"]].set_visible(False)
