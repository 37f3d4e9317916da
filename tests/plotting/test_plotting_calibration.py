"""Figures of the variance split and of calibration: what is drawn is what was found."""

import dataclasses
import io

import jax
import numpy as np
import pytest

from linear_gaussian import exact_model, rows_of
from wellposed import evaluation, plotting
from wellposed._errors import DataError

KEY = jax.random.key(0)


@pytest.fixture(scope="module")
def split() -> evaluation.VarianceSplit:
    model, density = exact_model(d=6)
    rows = rows_of(density, 200)
    rows[:, 5] = 1.0
    return evaluation.variance_split(model, rows, key=KEY, n_draws=2)


@pytest.fixture(scope="module")
def found() -> evaluation.Calibration:
    model, density = exact_model()
    return evaluation.calibration(model, rows_of(density, 400), key=KEY, n_draws=39)


def test_bars_are_shares_of_the_features_that_vary(split):
    ax = plotting.variance_split(split)
    latents, noise = ax.containers
    v = split.varies
    np.testing.assert_allclose(
        [bar.get_height() for bar in latents], split.posterior.explained[v] / split.data[v]
    )
    np.testing.assert_allclose(
        [bar.get_y() + bar.get_height() for bar in noise], split.posterior.sum[v] / split.data[v]
    )
    assert len(ax.get_xticks()) == 5
    names = plotting.variance_split(split, names=list("abcdef")).get_xticklabels()
    assert [name.get_text() for name in names] == list("abcde")


def test_many_features_are_in_order(split):
    several = {
        f.name: np.tile(getattr(split, f.name), 4)
        for f in dataclasses.fields(split)
        if isinstance(getattr(split, f.name), np.ndarray)
    }

    def tiled(part):
        arrays = {
            f.name: np.tile(getattr(part, f.name), 4)
            for f in dataclasses.fields(part)
            if isinstance(getattr(part, f.name), np.ndarray)
        }
        return dataclasses.replace(part, **arrays)

    parts = {name: tiled(getattr(split, name)) for name in ("prior", "posterior", "linear")}
    ax = plotting.variance_split(dataclasses.replace(split, **several, **parts))
    heights = [bar.get_height() for bar in ax.containers[0]]
    assert len(heights) == 20
    assert (np.diff(heights) <= 0).all()
    assert len(ax.get_xticks()) == 0


def test_images_are_on_one_scale(split):
    ax = plotting.variance_split(split, (2, 3))
    high = max(split.data.max(), split.posterior.explained.max(), split.posterior.kept.max())
    parts = (split.data, split.posterior.explained, split.posterior.kept)
    for image, part in zip(ax.images, parts, strict=True):
        np.testing.assert_allclose(image.get_array().ravel() * high, part, atol=1e-12)
    with pytest.raises(DataError, match="shape"):
        plotting.variance_split(split, (2, 4))


def test_the_histogram_of_a_calibrated_model_stays_in_its_band(found):
    ax = plotting.calibration(found)
    histogram, band = (patch.get_data() for patch in ax.patches)
    np.testing.assert_array_equal(histogram.values, found.coverage.histogram)
    inside = (band.baseline <= histogram.values) & (histogram.values <= band.values)
    assert inside.all()
    assert "z ~ q(z | x)" in ax.get_title(loc="left")
    narrow = dataclasses.replace(found.coverage, histogram=np.linspace(1.5, 0.5, 20))
    histogram, band = (patch.get_data() for patch in plotting.calibration(narrow).patches)
    assert (histogram.values > band.values).any()


def test_figures_can_be_saved(split, found):
    for ax in (plotting.variance_split(split), plotting.calibration(found)):
        ax.figure.savefig(io.BytesIO(), format="png", dpi=40)
