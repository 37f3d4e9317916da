"""Rubin's rules."""

import numpy as np
import pytest
import scipy.stats

import wellposed as wp


def test_the_rules_of_rubin_and_of_barnard_and_rubin():
    q, u = np.array([4.0, 5.0, 3.0, 4.5]), np.array([0.2, 0.3, 0.25, 0.25])
    b = q.var(ddof=1)
    t = 0.25 + 1.25 * b
    pooled = wp.pool(q, u)
    assert pooled.estimate == pytest.approx(4.125)
    assert pooled.standard_error == pytest.approx(np.sqrt(t))
    r = 1.25 * b / 0.25
    assert pooled.degrees_of_freedom == pytest.approx(3 * (1 + 1 / r) ** 2)
    low, high = scipy.stats.t.interval(0.95, pooled.degrees_of_freedom, 4.125, np.sqrt(t))
    assert (pooled.low, pooled.high) == (pytest.approx(low), pytest.approx(high))
    small = wp.pool(q, u, n=20)
    lost = 1.25 * b / t
    observed = 21 / 23 * 20 * (1 - lost)
    expected = 1 / (1 / pooled.degrees_of_freedom + 1 / observed)
    assert small.degrees_of_freedom == pytest.approx(expected)
    assert small.missing_share == pytest.approx(lost)


def test_equal_estimates_are_those_of_complete_data():
    pooled = wp.pool([[1.0, 2.0]] * 3, [[0.5, 0.1]] * 3, level=0.9)
    np.testing.assert_allclose(pooled.standard_error, np.sqrt([0.5, 0.1]))
    np.testing.assert_allclose(pooled.high - pooled.estimate, 1.644853627 * pooled.standard_error)
    assert np.isinf(pooled.degrees_of_freedom).all()
    complete = wp.pool([1.0] * 3, [0.5] * 3, n=11)
    assert complete.degrees_of_freedom == pytest.approx(11 * 12 / 14)
    assert len(str(pooled).splitlines()) == 2


def test_an_estimate_without_variance_is_certain():
    pooled = wp.pool([2.0, 2.0], [0.0, 0.0], n=5)
    assert pooled.low == pooled.high == 2.0


@pytest.mark.parametrize(
    ("q", "u"), [([1.0], [0.1]), ([1.0, 2.0], [0.1]), ([1.0, 2.0], [0.1, -1.0]), (1.0, 1.0)]
)
def test_what_cannot_be_pooled_is_refused(q, u):
    with pytest.raises(wp.DataError, match="two estimates or more"):
        wp.pool(q, u)
