"""The score of images that is log p(x) plus the length of a code without a model."""

import numpy as np
import pytest

import wellposed as wp
from wellposed.estimators.outliers.complexity import code_length

pytestmark = pytest.mark.filterwarnings("ignore::wellposed.WellposedWarning")
SMALL = wp.VAE(
    2, noise="shared", hidden=(8,), max_epochs=5, validation_folds=0, prior="standard",
    progress=False,
)  # fmt: skip


def one_by_one(row):
    """The code of a row, difference after difference."""
    seen, nats, before = np.full(256, 0.5), 0.0, 0
    for value in row:
        step = (int(value) - before) % 256
        nats -= np.log(seen[step] / seen.sum())
        seen[step] += 1
        before = int(value)
    return nats


def images(n, seed):
    """Smooth images of grey levels: two random waves along a row of 48."""
    rng = np.random.default_rng(seed)
    t = np.arange(48) / 48
    waves = np.sin(2 * np.pi * (t + rng.uniform(size=(n, 1)))) + rng.normal(size=(n, 1)) * t
    return np.clip(128 + 40 * waves + 4 * rng.normal(size=waves.shape), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def detector():
    return wp.OutlierVAE(SMALL, score="complexity", random_state=0).fit(images(400, 0))


def test_the_length_is_that_of_the_adaptive_code():
    rows = np.random.default_rng(0).integers(0, 256, (5, 90)) // [[1], [4], [32], [128], [255]]
    np.testing.assert_allclose(code_length(rows), [one_by_one(row) for row in rows], rtol=1e-12)
    assert code_length(rows[:0]).shape == (0,)
    # A code: the probabilities of some of all rows sum to less than one.
    some = np.stack(np.meshgrid(*[[0, 9, 200]] * 3), -1).reshape(-1, 3)
    assert np.exp(-code_length(some)).sum() < 1


def test_the_score_is_log_p_plus_the_length_and_each_row_has_its_own(detector, tmp_path):
    new = images(300, 1)
    found = detector.score_samples(new)
    log_p = detector.vae_.score_samples(new, detector.n_samples)
    np.testing.assert_array_equal(found, log_p + code_length(new))
    np.testing.assert_array_equal(detector.score_samples(new[5:7].astype(float)), found[5:7])
    m = len(detector.calibration_scores_)
    assert abs((detector.p_values(new) <= 0.1).mean() - 0.1) < 3 * np.sqrt(0.09 * (1 / 300 + 1 / m))
    detector.save(tmp_path / "detector.wp")
    np.testing.assert_array_equal(wp.load(tmp_path / "detector.wp").score_samples(new), found)


def test_a_simple_image_that_log_p_takes_for_usual_is_found(detector):
    flat = np.repeat(np.arange(120, 136), 48).reshape(16, 48).astype(np.uint8)
    log_p = detector.vae_.score_samples(flat, detector.n_samples)
    usual = np.sort(detector.vae_.score_samples(images(200, 2), detector.n_samples))
    assert (log_p > usual[2]).mean() > 0.9  # nearly none is among the lowest hundredth
    assert detector.outliers(flat, alpha=0.02).all()


def test_what_has_no_levels_is_refused(detector):
    rows = images(60, 0)
    with pytest.raises(wp.DataError, match=r"whole numbers from 0 to 255; got 0\.\d+\. Pass grey"):
        wp.OutlierVAE(SMALL, score="complexity").fit(rows / 255)
    with pytest.raises(wp.DataError, match="got 300"):
        detector.score_samples(np.full((1, 48), 300))
    vae = wp.VAE(1, missing="ignorable", progress=False)
    with pytest.raises(wp.SettingError, match="whole rows of levels; got missing="):
        wp.OutlierVAE(vae, score="complexity").fit(rows.astype(float))
