"""Contributions of columns to the surprise of a row."""

import numpy as np

from wellposed._text import in_figure, no_tex
from wellposed.evaluation import Explanation

from ._axes import axes_or_new, headed
from ._palette import NOISE, QUIET
from .canvas import Axes

_MOST = 12  # columns drawn; the others are summed


def outliers(
    explanation: Explanation, row: int = 0, *, ax: Axes | None = None, name: str | None = None
) -> Axes:
    """Draw what each column contributes to −log p(x) of a row, the most suspicious first.

    Wrong cells are in colour, with the cell and the value expected in its place.

    Parameters
    ----------
    explanation : of some rows, from :meth:`wellposed.OutlierVAE.explain`
    row : which of them
    ax : axes to draw on; those of a new figure by default
    name : of the row, for the heading; its position by default

    Returns
    -------
    Axes, with one bar for each column, and beyond twelve columns one for all others

    Examples
    --------
    >>> one, none = np.ones((1, 2)), np.zeros((1, 2), bool)
    >>> order, names = np.array([[1, 0]]), ("a", "b")
    >>> found = Explanation(np.array([2.0]), one, order, one, none, one, names, one)
    >>> len(outliers(found).patches)
    2
    """
    order = explanation.order[row]
    shown, others = order[:_MOST], order[_MOST:]
    ax = axes_or_new(ax, (7.0, 1.2 + 0.32 * (len(shown) + bool(len(others)))))
    values = list(explanation.contributions[row, shown])
    names = [explanation.names[j] for j in shown]
    colours = [NOISE if explanation.wrong[row, j] else QUIET for j in shown]
    if len(others):
        values.append(float(explanation.contributions[row, others].sum()))
        names.append(f"{len(others)} other columns")
        colours.append(QUIET)
    place = np.arange(len(values))
    ax.barh(place, values, 0.7, color=colours)
    for i, j in enumerate(shown):
        if explanation.wrong[row, j]:
            text = " " + no_tex(explanation.cell_text(row, int(j)))
            ax.annotate(text, (max(values[i], 0.0), i), va="center", fontsize="small")
    ax.set_yticks(place, [in_figure(name) for name in names], fontsize="small")
    ax.invert_yaxis()
    ax.axvline(0, color="black", lw=0.8)
    low, high = ax.get_xlim()
    ax.set(xlabel="contribution to −log p(x) (nats)", xlim=(low, high + 0.6 * (high - low)))
    ax.spines[["top", "right"]].set_visible(False)
    total = explanation.surprise[row]
    heading = f"row {row}" if name is None else no_tex(name)
    headed(ax, heading, f"−log p(x) = {total:.4g} nats; wrong cells in colour")
    return ax
