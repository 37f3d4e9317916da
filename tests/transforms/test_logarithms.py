"""Logarithms of amounts: bijections with the right Jacobian, bounded, never negative."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import wellposed as wp
from once import over
from textbook import textbook_vae
from wellposed.transforms import Log, Log1p, summarise

AMOUNTS = np.exp(np.random.default_rng(0).normal([0.0, 3.0, 8.0], [0.1, 1.0, 2.0], size=(300, 3)))
CASES = {
    "log": (Log(), AMOUNTS),
    "log1p": (Log1p(), AMOUNTS),
    "log1p-zeros": (Log1p(), np.where(AMOUNTS.mean(axis=0) < AMOUNTS, AMOUNTS, 0.0)),
}


@pytest.fixture(params=CASES.values(), ids=CASES)
def case(request, x64):
    transform, rows = request.param
    return transform.fit(summarise(rows)), rows


def forward(transform, x):
    return transform.forward(jnp.asarray(x), key=jax.random.key(0))


def test_inverse_returns_the_datum(case):
    transform, rows = case
    y = over(lambda x: forward(transform, x).value, rows)
    np.testing.assert_allclose(over(transform.inverse, y), rows, rtol=1e-12, atol=1e-12)


def test_log_det_is_that_of_the_jacobian_and_below_its_bound(case):
    transform, rows = case
    bound = transform.log_det_bound(3)
    for x in rows[:5]:
        jacobian = jax.jacobian(lambda v: forward(transform, v).value)(jnp.asarray(x))
        found = float(forward(transform, x).log_det)
        assert found == pytest.approx(np.linalg.slogdet(jacobian)[1], rel=1e-10)
    for x in (*rows, np.full(3, 1e-12), np.full(3, 1e-300)):
        assert float(forward(transform, x).log_det) <= bound + 1e-9


def test_moments_and_resolution_are_those_in_model_units(case):
    transform, rows = case
    summary = summarise(rows)
    moments = transform.moments(summary, key=jax.random.key(0))
    y = np.asarray(over(lambda x: forward(transform, x).value, rows))
    np.testing.assert_allclose(moments.variance, y.var(axis=0), rtol=1e-9)
    np.testing.assert_allclose(y.mean(axis=0), 0.0, atol=1e-9)
    step = (
        forward(transform, summary.high).value
        - forward(transform, summary.high - summary.resolution).value
    )
    np.testing.assert_allclose(moments.resolution, step, rtol=1e-5)


def test_whatever_the_decoder_puts_out_a_draw_is_no_negative_number():
    for transform in (Log().fit(summarise(AMOUNTS)), Log1p().fit(summarise(AMOUNTS))):
        for y in (-1e6, -50.0, 0.0, 50.0, 1e6):
            x = np.asarray(transform.inverse(jnp.full(3, y)))
            assert np.isfinite(x).all()
            assert (x > 0 if isinstance(transform, Log) else x >= 0).all()


def test_another_unit_changes_the_density_by_its_jacobian_alone(x64):
    """The same y, and log |det| lower by d log c."""
    one = forward(Log().fit(summarise(AMOUNTS)), AMOUNTS[0])
    other = forward(Log().fit(summarise(1e3 * AMOUNTS)), 1e3 * AMOUNTS[0])
    np.testing.assert_allclose(other.value, one.value, rtol=1e-10)
    assert float(other.log_det) == pytest.approx(float(one.log_det) - 3 * np.log(1e3), rel=1e-10)


def test_a_constant_feature_comes_back_as_its_constant():
    rows = AMOUNTS.copy()
    rows[:, 1] = 7.0
    for kind in (Log, Log1p):
        back = kind().fit(summarise(rows)).inverse(jnp.array([0.0, 99.0, 0.0]))
        assert float(back[1]) == pytest.approx(7.0, rel=1e-6)


def test_data_off_the_domain_are_refused_with_what_fits():
    zeros = AMOUNTS.copy()
    zeros[5, 2] = 0.0
    with pytest.raises(wp.DataError, match=r"features 2 are not.*log1p"):
        textbook_vae(1, transform="log").fit(zeros)
    with pytest.raises(wp.DataError, match="standardize"):
        wp.PPCA(1, transform="log1p").fit(AMOUNTS - 5.0)
    fitted = Log().fit(summarise(AMOUNTS))
    assert np.isfinite(float(forward(fitted, np.zeros(3)).log_det))


def test_ppca_of_logarithms_is_the_log_normal():
    """log p of the amounts is that of their logarithms less the Jacobian, in closed form."""
    logs = np.log(AMOUNTS)
    scale = logs.std(axis=0)
    by_hand = wp.PPCA(1).fit(logs / scale).score_samples(logs / scale)
    expected = by_hand - np.log(scale).sum() - logs.sum(axis=1)
    found = wp.PPCA(1, transform="log").fit(AMOUNTS).score_samples(AMOUNTS)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
