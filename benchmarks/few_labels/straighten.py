"""Handwriting made upright, for neighbours that do not vary by slant and place."""

import math
from typing import Any

import numpy as np
from scipy.ndimage import affine_transform, gaussian_filter

BLUR = 1 / 28  # of the side


def straighten(rows: np.ndarray) -> np.ndarray:
    """Centre, shear and blur square images so that their pixels do not slant: (n, d) to (n, d).

    The mean place of an image's ink comes to its centre, and a shear along its lines brings the
    covariance of the two coordinates to zero. Nothing is scaled.
    """
    images = np.asarray(rows, np.float32)
    images = images.reshape(len(images), *2 * [math.isqrt(images.shape[-1])])
    return np.stack([_upright(image).ravel() for image in images])


def _upright(image: np.ndarray) -> np.ndarray:
    ink = image.sum()
    if ink <= 0:
        return image
    down, right = np.mgrid[: len(image), : len(image)]
    y, x = (down * image).sum() / ink, (right * image).sum() / ink
    tall = ((down - y) ** 2 * image).sum() / ink
    slant = ((down - y) * (right - x) * image).sum() / ink
    shear = np.array([[1.0, 0.0], [slant / max(tall, 1e-6), 1.0]])
    middle = np.full(2, (len(image) - 1) / 2)
    offset: Any = np.array([y, x]) - shear @ middle
    upright = affine_transform(image, shear, offset=offset, order=1)
    return gaussian_filter(upright, BLUR * len(image))
