"""Features that never vary: a constant, or by Laplace's rule an exception."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from once import over
from wellposed.noise.parts.constants import Constants, Exceptional
from wellposed.noise.parts.features import Features
from wellposed.transforms import Moments

N = 5
CASES = [(2, (0, 1)), (5, (0, 2, 4)), (None, (0, 1, 2, 7))]


@pytest.fixture(params=CASES, ids=["two levels", "five levels", "without end"])
def case(request, x64):
    """The density of several constants, and all values with their probabilities."""
    levels, constants = request.param
    p = Exceptional(jnp.asarray(constants, float), N, levels)
    values = np.arange(levels or 60)
    mass = over(lambda v: p.log_prob(jnp.full(len(constants), v)), jnp.asarray(values, float))
    return p, values, np.exp(np.asarray(mass))


def test_the_probabilities_are_laplaces_rule(case):
    p, values, mass = case
    for j, constant in enumerate(np.asarray(p.value)):
        others = np.delete(mass[:, j], int(constant))
        if p.levels is None:
            assert mass[int(constant), j] == pytest.approx((N + 1) / (N + 2), rel=1e-12)
            expected = 0.5 ** np.arange(1, len(values)) / (N + 2)
            np.testing.assert_allclose(others, expected, rtol=1e-12)
        else:
            assert mass[int(constant), j] == pytest.approx((N + 1) / (N + p.levels), rel=1e-12)
            np.testing.assert_allclose(others, 1 / (N + p.levels), rtol=1e-12)


def test_they_sum_to_one_and_the_moments_are_theirs(case):
    p, values, mass = case
    np.testing.assert_allclose(mass.sum(axis=0), 1.0, rtol=1e-12)
    mean = values @ mass
    np.testing.assert_allclose(p.mean, mean, rtol=1e-12)
    variance = np.einsum("vd,vd->d", (values[:, None] - mean) ** 2, mass)
    np.testing.assert_allclose(p.variance, variance, rtol=1e-10)


def test_the_cdf_is_their_sum_and_quantiles_undo_it(case):
    p, values, mass = case
    d = mass.shape[1]
    cdf = np.cumsum(mass, axis=0)
    ours = over(lambda v: p.cdf(jnp.full(d, v)), jnp.asarray(values, float))
    np.testing.assert_allclose(ours, cdf, rtol=1e-12)
    np.testing.assert_array_equal(p.cdf(jnp.full(d, -1.0)), 0.0)
    steps = cdf[:12]
    grid = np.linspace(1e-3, 0.999, 40)[:, None] + np.zeros(d)
    inside = np.concatenate([steps - 1e-9, steps + 1e-9, grid])
    inside = inside[((inside > 0) & (inside < 1 - 1e-9)).all(axis=1)]
    for q in inside:
        expected = [np.searchsorted(cdf[:, j], q[j]) for j in range(d)]
        np.testing.assert_array_equal(p.icdf(jnp.asarray(q)), expected)


def test_draws_follow_the_probabilities(case):
    p, values, mass = case
    drawn = np.asarray(p.sample(jax.random.key(0), (20_000,)))
    for j in range(mass.shape[1]):
        expected = 20_000 * mass[:, j]
        common = expected >= 5
        seen = np.bincount(drawn[:, j].astype(int), minlength=len(values))[: len(values)]
        assert seen.sum() == 20_000
        counts = np.append(seen[common], seen[~common].sum())
        shares = np.append(expected[common], expected[~common].sum())
        kept = shares > 0
        shares = shares[kept] * (counts.sum() / shares.sum())
        assert stats.chisquare(counts[kept], shares).pvalue > 1e-4


@pytest.mark.parametrize("levels", [2, 256, None])
def test_float32_stays_finite_and_certain_at_most(levels):
    """A constant seen sixty thousand times, at any value; also values far from it."""
    top = 1e5 if levels is None else levels - 1
    p = Exceptional(jnp.asarray([0.0, top // 2, top]), 60_000, levels)
    for v in (0.0, 1.0, top // 2, top):
        value = p.log_prob(jnp.full(3, v))
        assert np.isfinite(value).all()
        assert float(value.max()) <= 0.0
    assert np.isfinite(p.mean).all()
    with jax.enable_x64(True):
        exact = Exceptional(jnp.asarray(p.value, jnp.float64), 60_000, levels)
        np.testing.assert_allclose(p.mean, exact.mean, rtol=1e-6)
        np.testing.assert_allclose(p.variance, exact.variance, rtol=1e-4)
    for q in (0.0, 1e-7, 0.5, 1 - 6e-8, 1.0):
        assert np.isfinite(p.icdf(jnp.full(3, q))).all()
    common = p.sample(jax.random.key(0), (1000,))
    assert np.mean(np.asarray(common) == np.asarray(p.value)) > 0.98


def test_only_constants_are_replaced(x64):
    moments = Moments(
        mean=jnp.array([0.2, 3.0]),
        variance=jnp.array([0.1, 0.0]),
        resolution=jnp.ones(2),
        varies=jnp.array([True, False]),
        n=N,
    )
    from numpyro.distributions import Poisson

    each = Poisson(jnp.array([0.7, 0.7]))
    y = jnp.array([1.0, 3.0])
    np.testing.assert_array_equal(Features(each).feature_log_prob(y), each.log_prob(y))
    found = Features(each, Constants.of(moments).whole(None)).feature_log_prob(y)
    np.testing.assert_allclose(found[0], each.log_prob(y)[0])
    np.testing.assert_allclose(np.exp(found[1]), (N + 1) / (N + 2))


def test_nothing_is_constant_where_all_varies():
    moments = Moments(jnp.ones(2), jnp.ones(2), jnp.ones(2), jnp.array([True, True]))
    assert Constants.of(moments) is None
