"""Planted bands are found; shapes that resemble one are not counted."""

import numpy as np
import pytest

from wellposed import evaluation
from wellposed._errors import DataError


def blank(n: int = 6, shape=(4, 5)):
    return np.zeros((n, *shape), np.uint8)


def judged(images, shape=(4, 5)):
    return evaluation.artefact_bands(images.reshape(len(images), -1), shape, full=255)


def test_rows_and_columns_at_full_ink_are_bands():
    images = blank()
    images[1, 2] = 255
    images[4, :, 0] = 255
    images[4, :, 3] = 255
    found = judged(images)
    np.testing.assert_array_equal(found.banded, [False, True, False, False, True, False])
    assert found.share == found.nearly_share == pytest.approx(2 / 6)
    assert found.n_lines == 3


def test_a_band_with_one_pixel_missing_is_nearly_one():
    images = blank(3, (20, 30))
    images[0, 4] = 255
    images[0, 4, 7] = 0  # 29 of 30 pixels: 97 % of full ink
    images[1, :, 2] = 243  # 95.3 % throughout
    images[2, :, 2] = 241  # 94.5 %
    found = judged(images, (20, 30))
    assert found.share == 0
    np.testing.assert_array_equal(found.nearly, [True, True, False])


def test_a_constant_line_of_less_ink_and_a_diagonal_are_no_bands():
    images = blank(2, (5, 5))
    images[0, 1] = 128
    images[1] = 255 * np.eye(5)
    found = judged(images, (5, 5))
    assert found.share == found.nearly_share == found.n_lines == 0


def test_a_line_is_full_where_all_channels_are():
    images = blank(2, (4, 5, 3))
    images[0, 1] = 255
    images[1, 1, :, 0] = 255
    np.testing.assert_array_equal(judged(images, (4, 5, 3)).banded, [True, False])


def test_it_reads_as_a_sentence():
    images = blank()
    images[1, 2] = 255
    assert str(judged(images)).startswith("1 of 6 images have a row or column")


def test_wrong_shapes_and_levels_are_refused():
    with pytest.raises(DataError, match="image_shape=\\(3, 3\\)"):
        evaluation.artefact_bands(np.zeros((2, 20)), (3, 3), full=255)
    with pytest.raises(DataError, match="positive level"):
        evaluation.artefact_bands(np.zeros((2, 20)), (4, 5), full=0)
