"""Entries hidden by known mechanisms."""

import numpy as np
import pytest

import wellposed as wp
from wellposed import datasets

ROWS = np.random.default_rng(0).normal(size=(4_000, 6)) @ np.random.default_rng(1).normal(
    size=(6, 6)
)
FUNCTIONS = (
    datasets.hide_completely_at_random,
    datasets.hide_at_random,
    datasets.hide_not_at_random,
)


@pytest.mark.parametrize("hide", FUNCTIONS)
def test_a_seed_gives_one_mask_and_values_stay(hide):
    before = ROWS.copy()
    hidden = hide(ROWS, 0.3, 5)
    np.testing.assert_array_equal(hidden, hide(ROWS, 0.3, np.random.default_rng(5)))
    np.testing.assert_array_equal(ROWS, before)
    seen = ~np.isnan(hidden)
    np.testing.assert_array_equal(hidden[seen], ROWS[seen])
    assert not np.array_equal(hidden, hide(ROWS, 0.3, 6), equal_nan=True)
    np.testing.assert_array_equal(hide(ROWS, 0.0, 0), ROWS)
    for share in (-0.1, 1.1):
        with pytest.raises(wp.SettingError, match="share"):
            hide(ROWS, share, 0)
    with pytest.raises(wp.DataError, match="shape"):
        hide(ROWS[0], 0.3, 0)


def test_completely_at_random_hides_an_exact_share_of_what_is_observed():
    hidden = datasets.hide_completely_at_random(ROWS, 0.5, 0)
    assert np.isnan(hidden).sum() == ROWS.size // 2
    again = datasets.hide_completely_at_random(hidden, 0.5, 0)
    assert np.isnan(again).sum() == ROWS.size * 3 // 4
    gaps = np.isnan(hidden)
    errors = [abs(ROWS[~gaps[:, j], j].mean() - ROWS[:, j].mean()) for j in range(6)]
    assert max(np.array(errors) / ROWS.std(axis=0)) < 0.1


def test_at_random_depends_on_the_complete_half():
    gaps = np.isnan(datasets.hide_at_random(ROWS, 0.4, 0))
    lost = gaps.any(axis=0)
    assert lost.sum() == 3
    np.testing.assert_allclose(gaps[:, lost].mean(axis=0), 0.4, atol=0.04)
    # The means of complete columns differ between rows with and without a gap.
    for j in np.flatnonzero(lost):
        apart = ROWS[gaps[:, j]][:, ~lost].mean(axis=0) - ROWS[~gaps[:, j]][:, ~lost].mean(axis=0)
        assert (np.abs(apart) / ROWS.std(axis=0)[~lost]).max() > 0.2


def test_not_at_random_hides_high_values_or_low_ones():
    for slope, sign in ((2.0, 1), (-2.0, -1)):
        gaps = np.isnan(datasets.hide_not_at_random(ROWS, 0.4, 0, slope=slope))
        np.testing.assert_allclose(gaps.mean(axis=0), 0.4, atol=0.04)
        for j in range(6):
            apart = ROWS[gaps[:, j], j].mean() - ROWS[~gaps[:, j], j].mean()
            assert sign * apart > 0.8 * ROWS[:, j].std()


def test_at_random_needs_complete_columns():
    with pytest.raises(wp.DataError, match="hide_completely_at_random"):
        datasets.hide_at_random(ROWS[:, :1], 0.5, 0)
