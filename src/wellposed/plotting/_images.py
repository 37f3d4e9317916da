"""A grid of images."""

import math
from collections.abc import Sequence

import numpy as np

from wellposed._text import in_figure, no_tex

from ._axes import axes_or_new
from ._tiles import INK, as_images, grid_corners, limits_of, tile
from .canvas import Axes


def images(
    values: np.ndarray,
    image_shape: Sequence[int],
    *,
    ax: Axes | None = None,
    n_columns: int | None = None,
    limits: tuple[float, float] | None = None,
    cmap: str = INK,
    names: Sequence[str] = (),
    title: str = "",
) -> Axes:
    """Draw rows of data as a grid of images, dark where values are high.

    Parameters
    ----------
    values : array of shape (n, d), data units
    image_shape : (H, W), (H, W, 1) or (H, W, 3), with H·W·C = d
    ax : axes to draw on; those of a new figure by default
    n_columns : images in a row of the grid; about as many as rows by default
    limits : values shown as white and as black; the smallest and largest by default
    cmap : matplotlib colormap of grey images
    names : labels of the rows of the grid
    title : text above the grid

    Returns
    -------
    Axes, with one image a row of ``values``

    Raises
    ------
    DataError
        If a row is no image of that shape.

    Examples
    --------
    >>> len(images(np.zeros((6, 4)), (2, 2)).images)
    6
    """
    pictures = as_images(values, image_shape)
    n_columns = n_columns or math.ceil(math.sqrt(len(pictures)))
    ax = axes_or_new(ax)
    corners = grid_corners(len(pictures), n_columns, *pictures.shape[1:3])
    tile(ax, pictures, corners, limits or limits_of(pictures), cmap=cmap)
    if names:
        pitch = corners[n_columns][1] if len(corners) > n_columns else 0.0
        places = pictures.shape[1] / 2 + pitch * np.arange(len(names))
        ax.set_yticks(places, [in_figure(name) for name in names], fontsize="small")
        ax.tick_params(length=0)
    ax.set_title(no_tex(title), loc="left")
    return ax
