"""Images with missing pixels beside their completions."""

from collections.abc import Mapping, Sequence

import numpy as np

from wellposed._errors import DataError
from wellposed._text import in_figure, no_tex

from ._axes import axes_or_new
from ._tiles import as_images, grid_corners, limits_of, tile
from .canvas import Axes, Rectangle

_MISSING = "#c9dcf0"  # differs from all greys


def gaps(
    columns: Mapping[str, np.ndarray],
    image_shape: Sequence[int],
    *,
    ax: Axes | None = None,
    limits: tuple[float, float] | None = None,
    names: Sequence[str] = (),
    title: str = "",
) -> Axes:
    """Draw images with missing pixels and their completions, an image a row.

    Parameters
    ----------
    columns : arrays of shape (n, d), data units, by the text above the column; NaN where a pixel
        is missing, which is drawn in pale blue
    image_shape : (H, W), (H, W, 1) or (H, W, 3), with H·W·C = d
    ax : axes to draw on; those of a new figure by default
    limits : values shown as white and as black; the smallest and largest by default
    names : labels of the rows
    title : text above the grid

    Returns
    -------
    Axes, with n images a column

    Raises
    ------
    DataError
        If there is no column, columns differ in length, or a row is no image of that shape.

    Examples
    --------
    >>> whole = np.zeros((2, 4))
    >>> hidden = np.where([True, False, True, False], np.nan, whole)
    >>> len(gaps({"image": whole, "given": hidden, "mean": whole}, (2, 2)).images)
    6
    """
    pictures = [as_images(values, image_shape) for values in columns.values()]
    if len({len(each) for each in pictures}) != 1:
        sizes = {name: len(values) for name, values in columns.items()}
        raise DataError(
            f"Each column must have the same number of images; got {sizes}. Pass arrays of shape "
            "(n, d) for the same n rows."
        )
    n, (height, width) = len(pictures[0]), pictures[0].shape[1:3]
    ordered = np.stack(pictures, axis=1).reshape(-1, *pictures[0].shape[1:])
    ax = axes_or_new(ax)
    corners = grid_corners(len(ordered), len(pictures), height, width)
    for left, top in corners:
        ax.add_patch(Rectangle((left, top), width, height, color=_MISSING, lw=0, zorder=-1))
    known = [values[~np.isnan(values)] for values in pictures if not np.isnan(values).all()]
    tile(ax, ordered, corners, limits or limits_of(*known))
    across = corners[: len(pictures), 0] + width / 2
    ax.set_xticks(across, [in_figure(name) for name in columns], fontsize="small")
    if len(names):
        down = corners[:: len(pictures), 1] + height / 2
        ax.set_yticks(down[:n], [in_figure(name) for name in names], fontsize="small")
    ax.tick_params(length=0, top=False, labeltop=True, labelbottom=False)
    ax.set_title(no_tex(title), loc="left")
    return ax
