"""Causal Gaussian noise of data with missing entries, against marginals of the dense Gaussian."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import multivariate_normal

from once import once, over
from wellposed.noise import CausalGaussian
from wellposed.noise.missing import Observed
from wellposed.transforms import Moments

RNG = np.random.default_rng(0)
CASES = [((3, 6), "shared", ()), ((3, 3, 2), "feature", ()), (None, "conditional", (3, 7))]
D = 18


def made(shape, regression, constant):
    varies = ~np.isin(np.arange(D), constant)
    moments = Moments(
        np.linspace(-1, 1, D), 4.0 * varies, np.full(D, 0.1), varies, n=100, image_shape=shape
    )
    noise = CausalGaussian(3, "conditional", regression=regression).initialise(moments)
    if noise.weights is not None:
        weights = jnp.asarray(2 * RNG.normal(size=noise.weights.shape))
        noise = eqx.tree_at(lambda n: n.weights, noise, weights)
    return once(noise, jnp.asarray(RNG.normal(size=noise.n_raw * D)))


def masks(n=8):
    shares = RNG.random(size=(n, 1))
    return RNG.random(size=(n, D)) < shares


def conditional(mean, covariance, x, seen):
    across = covariance[np.ix_(~seen, seen)] @ np.linalg.inv(covariance[np.ix_(seen, seen)])
    rest = covariance[np.ix_(~seen, ~seen)] - across @ covariance[np.ix_(seen, ~seen)]
    return mean[~seen] + across @ (x[seen] - mean[seen]), rest


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize(("shape", "regression", "constant"), CASES, ids=str)
def test_the_density_and_the_conditional_mean_are_those_of_the_dense_gaussian(
    shape, regression, constant
):
    p = made(shape, regression, constant)
    observed, covariance = Observed(p, jnp.zeros(D)), np.asarray(once(p.covariance))
    mean, varies = np.asarray(p.mean), ~np.isin(np.arange(D), constant)
    x = np.asarray(once(p.sample, jax.random.key(1))) + 0.3
    find = jax.jit(lambda y: (observed.log_prob(y), observed.conditional_mean(y)))
    for seen in masks():
        found, filled = find(jnp.where(seen, x, jnp.nan))
        v = seen & varies
        expected = 0.0
        if v.any():
            expected += multivariate_normal(mean[v], covariance[np.ix_(v, v)]).logpdf(x[v])
        if constant:
            apart = np.asarray(p.constants.density.log_prob(jnp.asarray(x)))
            expected += apart[seen & ~varies].sum()
        assert float(found) == pytest.approx(expected, abs=1e-9)
        np.testing.assert_array_equal(np.asarray(filled)[seen], x[seen])
        inside = np.flatnonzero(varies)
        sub = np.ix_(inside, inside)
        exact, _ = conditional(mean[inside], covariance[sub], x[inside], seen[inside])
        np.testing.assert_allclose(np.asarray(filled)[~seen & varies], exact, atol=1e-9)


@pytest.mark.parametrize(("shape", "regression", "constant"), CASES, ids=str)
def test_nothing_missing_is_the_whole_density_and_all_missing_is_one(shape, regression, constant):
    p = made(shape, regression, constant)
    observed, x = Observed(p, p.mean), once(p.sample, jax.random.key(0))
    whole = float(once(p.log_prob, x))
    assert float(once(observed.log_prob, x)) == pytest.approx(whole, rel=1e-6)
    assert float(once(observed.log_prob, jnp.full(D, jnp.nan))) == pytest.approx(0.0, abs=1e-5)


@pytest.mark.usefixtures("x64")
def test_draws_of_missing_entries_have_the_conditional_covariance():
    p, n = made((3, 6), "shared", ()), 20_000
    covariance = np.asarray(once(p.covariance))
    seen = np.arange(D) % 3 > 0
    x = np.asarray(once(p.sample, jax.random.key(1)))
    exact, rest = conditional(np.asarray(p.mean), covariance, x, seen)
    observed, gappy = Observed(p, jnp.zeros(D)), jnp.where(seen, x, jnp.nan)
    keys = jax.random.split(jax.random.key(0), n)
    draws = np.asarray(over(lambda key: observed.complete(gappy, key=key), keys))
    np.testing.assert_array_equal(draws[:, seen], np.broadcast_to(x[seen], (n, seen.sum())))
    assert (np.abs(draws[:, ~seen].mean(0) - exact) < 5 * np.sqrt(np.diag(rest) / n)).all()
    spread = np.abs(np.cov(draws[:, ~seen], rowvar=False) - rest)
    assert (spread < 5 * np.sqrt(2 / n) * np.diag(rest).max()).all()


def test_gradients_are_finite_far_out_and_with_any_mask():
    noise = CausalGaussian(3, "conditional", regression="conditional").initialise(
        Moments(np.zeros(D), np.ones(D), np.full(D, 0.1), np.ones(D, bool), n=100)
    )

    def loss(raw, y):
        return Observed(noise(raw), jnp.zeros(D)).log_prob(y)

    raw = jnp.asarray(RNG.normal(size=noise.n_raw * D), jnp.float32)
    slope = jax.jit(jax.grad(loss))
    for seen in [*masks(3), np.zeros(D, bool)]:
        for size in (1.0, 1e12):
            y = jnp.where(seen, size, jnp.nan).astype(jnp.float32)
            assert np.isfinite(np.asarray(slope(size * raw, y))).all()
