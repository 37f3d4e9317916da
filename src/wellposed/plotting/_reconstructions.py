"""Data and their reconstructions."""

from collections.abc import Sequence

import numpy as np

from wellposed._errors import DataError
from wellposed._text import no_tex

from ._axes import axes_or_new
from ._tiles import GAP, as_images, grid_corners, limits_of, tile
from .canvas import Axes

_PAIR_GAP = 0.45  # below a pair, as a share of the height; larger than the gap within a pair


def reconstructions(
    data: np.ndarray,
    reconstructed: np.ndarray,
    image_shape: Sequence[int],
    *,
    ax: Axes | None = None,
    n_columns: int = 8,
    limits: tuple[float, float] | None = None,
    title: str = "",
) -> Axes:
    """Draw each datum with its reconstruction below it.

    Parameters
    ----------
    data, reconstructed : arrays of shape (n, d), data units
    image_shape : (H, W), (H, W, 1) or (H, W, 3), with H·W·C = d
    ax : axes to draw on; those of a new figure by default
    n_columns : pairs in a row of the grid
    limits : values shown as white and as black; those of the data by default
    title : text above the grid

    Returns
    -------
    Axes, with two images a datum and labels of the rows at the left

    Raises
    ------
    DataError
        If the two differ in shape, or a row is no image of that shape.

    Examples
    --------
    >>> len(reconstructions(np.zeros((4, 6)), np.ones((4, 6)), (2, 3)).images)
    8
    """
    above, below = as_images(data, image_shape), as_images(reconstructed, image_shape)
    if above.shape != below.shape:
        raise DataError(
            f"There must be one reconstruction a datum; got {len(below)} for {len(above)}. "
            "Pass the reconstructions of the rows in data."
        )
    ax = axes_or_new(ax)
    height, width = above.shape[1:3]
    places = _places(len(above), min(n_columns, len(above)), height, width)
    tile(ax, np.concatenate([above, below]), places, limits or limits_of(above))
    tops = np.unique(places[:, 1])
    names = np.resize(["data", "model"], len(tops))
    ax.set_yticks(tops + height / 2, names)
    ax.tick_params(length=0)
    ax.set_title(no_tex(title), loc="left")
    return ax


def _places(n: int, n_columns: int, height: int, width: int) -> np.ndarray:
    """Corners of ``n`` data, then of their reconstructions: shape (2n, 2)."""
    order = np.arange(n)
    # Rows alternate: one of data, then one of their reconstructions.
    cells = 2 * n_columns * (order // n_columns) + order % n_columns
    last = cells[-1] + n_columns + 1
    corners = grid_corners(last, n_columns, height, width, row_gaps=(GAP, _PAIR_GAP))
    return np.concatenate([corners[cells], corners[cells + n_columns]])
