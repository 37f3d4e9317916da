"""Correlation of noise from draws, against the dense covariance of a causal Gaussian."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import wellposed as wp
from linear_gaussian import exact_model
from wellposed import evaluation
from wellposed.noise import CausalGaussian
from wellposed.transforms import Moments

D, N = 5, 8_000


def test_draws_show_the_correlation_that_the_noise_implies():
    model, _ = exact_model(d=D)
    ones = jnp.ones(D)
    moments = Moments(ones, ones, 0.1 * ones, jnp.ones(D, bool), n=10)
    noise = CausalGaussian(5, 1.0).initialise(moments)
    noise = eqx.tree_at(lambda n: n.weights, noise, jnp.array([0.5, 2.0]))
    model = eqx.tree_at(lambda m: m.noise, model, noise)
    p = model.decode(jnp.zeros(2))
    covariance = np.asarray(p.covariance())
    deviation = np.sqrt(np.diag(covariance))
    expected = covariance / np.outer(deviation, deviation)
    found = evaluation.noise_correlation(model, jnp.zeros(D), key=jax.random.key(0), n_draws=N)
    np.testing.assert_allclose(found, expected, atol=4 / np.sqrt(N))
    assert np.abs(expected - np.eye(D)).max() > 0.3


def test_independent_noise_has_none():
    model, _ = exact_model(d=D)
    found = evaluation.noise_correlation(model, jnp.zeros(D), key=jax.random.key(0), n_draws=N)
    np.testing.assert_allclose(found, np.eye(D), atol=4 / np.sqrt(N))


def test_one_draw_has_no_correlation():
    model, _ = exact_model(d=D)
    with pytest.raises(wp.SettingError, match="n_draws"):
        evaluation.noise_correlation(model, jnp.zeros(D), key=jax.random.key(0), n_draws=1)
