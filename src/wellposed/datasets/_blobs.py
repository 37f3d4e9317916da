"""Images of known factors: one soft blob each, with noise of known variance."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from wellposed._checks import check_count, check_number

_MOST_PIXELS = 1_000  # of a side


@dataclass(frozen=True, eq=False)
class BlobImages:
    """Images of a blob, with the factors that they are drawn from.

    Parameters
    ----------
    values : array of shape (n, size²)
        The images row by row, float64.
    means : array of shape (n, size²)
        The images without noise.
    factors : array of shape (n, 4)
        Of each image the column and the row of the centre, in pixels, the width in pixels, and the
        brightness; see ``names``.
    noise_variance : float
        σ² of the noise of each pixel.
    image_shape : (size, size)

    Examples
    --------
    >>> from wellposed.datasets import blob_images
    >>> blobs = blob_images(3, seed=0)
    >>> blobs.names, blobs.factors.shape
    (('column', 'row', 'width', 'brightness'), (3, 4))
    """

    names: ClassVar[tuple[str, ...]] = ("column", "row", "width", "brightness")
    values: np.ndarray
    means: np.ndarray
    factors: np.ndarray
    noise_variance: float
    image_shape: tuple[int, int]


def blob_images(
    n: int,
    *,
    seed: int | np.random.Generator,
    size: int = 16,
    noise_variance: float = 0.0025,
    n_levels: int | None = None,
) -> BlobImages:
    r"""Draw images of one soft blob from four independent factors.

    The pixel at (c, r) of a blob at (a, b) of width w and brightness h is

    .. math::
        h \exp\Bigl(-\frac{(c - a)^2 + (r - b)^2}{2 w^2}\Bigr) + \sigma \varepsilon

    with ε standard normal. Factors are uniform: a and b over the middle half of the image, w from
    size/12 to size/5, h from 1/2 to 1. Given its factors an image is Gaussian, so that the right
    noise variance of a model with four latents or more is σ².

    Parameters
    ----------
    n : int
        Images.
    seed : int or Generator
        Seed of the draws; there is no default.
    size : int
        Pixels of a side, from 4.
    noise_variance : float
        σ² ≥ 0.
    n_levels : int or None
        Number of equally spaced values of each factor, from 2; None draws from the whole interval.

    Raises
    ------
    SettingError
        If a size or the noise variance is out of range.

    Examples
    --------
    >>> from wellposed.datasets import blob_images
    >>> blobs = blob_images(5, seed=0)
    >>> blobs.values.shape, blobs.factors.shape, blobs.names
    ((5, 256), (5, 4), ('column', 'row', 'width', 'brightness'))
    """
    check_count("n", n, most=10**7)
    check_count("size", size, "A blob has several pixels.", low=4, most=_MOST_PIXELS)
    check_number("noise_variance", noise_variance, "0 draws no noise.", low=0)
    generator = np.random.default_rng(seed)
    if n_levels is None:
        shares = generator.uniform(size=(n, 4))
    else:
        check_count("n_levels", n_levels, "A factor has two levels or more.", low=2)
        shares = generator.integers(n_levels, size=(n, 4)) / (n_levels - 1)
    edge = size - 1
    low = np.array([edge / 4, edge / 4, size / 12, 0.5])
    high = np.array([3 * edge / 4, 3 * edge / 4, size / 5, 1.0])
    factors = low + shares * (high - low)
    means = _means(factors, size)
    values = means + np.sqrt(noise_variance) * generator.standard_normal(means.shape)
    return BlobImages(values, means, factors, float(noise_variance), (size, size))


def _means(factors: np.ndarray, size: int) -> np.ndarray:
    column, row, width, brightness = factors.T[:, :, None]
    pixels = np.arange(size)
    across = np.exp(-0.5 * ((pixels - column) / width) ** 2)  # (n, size)
    down = np.exp(-0.5 * ((pixels - row) / width) ** 2)
    images = brightness[:, :, None] * down[:, :, None] * across[:, None, :]
    return images.reshape(len(factors), -1)
