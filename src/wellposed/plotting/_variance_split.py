"""Shares of latents and noise in the variance of each feature."""

from collections.abc import Sequence

import numpy as np

from wellposed._text import in_figure
from wellposed.evaluation import VarianceSplit

from ._axes import TURNED, axes_or_new, headed
from ._palette import HELD_OUT, NOISE, QUIET
from ._tiles import GAP, as_images, tile
from .canvas import Axes

_IN_ORDER, _NAMED = 16, 30  # features above which they are sorted, and have no names
_ROOM = 1.15  # height of the axes over that of the bars, for the legend
_HIGHEST = 2.0  # largest share drawn; a pixel that varies in one training row may have fifty
_PANELS = ("data", "latents", "noise")


def variance_split(
    split: VarianceSplit,
    image_shape: Sequence[int] | None = None,
    *,
    ax: Axes | None = None,
    names: Sequence[str] | None = None,
) -> Axes:
    """Draw each feature's Var E[x|z] and E Var[x|z] as shares of its variance in the data.

    Bars are for z from the posterior. A line across each bar is the border of the two shares for
    pPCA on the same rows, and a diamond is the variance of the model's own draws. With
    ``image_shape``, three images on one scale show the variance of the data, of the latents and
    of the noise.

    Parameters
    ----------
    split : result of :func:`wellposed.evaluation.variance_split`
    image_shape : (H, W) or (H, W, 1), with H·W = d
    ax : axes to draw on; those of a new figure by default
    names : of the features, d of them

    Raises
    ------
    DataError
        If the features are no image of that shape.

    Examples
    --------
    >>> import wellposed as wp
    >>> split = wp.evaluation.variance_split(model, X, key=key)
    >>> variance_split(split).get_ylabel()
    "share of the feature's variance"
    """
    if image_shape is not None:
        return _as_images(split, image_shape, ax)
    ax = axes_or_new(ax, (7.0, 4.0))
    at = np.flatnonzero(split.varies)
    few = len(at) <= _IN_ORDER
    if not few:
        at = at[np.argsort(-split.posterior.explained[at] / split.data[at])]
    top = _bars(ax, split, at, 0.8 if few else 1.0)
    high = 1.05 * max(min(float(top.max()), _HIGHEST), 1.0)
    ax.set(ylabel="share of the feature's variance", xlim=(-0.6, len(at) - 0.4))
    ax.set_ylim(0, _ROOM * high)
    if few or (len(at) <= _NAMED and names is not None):
        shown = [str(j) if names is None else in_figure(names[int(j)]) for j in at]
        turned = {} if names is None else TURNED
        ax.set_xticks(np.arange(len(at)), shown, fontsize="small", **turned)
        ax.set_xlabel("feature")
    else:
        ax.set(xlabel="features, by what the latents explain", xticks=[])
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(loc="upper center", ncols=4, frameon=False, fontsize="small")
    beyond = int((top > high).sum())
    line = f"noise over mean squared residual {split.total_ratio}"
    headed(ax, "Variance split", line + (f"; {beyond} features reach beyond" if beyond else ""))
    return ax


def _bars(ax: Axes, split: VarianceSplit, at: np.ndarray, width: float) -> np.ndarray:
    """Draw the features ``at`` in that order; return the height of each."""
    own, place = split.data[at], np.arange(len(at))
    latents = np.clip(split.posterior.explained[at] / own, 0.0, None)
    kept, drawn = split.posterior.kept[at] / own, split.prior.sum[at] / own
    border, ends = split.linear.explained[at] / own, (place - width / 2, place + width / 2)
    ax.bar(place, latents, width, color=HELD_OUT, label="latents, Var E[x|z]")
    ax.bar(place, kept, width, bottom=latents, color=NOISE, label="noise, E Var[x|z]")
    ax.hlines(border, *ends, color="white", lw=3)
    ax.hlines(border, *ends, color="black", lw=1.2, label="border of pPCA")
    ax.plot(place, drawn, "D", ms=4, mfc="white", mec="black", label="model's own draws")
    ax.axhline(1.0, color=QUIET, lw=1, ls=":")
    return np.maximum(drawn, latents + kept)


def _as_images(split: VarianceSplit, image_shape: Sequence[int], ax: Axes | None) -> Axes:
    ax = axes_or_new(ax, (7.0, 3.2))
    parts = np.stack([split.data, split.posterior.explained, split.posterior.kept])
    pictures = as_images(parts, image_shape)
    height, width = pictures.shape[1:3]
    lefts = np.arange(len(parts)) * (width + 2 * GAP * height)
    corners = np.stack([lefts, np.zeros(len(parts))], axis=1)
    high = float(parts.max())
    tile(ax, pictures, corners, (0.0, high))
    for name, part, left in zip(_PANELS, parts, lefts, strict=True):
        ax.annotate(
            f"{name}, {part.sum():.4g} in all",
            (left, height),
            (0, -12),
            textcoords="offset points",
            fontsize="small",
        )
    headed(ax, "Variance of each pixel", f"white none, black {high:.4g} (data units²)")
    return ax
