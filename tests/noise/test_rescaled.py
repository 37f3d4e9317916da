"""Noise made wider or narrower around its mean."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

import wellposed as wp
from once import once
from wellposed.noise import (
    Beta,
    CausalLogistic,
    Columns,
    Gaussian,
    LowRankGaussian,
    Poisson,
    Quantile,
    Rescaled,
)
from wellposed.transforms import Moments

SCALE = np.array([0.5, 1.0, 3.0])
RAW = jnp.array([0.3, -1.0, 2.0])


def moments() -> Moments:
    return Moments(jnp.zeros(3), jnp.ones(3), jnp.full(3, 0.1), jnp.ones(3, bool), n=50)


def test_a_rescaled_gaussian_is_a_gaussian(x64):
    y, raw = np.array([0.1, 0.4, -2.0]), jnp.array([0.3, -1.0, 2.0])
    p = Rescaled(Gaussian(0.25), SCALE)(raw)
    exact = norm.logpdf(y, np.asarray(raw), 0.5 * SCALE).sum()
    assert float(p.log_prob(jnp.asarray(y))) == pytest.approx(exact, rel=1e-12)
    np.testing.assert_allclose(p.variance, 0.25 * SCALE**2, rtol=1e-12)
    np.testing.assert_allclose(p.coupled(jnp.asarray(2.0)), raw + SCALE, rtol=1e-12)
    np.testing.assert_allclose(p.cdf(jnp.asarray(y)), norm.cdf(y, np.asarray(raw), 0.5 * SCALE))
    noise = Rescaled(Gaussian(0.25), SCALE)
    top = norm.logpdf(0, 0, 0.5 * SCALE).sum()
    assert noise.log_density_bound(3) == pytest.approx(top, rel=1e-12)
    np.testing.assert_allclose(noise.variance(), 0.25 * SCALE**2)


def test_a_skew_law_keeps_its_mean():
    """Not its middle quantile: residuals are taken from E[y | z]."""
    noise = Quantile((0.05, 0.3), "feature").initialise(moments())
    raw = jax.random.normal(jax.random.key(0), (noise.n_raw * 3,))
    p, q = noise(raw), Rescaled(noise, SCALE)(raw)
    drawn = jax.jit(lambda key: q.sample(key, (40_000,)))(jax.random.key(1))
    error = np.sqrt(np.asarray(q.variance) / 40_000)
    assert (np.abs(drawn.mean(axis=0) - p.mean) < 4 * error).all()
    np.testing.assert_allclose(q.variance, SCALE**2 * p.variance, rtol=1e-5)


def test_covariances_are_rescaled_on_both_sides(x64):
    noise = LowRankGaussian(1, 0.5)
    raw = jnp.concatenate([RAW, jnp.array([1.0, -0.5, 0.3])])
    factor = np.asarray(raw[3:])
    cov = SCALE[:, None] * (np.outer(factor, factor) + 0.5 * np.eye(3)) * SCALE
    y = np.array([0.1, 0.4, -2.0])
    found = Rescaled(noise, SCALE)(raw).log_prob(jnp.asarray(y))
    exact = multivariate_normal(np.asarray(RAW), cov).logpdf(y)
    assert float(found) == pytest.approx(exact, rel=1e-10)


def test_the_refit_maximises_the_likelihood_with_the_scale_kept(x64):
    """For every σ² tried, Σ_j r_j/s_j²σ² + log σ² is no less."""
    noise = Rescaled(Gaussian("shared", floor=0.0), SCALE).initialise(moments())
    squares = jnp.array([0.2, 0.9, 5.0])

    def loss(variance):
        return (np.asarray(squares) / variance + np.log(variance)).sum()

    best = np.asarray(noise.refit(squares).variance())
    assert all(loss(best) <= loss(best * share) for share in (0.8, 0.99, 1.01, 1.3))
    np.testing.assert_allclose(best / best[1], SCALE**2)


@pytest.mark.parametrize(
    ("noise", "words"),
    [
        (Beta(), r"Beta is on numbers in \[0, 1\]"),
        (Poisson(), "Poisson is on whole numbers"),
        (Columns(["shared", "bernoulli"]), "Columns is on each column"),
    ],
    ids=["beta", "poisson", "columns"],
)
def test_noise_off_the_line_is_refused(noise, words):
    with pytest.raises(wp.SettingError, match=words):
        Rescaled(noise, 1.0)


@pytest.mark.parametrize("scale", [0.0, -1.0, np.inf, np.nan, [1.0, 0.0], [[1.0]]])
def test_scales_are_positive(scale):
    with pytest.raises(wp.SettingError, match="a finite number > 0"):
        Rescaled(Gaussian(), scale)


def test_independence_is_that_of_the_parts():
    assert Rescaled(Gaussian(0.5), SCALE)(RAW).independent
    raw = jnp.zeros(6)
    assert not Rescaled(LowRankGaussian(1, 0.5), SCALE)(raw).independent
    assert not LowRankGaussian(1, 0.5)(raw).independent
    mixed = Columns(["shared", "bernoulli", "shared"]).initialise(moments())
    assert mixed(jnp.zeros(3)).independent
    causal = CausalLogistic(levels=4, window=3)
    image = Moments(
        jnp.ones(9), jnp.ones(9), jnp.ones(9), jnp.ones(9, bool), n=9, image_shape=(3, 3)
    )
    causal = causal.initialise(image, key=jax.random.key(0))
    assert not causal(jnp.zeros(causal.n_raw * 9)).independent


def test_features_have_their_own_densities(x64):
    """They add up to the joint one, in tables too."""
    mixed = Columns([Rescaled(Gaussian(0.5), 2.0), "bernoulli", "shared"]).initialise(
        Moments(jnp.array([3.0, 0.5, 1.0]), jnp.ones(3), jnp.full(3, 0.1), jnp.ones(3, bool), n=50)
    )
    y = jnp.array([2.0, 1.0, 0.3])
    found, joint = once(lambda p: (p.feature_log_prob(y), p.log_prob(y)), once(mixed, RAW))
    assert float(found.sum()) == pytest.approx(float(joint), rel=1e-12)
    assert float(found[0]) == pytest.approx(norm.logpdf(2.0, 3.3, 2 * np.sqrt(0.5)), rel=1e-6)
