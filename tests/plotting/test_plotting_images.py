"""What is on the axes, never which pixels."""

import numpy as np
import pytest

from wellposed import plotting
from wellposed._errors import DataError


def pictures(n, d=12):
    return np.arange(n * d, dtype=float).reshape(n, d)


@pytest.mark.parametrize("n", [1, 5, 12])
def test_every_row_is_one_image(n):
    ax = plotting.images(pictures(n), (3, 4), n_columns=4)
    assert len(ax.images) == n


def test_images_show_their_own_row_and_do_not_overlap():
    values = pictures(6)
    ax = plotting.images(values, (3, 4), n_columns=3)
    shown = np.stack([image.get_array() for image in ax.images])
    np.testing.assert_allclose(shown.reshape(6, -1), values / values.max())
    corners = {tuple(np.round(image.get_extent(), 6)) for image in ax.images}
    assert len(corners) == 6
    left, right = ax.images[0].get_extent()[1], ax.images[1].get_extent()[0]
    assert left < right


def test_values_beyond_the_limits_are_white_and_black():
    ax = plotting.images(np.array([[-5.0, 0.0, 1.0, 7.0]]), (2, 2), limits=(0, 1))
    np.testing.assert_array_equal(ax.images[0].get_array().ravel(), [0, 0, 1, 1])


def test_constant_images_are_drawn():
    ax = plotting.images(np.full((2, 4), 3.0), (2, 2))
    assert all(np.isfinite(image.get_array()).all() for image in ax.images)


def test_colour_and_single_channel_images():
    assert plotting.images(pictures(2), (2, 2, 3)).images[0].get_array().shape == (2, 2, 3)
    assert plotting.images(pictures(2), (3, 4, 1)).images[0].get_array().shape == (3, 4)


@pytest.mark.parametrize("shape", [(3, 3), (12,), (2, 3, 2)])
def test_rows_that_are_no_such_images_are_refused(shape):
    with pytest.raises(DataError, match="shape"):
        plotting.images(pictures(2), shape)


def test_axes_are_used_when_given():
    ax = plotting.images(pictures(1), (3, 4))
    assert plotting.images(pictures(2), (3, 4), ax=ax, title="t") is ax
    assert ax.get_title(loc="left") == "t"


@pytest.mark.parametrize("n", [3, 5, 8, 9])
def test_each_reconstruction_is_below_its_datum(n):
    data, model = pictures(n), pictures(n) + 0.5
    ax = plotting.reconstructions(data, model, (3, 4), n_columns=4, limits=(0, 200))
    assert len(ax.images) == 2 * n
    for above, below, row in zip(ax.images[:n], ax.images[n:], data, strict=True):
        left, right, bottom, _ = above.get_extent()
        assert below.get_extent()[:2] == pytest.approx((left, right))
        gap = below.get_extent()[3] - bottom
        assert 0 < gap < 1
        np.testing.assert_allclose(above.get_array().ravel() * 200, row)
        np.testing.assert_allclose(below.get_array().ravel() * 200, row + 0.5)
    names = [text.get_text() for text in ax.get_yticklabels()]
    assert names == ["data", "model"] * (-(-n // 4))


def test_a_missing_reconstruction_is_refused():
    with pytest.raises(DataError, match="one reconstruction a datum"):
        plotting.reconstructions(pictures(3), pictures(2), (3, 4))


def test_gaps_are_beside_their_completions_and_missing_pixels_transparent():
    whole = pictures(2)
    given = np.where(np.arange(12) < 6, np.nan, whole)
    columns = {"image": whole, "given": given, "mean": whole + 1.0}
    ax = plotting.gaps(columns, (3, 4), names=["a", "b"], limits=(0.0, 24.0))
    assert len(ax.images) == 6
    shown = np.ma.stack([image.get_array() for image in ax.images]).reshape(2, 3, 12)
    for column, values in enumerate(columns.values()):
        np.testing.assert_allclose(shown[:, column].filled(np.nan), values / 24.0)
    extents = np.array([image.get_extent() for image in ax.images]).reshape(2, 3, 4)
    assert (np.diff(extents[:, :, 0], axis=1) > 4).all()
    assert (np.diff(extents[:, :, 3], axis=0) > 3).all()
    assert [label.get_text() for label in ax.get_xticklabels()] == list(columns)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b"]


def test_columns_of_different_lengths_are_refused():
    with pytest.raises(DataError, match="same number"):
        plotting.gaps({"a": pictures(2), "b": pictures(3)}, (3, 4))
