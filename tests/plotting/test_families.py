"""Families side by side, and the correlation of their noise."""

import io

import numpy as np
import pytest

from wellposed import plotting
from wellposed._errors import DataError, SettingError
from wellposed.plotting._families import GROUPS

SHAPE = (3, 5)


def arrays(names=tuple(GROUPS), n=4, seed=0):
    rng = np.random.default_rng(seed)
    return {name: rng.uniform(0, 9, size=(n, 15)) for name in names}


def extents(ax):
    return np.array([image.get_extent() for image in ax.images])  # left, right, bottom, top


def test_each_family_has_a_row_and_each_group_a_heading():
    figure = plotting.families([("one", arrays()), ("two", arrays(seed=1))], SHAPE)
    (ax,) = figure.axes
    assert len(ax.images) == 2 * 6 * 4
    assert [text.get_text() for text in ax.get_yticklabels()] == ["one", "two"]
    assert [text.get_text() for text in ax.texts] == list(GROUPS.values())
    ticks, found = ax.get_yticks(), extents(ax)
    for row, tick in zip(found.reshape(2, 24, 4), ticks, strict=True):
        assert np.ptp(row[:, 3]) == 0
        assert (row[:, 3] < tick).all()
        assert (tick < row[:, 2]).all()
    lefts = found[:24].reshape(6, 4, 4)[:, 0, 0]
    assert [text.xy[0] for text in ax.texts] == pytest.approx(lefts.tolist())
    figure.savefig(io.BytesIO(), format="png", dpi=40)


def test_images_do_not_overlap_and_stay_inside_whatever_their_number():
    rows = [("one", arrays(n=6)), ("two", arrays(("data", "mean"), n=3))]
    ax = plotting.families(rows, SHAPE, n_columns=4).axes[0]
    found = extents(ax)
    assert len(found) == 36 + 6
    for i, (left, right, bottom, top) in enumerate(found):
        others = np.delete(found, i, axis=0)
        apart = (others[:, 0] >= right) | (others[:, 1] <= left)
        apart |= (others[:, 3] >= bottom) | (others[:, 2] <= top)
        assert apart.all()
    assert found[:, 1].max() <= ax.get_xlim()[1]
    assert found[:, 2].max() <= ax.get_ylim()[0]


def test_a_missing_array_leaves_its_place_empty():
    rows = [("one", arrays()), ("two", arrays(("data", "coupled_high")))]
    ax = plotting.families(rows, SHAPE).axes[0]
    found = extents(ax)
    np.testing.assert_allclose(found[24:28, :2], found[:4, :2])
    np.testing.assert_allclose(found[28:, :2], found[20:24, :2])


def test_one_scale_of_greys_holds_for_all_that_of_the_data():
    one, two = arrays(("data", "mean")), arrays(("data", "mean"), seed=1)
    two["mean"] = 3 * two["mean"] - 5
    ax = plotting.families([("one", one), ("two", two)], SHAPE).axes[0]
    both = np.concatenate([one["data"], two["data"]])
    low, high = both.min(), both.max()
    drawn = np.stack([image.get_array() for image in ax.images]).reshape(4, 4, 15)
    exact = [np.clip((rows - low) / (high - low), 0, 1) for g in (one, two) for rows in g.values()]
    np.testing.assert_allclose(drawn, np.stack(exact))


def test_long_names_fit_beside_the_images():
    name = "a mixture of five discretised logistics"
    figure = plotting.families([(name, arrays())], SHAPE)
    figure.draw_without_rendering()
    (label,) = figure.axes[0].get_yticklabels()
    assert label.get_window_extent().x0 > 0


def test_strange_arrays_and_shapes_are_refused():
    with pytest.raises(SettingError, match="'ancestral'"):
        plotting.families([("one", {"ancestrl": np.zeros((1, 15))})], SHAPE)
    with pytest.raises(DataError, match="shape"):
        plotting.families([("one", arrays())], (4, 4))
    for nothing in ([], [("one", {})]):
        with pytest.raises(DataError, match="images to draw"):
            plotting.families(nothing, SHAPE)


def correlated(d=12):
    far = np.abs(np.subtract.outer(np.arange(d), np.arange(d)))
    return (-0.5) ** far


def test_each_pixel_shows_its_own_row_on_one_scale_around_zero():
    figure = plotting.noise_correlation(correlated(), (3, 4), pixels=[(0, 1), (2, 3)])
    *panels, bar = figure.axes
    assert len(panels) == 2
    assert bar.get_ylabel() == "correlation of the noise"
    for ax, index in zip(panels, (1, 11), strict=True):
        (image,) = ax.images
        np.testing.assert_allclose(image.get_array().ravel(), correlated()[index])
        assert image.get_clim() == (-0.5, 0.5)
        (mark,) = ax.patches
        assert (mark.get_x() + 0.5, mark.get_y() + 0.5) == (index % 4, index // 4)
    figure.savefig(io.BytesIO(), format="png", dpi=40)


def test_rows_alone_do_and_constants_are_grey():
    rows = correlated()[[1, 11]]
    rows[:, 5] = np.nan
    figure = plotting.noise_correlation(rows, (3, 4, 1), pixels=[(0, 1), (2, 3)], limit=1.0)
    (image,) = figure.axes[1].images
    assert image.get_clim() == (-1, 1)
    assert np.ma.getmaskarray(image.get_array()).sum() == 1


def test_independent_noise_and_pixels_by_default():
    figure = plotting.noise_correlation(np.eye(12), (3, 4))
    assert len(figure.axes) == 5 + 1
    assert figure.axes[0].images[0].get_clim() == (-1, 1)


@pytest.mark.parametrize(
    ("correlation", "shape", "pixels", "words"),
    [
        (np.eye(12), (3, 4), [(3, 0)], "lie in the image"),
        (np.eye(12), (3, 4), [], "lie in the image"),
        (np.eye(11), (3, 4), [(0, 0)], "shape \\(12, 12\\)"),
        (np.eye(12), (2, 2, 3), [(0, 0)], "grey images"),
    ],
)
def test_correlations_that_do_not_fit_are_refused(correlation, shape, pixels, words):
    with pytest.raises(DataError, match=words):
        plotting.noise_correlation(correlation, shape, pixels=pixels)
