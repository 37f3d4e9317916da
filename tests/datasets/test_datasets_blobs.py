"""Images of known factors: their formula at single pixels, and the law of factors and noise."""

import math

import numpy as np
import pytest

from wellposed import SettingError
from wellposed.datasets import blob_images


def test_pixels_follow_the_formula():
    blobs = blob_images(3, seed=0, size=7, noise_variance=0.0)
    np.testing.assert_array_equal(blobs.values, blobs.means)
    for image, (column, row, width, brightness) in zip(blobs.values, blobs.factors, strict=True):
        for c, r in [(0, 0), (3, 5), (6, 2)]:
            distance = (c - column) ** 2 + (r - row) ** 2
            expected = brightness * math.exp(-distance / (2 * width**2))
            assert image.reshape(blobs.image_shape)[r, c] == pytest.approx(expected, rel=1e-12)


def test_factors_are_uniform_and_independent_and_noise_has_its_variance():
    n = 4000
    blobs = blob_images(n, seed=1, size=8, noise_variance=0.3)
    low, high = np.array([1.75, 1.75, 8 / 12, 0.5]), np.array([5.25, 5.25, 8 / 5, 1.0])
    shares = (blobs.factors - low) / (high - low)
    assert shares.min() >= 0
    assert shares.max() <= 1
    error = 5 / np.sqrt(n)
    np.testing.assert_allclose(shares.mean(axis=0), 0.5, atol=error * np.sqrt(1 / 12))
    np.testing.assert_allclose(np.corrcoef(shares.T), np.eye(4), atol=error)
    noise = blobs.values - blobs.means
    np.testing.assert_allclose(noise.var(), 0.3, rtol=5 * np.sqrt(2 / noise.size))


def test_levels_are_equally_spaced_and_a_seed_fixes_the_draws():
    blobs = blob_images(500, seed=2, n_levels=5)
    for factor in blobs.factors.T:
        steps: np.ndarray = np.diff(np.unique(factor))
        assert steps.dtype == float
        np.testing.assert_allclose(steps, steps[0], rtol=1e-9)
        assert len(steps) == 4
    np.testing.assert_array_equal(blob_images(500, seed=2, n_levels=5).values, blobs.values)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n": 0}, "n must be"),
        ({"size": 3}, "from 4"),
        ({"noise_variance": -1.0}, "0 draws no noise"),
        ({"n_levels": 1}, "two levels"),
    ],
)
def test_sizes_out_of_range_are_refused(change, message):
    with pytest.raises(SettingError, match=message):
        blob_images(**({"n": 2, "seed": 0} | change))
