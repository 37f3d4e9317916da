"""Axes to draw on, without matplotlib's global state."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure


def axes_or_new(ax: Axes | None, size: tuple[float, float] = (5.0, 4.0)) -> Axes:
    """Return ``ax``, or the only axes of a new figure of ``size`` inches.

    The figure belongs to no window and no ``pyplot`` registry, so that it is freed with its last
    reference and needs no display.
    """
    return Figure(size, layout="constrained").add_subplot() if ax is None else ax


def headed(ax: Axes, head: str, line: str) -> None:
    """Put a bold head over the axes, and below it a line on how to read them."""
    ax.set_title(head, loc="left", fontweight="bold", pad=23)
    ax.annotate(line, (0, 1), (0, 7), xycoords="axes fraction", textcoords="offset points")
