"""Conformal p-values, false discoveries and the share of outliers, against known values."""

import numpy as np
import pytest
import scipy.stats

import wellposed as wp
from wellposed.evaluation import (
    benjamini_hochberg,
    conformal_p_values,
    fewest_calibration_rows,
    outlier_share,
    uniformity,
)


def test_p_values_are_the_ranks_counted_by_hand():
    rng = np.random.default_rng(0)
    s, held = rng.integers(0, 9, 50), rng.integers(0, 9, 30)  # with ties
    expected = [(1 + sum(h >= one for h in held)) / 31 for one in s]
    np.testing.assert_allclose(conformal_p_values(s, held), expected, rtol=1e-12)


def test_false_alarms_have_the_nominal_rate():
    rng = np.random.default_rng(1)
    m, n, repeats = 99, 50, 400
    p = np.concatenate(
        [conformal_p_values(rng.gamma(2.0, size=n), rng.gamma(2.0, size=m)) for _ in range(repeats)]
    ).reshape(repeats, n)
    for alpha in (0.01, 0.05, 0.1):
        rate = (p <= alpha + 1e-9).mean(axis=1)
        error = rate.std(ddof=1) / np.sqrt(repeats)
        assert abs(rate.mean() - alpha) < 3 * error  # equality: scores have no ties


@pytest.mark.parametrize("fdr", [0.05, 0.1, 0.2])
def test_benjamini_hochberg_agrees_with_scipy(fdr):
    rng = np.random.default_rng(2)
    for _ in range(50):
        p = rng.random(40) ** rng.uniform(1, 6)
        expected = scipy.stats.false_discovery_control(p, method="bh") <= fdr
        np.testing.assert_array_equal(benjamini_hochberg(p, fdr), expected)


def test_the_false_discovery_rate_is_at_most_nominal():
    rng, q, shares = np.random.default_rng(3), 0.1, []
    for _ in range(200):
        inlier, held = rng.normal(size=180), rng.normal(size=400)
        outlier = 4.0 + rng.normal(size=20)
        found = benjamini_hochberg(conformal_p_values(np.append(inlier, outlier), held), q)
        shares.append(found[:180].sum() / max(1, found.sum()))
    error = np.std(shares, ddof=1) / np.sqrt(len(shares))
    assert np.mean(shares) <= 0.9 * q + 2 * error
    assert np.mean(shares) > 0.2 * q  # it does find some


def test_the_fewest_rows_reach_the_rate_and_one_less_does_not():
    for alpha in (0.5, 0.1, 0.05, 0.01, 0.003):
        m = fewest_calibration_rows(alpha)
        assert conformal_p_values([9.0], np.zeros(m))[0] <= alpha + 1e-12
        assert conformal_p_values([9.0], np.zeros(m - 1 or 1))[0] > alpha or m == 1


@pytest.mark.parametrize("share", [0.0, 0.05, 0.2, 0.4])
@pytest.mark.parametrize("shape", [1.0, 4.0, 50.0])
def test_the_share_of_far_outliers_is_estimated(share, shape):
    rng = np.random.default_rng(4)
    k = round(2_000 * share)
    s = np.append(rng.gamma(shape, size=2_000 - k), 3 * shape + 30 + rng.normal(size=k))
    assert share - 0.06 < outlier_share(s) < share + 0.02


def test_scores_in_other_units_have_the_same_share():
    rng = np.random.default_rng(5)
    s = np.append(rng.gamma(3.0, size=900), 40 + rng.normal(size=100))
    assert outlier_share(1e6 + 1e3 * s) == pytest.approx(outlier_share(s), abs=1e-6)


def test_a_drift_is_found_and_no_drift_is_not():
    rng = np.random.default_rng(6)
    held = rng.normal(size=500)
    calm = [
        uniformity(conformal_p_values(rng.normal(size=200), rng.normal(size=500)), 500)
        for _ in range(300)
    ]
    assert np.mean([one.p_value < 0.1 for one in calm]) < 0.15
    assert not any(one.drifted for one in calm)
    assert uniformity(conformal_p_values(1.0 + rng.normal(size=200), held), 500).drifted
    assert uniformity(conformal_p_values(-1.0 + rng.normal(size=200), held), 500).drifted


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: conformal_p_values([1.0], []), "0 calibration rows"),
        (lambda: conformal_p_values([np.nan], [1.0]), "1 scores that are NaN"),
        (lambda: outlier_share(np.zeros(5)), "got 5"),
        (lambda: uniformity([], 5), "got 0 and 5"),
        (lambda: benjamini_hochberg([0.1], 1.5), "fdr must be"),
    ],
)
def test_errors_name_the_rule_and_the_remedy(call, text):
    with pytest.raises(wp.WellposedError, match=text):
        call()
