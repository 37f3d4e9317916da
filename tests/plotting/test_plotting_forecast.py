"""The forecast's figure: every latent where it belongs."""

import io

import numpy as np
import pytest

from wellposed import evaluation, plotting
from wellposed.models import Covariance, eigendecompose

FALLING = np.geomspace(8.0, 0.125, 7)


def forecast_of(values, **settings):
    covariance = Covariance(np.zeros(len(values)), np.diag(values), n_rows=100)
    return evaluation.forecast_spectrum(eigendecompose(covariance), **settings)


def drawn(figure):
    """Lines of the scree by their label without its counts, and the three axes."""
    scree, ladder, rates = figure.axes
    return {line.get_label().split(" (")[0]: line for line in scree.lines}, scree, ladder, rates


def test_living_dead_and_other_directions_are_told_apart():
    found = forecast_of(FALLING, noise_variance=1.5, n_components=5)
    lines, scree, _, _ = drawn(plotting.forecast(found))
    kinds = ("active latents", "collapsed latents", "directions without a latent")
    parts = [lines[name] for name in kinds]
    np.testing.assert_array_equal([len(part.get_xdata()) for part in parts], [3, 2, 2])
    np.testing.assert_array_equal(
        np.concatenate([part.get_xdata() for part in parts]), np.arange(1, 8)
    )
    np.testing.assert_allclose(np.concatenate([part.get_ydata() for part in parts]), FALLING)
    assert len({part.get_color() for part in parts}) == 3
    assert len({part.get_marker() for part in parts}) == 3
    np.testing.assert_array_equal(lines["threshold βσ² = 1.5"].get_ydata(), [1.5, 1.5])
    assert scree.get_yscale() == "log"


def test_a_latent_stands_at_the_height_of_its_rate():
    found = forecast_of(FALLING, noise_variance=0.5, n_components=7, beta=2.0)
    figure = plotting.forecast(found)
    _, scree, _, rates = drawn(figure)
    for value, rate in zip(FALLING[: found.n_active], found.rates, strict=False):
        heights = (ax.transData.transform((1, y))[1] for ax, y in ((scree, value), (rates, rate)))
        assert next(heights) == pytest.approx(next(heights))
    assert min(rates.get_yticks()) == 0


def test_the_ladder_counts_the_living_at_every_noise_variance():
    found = forecast_of(FALLING, noise_variance=1.5, n_components=5, beta=1.5)
    _, _, ladder, _ = drawn(plotting.forecast(found))
    steps = ladder.lines[0]
    edges, counts = steps.get_xdata(), steps.get_ydata()
    for variance in np.geomspace(edges[-1] * 1.01, edges[0] * 0.99, 50):
        shown = counts[np.sum(edges > variance) - 1]
        expected = forecast_of(FALLING, noise_variance=variance, n_components=5, beta=1.5)
        assert shown == expected.n_active
    (point,) = ladder.lines[2].get_xydata()
    np.testing.assert_array_equal(point, [1.5, found.n_active])


CASES = {
    "everything dead": (FALLING, {"noise_variance": 100.0, "n_components": 3}),
    "everything alive": (FALLING, {"noise_variance": 0.01}),
    "learned": (FALLING, {"n_components": 3}),
    "one direction": ([2.0], {"noise_variance": 1.0}),
    "without variance": ([4.0, 1.0, 0.0, 0.0], {"noise_variance": 0.5}),
    "more latents than directions": ([4.0, 1.0], {"noise_variance": 2.0, "n_components": 9}),
    "hundreds": (np.geomspace(5, 1e-9, 784), {"noise_variance": 1.0}),
}


@pytest.mark.parametrize(("values", "settings"), CASES.values(), ids=CASES)
def test_every_forecast_can_be_drawn(values, settings):
    found = forecast_of(values, **settings)
    figure = plotting.forecast(found)
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=40)  # a layout that collapses would warn
    assert figure.get_suptitle() == evaluation.sentences(found)[0]
    assert file.getbuffer().nbytes > 5000


def test_what_the_frame_leaves_out_is_counted():
    found = forecast_of([4.0, 1.0, 0.0, 0.0], noise_variance=0.5)
    (scree, *_) = plotting.forecast(found).axes
    labels = [line.get_label() for line in scree.lines]
    assert labels[:2] == ["active latents (2)", "collapsed latents (2, 2 below the frame)"]
