"""Axes to draw on, without matplotlib's global state."""

from typing import Any, Final

from .canvas import Axes, Figure

TURNED: Final[dict[str, Any]] = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"}  # names


def axes_or_new(ax: Axes | None, size: tuple[float, float] = (5.0, 4.0)) -> Axes:
    """Return ``ax``, or the only axes of a new figure.

    The figure is not registered with ``pyplot``, so that it needs no display and its memory is
    freed with its last reference.

    Parameters
    ----------
    ax : axes to draw on, or None
    size : width and height of a new figure, inches
    """
    return Figure(size, layout="constrained").add_subplot() if ax is None else ax


def headed(ax: Axes, head: str, line: str) -> None:
    """Put a bold title above the axes, and a line of explanation below the title.

    Parameters
    ----------
    ax : the axes
    head : the title
    line : the explanation
    """
    ax.set_title(head, loc="left", fontweight="bold", pad=23)
    ax.annotate(line, (0, 1), (0, 7), xycoords="axes fraction", textcoords="offset points")
