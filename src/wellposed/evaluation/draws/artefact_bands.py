"""Bands of full ink across drawn images, an artefact of unstable autoregressive noise."""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from wellposed._errors import DataError

_NEARLY = 0.95


@dataclasses.dataclass(frozen=True, eq=False)
class ArtefactBands:
    """Images with a band, by two definitions.

    Parameters
    ----------
    banded : shape (n,), whether all pixels of some row or column are at full ink
    nearly : shape (n,), whether the mean of some row or column is 95 % of full ink or more
    n_lines : rows and columns with a mean of 95 % of full ink or more, over all images

    Examples
    --------
    >>> found = ArtefactBands(np.array([True, False]), np.array([True, True]), n_lines=3)
    >>> found.share, found.nearly_share
    (0.5, 1.0)
    """

    banded: np.ndarray
    nearly: np.ndarray
    n_lines: int

    @property
    def share(self) -> float:
        """Share of images with a band."""
        return float(self.banded.mean())

    @property
    def nearly_share(self) -> float:
        """Share of images with a row or column at 95 % of full ink or more."""
        return float(self.nearly.mean())

    def __str__(self) -> str:
        n = len(self.banded)
        return (
            f"{int(self.banded.sum())} of {n} images have a row or column of pixels constant at "
            f"full ink; {int(self.nearly.sum())} have one whose mean is {_NEARLY:.0%} of it or "
            f"more ({self.n_lines} rows and columns)."
        )


def artefact_bands(images: ArrayLike, image_shape: Sequence[int], *, full: float) -> ArtefactBands:
    """Count images with a row or column of pixels constant at full ink.

    Parameters
    ----------
    images : array of shape (n, d), data units
    image_shape : (H, W) or (H, W, C), with H·W·C = d; all channels of a band are at full ink
    full : value of full ink, the largest level, data units: 255 for 8-bit images

    Raises
    ------
    DataError
        If a row is not an image of that shape, or ``full`` is not positive and finite.

    Examples
    --------
    >>> images = np.zeros((2, 3, 3))
    >>> images[1, :, 0] = 255
    >>> artefact_bands(images.reshape(2, 9), (3, 3), full=255).share
    0.5
    """
    values, shape = np.asarray(images), tuple(image_shape)
    if values.ndim != 2 or len(shape) not in (2, 3) or values.shape[1] != math.prod(shape):
        raise DataError(
            f"Rows must be images of shape (H, W) or (H, W, C); got an array of shape "
            f"{values.shape} and image_shape={shape}. Give the shape of the original images."
        )
    if not (math.isfinite(full) and full > 0):
        raise DataError(f"full must be a positive level; got {full}. 8-bit images have 255.")
    pixels = values.reshape(len(values), *shape[:2], -1)
    lines = (pixels, pixels.swapaxes(1, 2))  # rows, then columns: (n, lines, pixels, channels)
    banded = np.concatenate([(part >= full).all(axis=(2, 3)) for part in lines], axis=1)
    means = [part.mean(axis=(2, 3), dtype=np.float64) for part in lines]
    dark = np.concatenate(means, axis=1) >= _NEARLY * full
    return ArtefactBands(np.any(banded, axis=1), np.any(dark, axis=1), int(dark.sum()))
