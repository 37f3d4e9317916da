"""Whole numbers are bounded by zero, their density is not."""

import numpy as np
import pytest
from scipy.stats import norm

from wellposed import experiments
from wellposed._errors import DataError, SettingError

ROWS = np.array([[0, 1, 2], [3, 1, 0], [2, 2, 1]])
MEANS = ROWS + np.array([[0.3, -0.2, 0.0], [-0.6, 0.4, 0.9], [0.1, -1.3, 0.2]])


def test_both_agree_with_the_normal_distribution():
    scales = np.array([3.0, 0.7, 0.4])
    found = experiments.discrete(ROWS, means=MEANS, scales=scales)
    for scale, discrete, continuous in zip(scales, found.discrete, found.continuous, strict=True):
        above = np.where(ROWS == 3, 1.0, norm.cdf(ROWS + 0.5, MEANS, scale))
        below = np.where(ROWS == 0, 0.0, norm.cdf(ROWS - 0.5, MEANS, scale))
        assert discrete == pytest.approx(np.log(above - below).sum(axis=1).mean(), rel=1e-5)
        density = norm.logpdf(ROWS, MEANS, scale).sum(axis=1).mean()
        assert continuous == pytest.approx(density, rel=1e-12)


def test_the_probabilities_of_all_levels_sum_to_one():
    """The last feature takes each level in turn; the others only fix the range."""
    total = 0.0
    for level in range(4):
        rows = np.array([[0.0, 3.0, float(level)]])
        found = experiments.discrete(rows, means=np.array([[-1e9, 1e9, 1.7]]), scales=[0.8])
        total += np.exp(found.discrete[0])
    assert total == pytest.approx(1.0, rel=1e-6)


def test_real_data_are_bounded_by_zero_and_their_density_is_not():
    found = experiments.discrete()
    assert (found.discrete <= 0).all()
    assert (np.diff(found.discrete) >= 0).all()
    assert found.discrete[-1] == 0
    gain = np.diff(found.continuous) / np.diff(np.log(1 / found.scales))
    np.testing.assert_allclose(gain, 64, rtol=1e-9)
    assert found.continuous[-1] > 500


def test_a_wrong_mean_is_finite_however_small_the_scale():
    found = experiments.discrete(ROWS, means=MEANS, scales=np.array([1e-3]))
    assert np.isfinite(found.discrete).all()
    assert found.discrete[0] < -1e3


def test_rows_must_be_whole_and_scales_positive():
    with pytest.raises(DataError, match="whole numbers"):
        experiments.discrete(ROWS + 0.5)
    with pytest.raises(DataError, match="must have their shape"):
        experiments.discrete(ROWS, means=MEANS[:2])
    with pytest.raises(DataError, match="finite table"):
        experiments.discrete(ROWS, means=np.full(ROWS.shape, np.nan))
    for scales in ([0.0], [np.inf], [], "a", [[1.0]]):
        with pytest.raises(SettingError, match=r"scales must be a finite number > 0.*Try"):
            experiments.discrete(ROWS, scales=scales)


def test_one_scale_is_a_row_of_one():
    found = experiments.discrete(ROWS, means=MEANS, scales=1.0)
    expected = experiments.discrete(ROWS, means=MEANS, scales=[2.0, 1.0])
    assert found.discrete.shape == (1,)
    assert found.discrete[0] == expected.discrete[1]
    assert found.continuous[0] == expected.continuous[1]
