"""Correlation of the noise between pixels."""

from collections.abc import Sequence

import numpy as np

from wellposed._errors import DataError

from ._palette import QUIET
from .canvas import Figure, Rectangle

_MAP = "PuOr"  # its ends differ for every kind of colour vision
_SIDE = 2.1  # inches


def noise_correlation(
    correlation: np.ndarray,
    image_shape: Sequence[int],
    *,
    pixels: Sequence[tuple[int, int]] | None = None,
    limit: float | None = None,
) -> Figure:
    """Draw the correlation of the noise of a few pixels with the noise of every other pixel.

    Parameters
    ----------
    correlation : array of shape (d, d), or only its rows of ``pixels``. NaN, the value for a pixel
        that never varies, is drawn in grey.
    image_shape : (H, W) or (H, W, 1), with H·W = d
    pixels : (row, column) of each; the centre and the middles of the four quarters by default
    limit : correlation drawn in the strongest colour; the largest with another pixel by default

    Returns
    -------
    Figure, with one image for each pixel, in which that pixel is black

    Raises
    ------
    DataError
        If the rows are not grey images of that shape, a pixel lies outside, or rows are missing.

    Examples
    --------
    >>> len(noise_correlation(np.eye(16), (4, 4), pixels=[(0, 0), (2, 1)]).axes)
    3
    """
    height, width = _grey(image_shape)
    places = _quarters(height, width) if pixels is None else [(int(r), int(c)) for r, c in pixels]
    rows = _rows(np.asarray(correlation, float), places, height, width)
    limit = limit or _strongest(rows, places, width)
    figure = Figure((_SIDE * len(rows) + 0.9, _SIDE + 0.5), layout="constrained")
    panels = np.atleast_1d(figure.subplots(1, len(rows)))
    for ax, row, (i, j) in zip(panels, rows, places, strict=True):
        shown = ax.imshow(
            row.reshape(height, width), cmap=_MAP, vmin=-limit, vmax=limit, interpolation="nearest"
        )
        ax.set_facecolor(QUIET)
        ax.add_patch(Rectangle((j - 0.5, i - 0.5), 1, 1, fc="black", ec="white"))
        ax.set(xticks=[], yticks=[])
        ax.set_title(f"row {i}, column {j}", fontsize="medium")
    bar = figure.colorbar(shown, ax=list(panels), aspect=12, shrink=0.8)
    bar.set_label("correlation of the noise")
    return figure


def _grey(image_shape: Sequence[int]) -> tuple[int, int]:
    shape = tuple(image_shape)
    if len(shape) not in (2, 3) or shape[2:] not in ((), (1,)):
        raise DataError(
            f"Correlations are drawn for grey images, (H, W) or (H, W, 1); got {shape}. "
            "Choose the rows and columns of one channel."
        )
    return shape[0], shape[1]


def _quarters(height: int, width: int) -> list[tuple[int, int]]:
    middles = [(h, w) for h in (height // 4, 3 * height // 4) for w in (width // 4, 3 * width // 4)]
    return [(height // 2, width // 2), *middles]


def _rows(
    correlation: np.ndarray, places: list[tuple[int, int]], height: int, width: int
) -> np.ndarray:
    """The rows of the pixels, shape (m, d)."""
    outside = [place for place in places if not (0 <= place[0] < height and 0 <= place[1] < width)]
    if outside or not places:
        raise DataError(
            f"Pixels must lie in the image of {height} x {width}; got {outside or 'none'}. "
            "Give (row, column), counted from zero."
        )
    d = height * width
    if correlation.shape == (d, d):
        return correlation[[i * width + j for i, j in places]]
    if correlation.shape != (len(places), d):
        raise DataError(
            f"The correlation must be of shape ({d}, {d}) for images of {height} x {width}, or "
            f"hold a row for each of {len(places)} pixels; got {correlation.shape}."
        )
    return correlation


def _strongest(rows: np.ndarray, places: list[tuple[int, int]], width: int) -> float:
    """Largest absolute correlation with another pixel; one if all are zero."""
    others = np.abs(rows)
    others[np.arange(len(rows)), [i * width + j for i, j in places]] = 0.0
    return float(np.nanmax(others, initial=0.0)) or 1.0
