"""Grids of images on one pair of axes."""

from collections.abc import Sequence

import numpy as np

from wellposed._errors import DataError

from .canvas import Axes, Rectangle

GAP = 0.12  # between images, as a share of their height

INK, _FRAME = "gray_r", "#cccccc"


def as_images(values: np.ndarray, image_shape: Sequence[int]) -> np.ndarray:
    """Reshape rows to images: (n, d) to (n, H, W), or to (n, H, W, 3) for colour.

    Parameters
    ----------
    values : array of shape (n, d)
    image_shape : (H, W), (H, W, 1) or (H, W, 3), with H·W·C = d

    Raises
    ------
    DataError
        If a row is no image of that shape, or the shape has neither one nor three channels.
    """
    values, shape = np.asarray(values), tuple(image_shape)
    if len(shape) not in (2, 3) or (len(shape) == 3 and shape[2] not in (1, 3)):
        raise DataError(
            f"An image has the shape (H, W), (H, W, 1) or (H, W, 3); got {shape}. "
            "Choose three channels to show."
        )
    if values.ndim != 2 or values.shape[1] != int(np.prod(shape)):
        raise DataError(
            f"Rows must be images of shape {shape}, {int(np.prod(shape))} features each; got an "
            f"array of shape {values.shape}. Give the shape of the original images."
        )
    grey = len(shape) == 2 or shape[2] == 1
    return values.reshape(-1, *(shape[:2] if grey else shape))


def limits_of(*values: np.ndarray) -> tuple[float, float]:
    """Smallest and largest of all values: the ends of the scale of greys.

    Parameters
    ----------
    values : arrays of any shape
    """
    return min(float(v.min()) for v in values), max(float(v.max()) for v in values)


def tile(
    ax: Axes,
    pictures: np.ndarray,
    corners: np.ndarray,
    limits: tuple[float, float],
    *,
    cmap: str = INK,
) -> None:
    """Draw pictures at given places.

    Parameters
    ----------
    ax : axes to draw on
    pictures : array of shape (n, H, W) or (n, H, W, 3)
    corners : array of shape (n, 2), (left, top) of each picture in pixels, top counted downwards
    limits : values shown as white and as black
    cmap : matplotlib colormap of grey images
    """
    height, width = pictures.shape[1:3]
    low, high = limits
    span = high - low if high > low else 1.0
    for picture, (left, top) in zip(pictures, corners, strict=True):
        ax.imshow(
            np.clip((picture - low) / span, 0, 1),
            cmap=cmap,
            vmin=0,
            vmax=1,
            interpolation="nearest",
            extent=(left, left + width, top + height, top),
        )
        # A frame separates the white margins of adjacent images.
        frame = Rectangle((left, top), width, height, fill=False, lw=0.6, ec=_FRAME)
        ax.add_patch(frame).set_clip_on(False)
    right, bottom = corners.max(axis=0) + np.array([width, height])
    ax.set(xlim=(0, right), ylim=(bottom, 0), xticks=[], yticks=[], aspect="equal")
    ax.spines[:].set_visible(False)


def grid_corners(
    n: int, n_columns: int, height: int, width: int, row_gaps: Sequence[float] = (GAP,)
) -> np.ndarray:
    """Corners (left, top) of images in a grid, row by row, shape (n, 2), pixels.

    Parameters
    ----------
    n : number of images
    n_columns : images in a row
    height, width : of an image, pixels
    row_gaps : gaps below successive rows, repeated, as shares of the height
    """
    rows, columns = np.divmod(np.arange(n), n_columns)
    gaps = np.resize(np.asarray(row_gaps), rows.max())
    tops = height * np.concatenate([[0.0], np.cumsum(1 + gaps)])
    return np.stack([columns * (width + GAP * height), tops[rows]], axis=1)
