"""Standardising by median and middle half: far values move neither."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import wellposed as wp
from wellposed.transforms import Standardize, resolve, summarise

ROWS = np.random.default_rng(0).normal([3.0, -20.0, 1e4], [0.1, 4.0, 300.0], size=(4_000, 3))


def fitted(rows: np.ndarray, **settings: bool) -> Standardize:
    return Standardize(robust=True, **settings).fit(summarise(rows))


def test_of_normal_columns_it_is_mean_and_deviation(x64):
    transform = fitted(ROWS)
    assert (np.abs(transform.mean - ROWS.mean(axis=0)) < 0.05 * ROWS.std(axis=0)).all()
    np.testing.assert_allclose(transform.scale, ROWS.std(axis=0), rtol=0.1)


def test_far_values_move_neither(x64):
    """A hundredth of a column moves its quartiles by at most a hundredth of its rows."""
    spoilt = ROWS.copy()
    spoilt[::100] = 1e8
    clean, other = fitted(ROWS), fitted(spoilt)
    np.testing.assert_allclose(other.scale, clean.scale, rtol=0.04)
    assert (np.abs(other.mean - clean.mean) < 0.04 * clean.scale).all()
    moments = other.moments(summarise(spoilt), key=jax.random.key(0))
    np.testing.assert_allclose(moments.variance, 1.0, rtol=1e-12)


def test_forward_inverse_and_jacobian(x64):
    transform, x = fitted(ROWS), jnp.asarray(ROWS[0])
    mapped = transform.forward(x, key=jax.random.key(0))
    np.testing.assert_allclose(transform.inverse(mapped.value), x, rtol=1e-12)
    assert float(mapped.log_det) == pytest.approx(-np.log(transform.scale).sum())
    assert float(mapped.log_det) == pytest.approx(transform.log_det_bound(3))


@pytest.mark.parametrize("share", [0.4, 0.06, 0.015])
def test_a_column_of_mostly_one_value_has_the_spread_of_its_widest_part(share, x64):
    """Amounts that are mostly zero: their middle half, 90 % or 98 % is what varies."""
    draws = np.random.default_rng(1)
    amounts = np.where(draws.uniform(size=(2_000, 1)) < share, draws.normal(50, 9, (2_000, 1)), 0)
    scale = float(fitted(amounts.round(2)).scale[0])
    assert 3.0 < scale < 60.0


def test_a_constant_in_the_sample_keeps_a_scale(x64):
    rows = np.column_stack([ROWS[:, 0], np.full(4_000, 7.0)])
    transform = fitted(rows)
    assert float(transform.inverse(jnp.array([0.0, 99.0]))[1]) == 7.0
    assert np.isfinite(float(transform.log_det_bound(2)))


def test_one_scale_for_all_is_the_root_mean_square_of_theirs(x64):
    own, one = fitted(ROWS), fitted(ROWS, shared=True)
    np.testing.assert_allclose(one.scale, np.sqrt((own.scale**2).mean()), rtol=1e-9)


@pytest.mark.parametrize(
    ("settings", "robust", "shared"),
    [
        ({"one_unit": False}, False, False),
        ({"one_unit": False, "heavy_tailed": True}, True, False),
        ({"one_unit": True, "heavy_tailed": True}, False, True),
    ],
)
def test_auto_is_robust_for_heavy_tails_of_columns_in_units_of_their_own(settings, robust, shared):
    found = resolve("auto", **settings)
    assert isinstance(found, Standardize)
    assert (found.robust, found.shared) == (robust, shared)


def test_robust_is_a_name():
    assert resolve("robust", one_unit=False) == Standardize(robust=True)
    ppca = wp.PPCA(1, transform="robust").fit(ROWS)
    assert ppca.score(ROWS) == pytest.approx(
        wp.PPCA(1, transform="standardize").fit(ROWS).score(ROWS), abs=0.1
    )
