"""Delicate operations that observation families use."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import gammaln

from wellposed.numerics import bounded, invert, stirling_excess, whiten_low_rank


def test_bounded_is_the_identity_near_zero_and_never_reaches_its_limit():
    limit = jnp.asarray(3.0)
    assert float(jax.grad(bounded)(jnp.asarray(0.0), limit)) == 1.0
    assert float(bounded(jnp.asarray(-1e4), limit)) >= -3.0
    for raw in (0.5, 30.0, 1e4):
        assert float(jax.grad(bounded)(jnp.asarray(raw), limit)) > 0
    assert float(bounded(jnp.asarray(7.0), jnp.asarray(jnp.inf))) == 7.0


@pytest.mark.parametrize("ratio", [0.0, 1e-3, 0.7, 30.0, 1e4, 1e8])
def test_slopes_of_bounded_in_float32_are_those_in_closed_form(ratio):
    """By the product rule the slope is 1/u - 1/u, or rounding, from u = 4,000 on."""
    limit = np.float32(3.0)
    slopes = jax.jit(jax.grad(bounded, (0, 1)))(jnp.float32(ratio * limit), jnp.asarray(limit))
    np.testing.assert_allclose(slopes[0], (1 + ratio**2) ** -1.5, rtol=2e-6)
    np.testing.assert_allclose(slopes[1], (ratio / np.sqrt(1 + ratio**2)) ** 3, rtol=2e-6)


def test_inverted_undoes_an_increasing_function(x64):
    value = jnp.array([-0.9, 0.0, 0.3])
    np.testing.assert_allclose(invert(jnp.tanh, value, -5.0, 5.0), np.arctanh(value), atol=1e-14)
    np.testing.assert_allclose(invert(jnp.tanh, jnp.array([2.0]), -5.0, 5.0), 5.0)


def test_the_excess_is_the_definition(x64):
    x = np.concatenate([np.geomspace(1e-8, 15.9, 40), np.geomspace(16.01, 1e4, 40)])
    expected = gammaln(1 + x) - x * np.log(x) + x
    found = stirling_excess(jnp.asarray(x))
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)  # made of terms of size 8


@pytest.mark.parametrize("x", [0.0, 1e-45, 1e-38, 1e-30, 1e-19])
def test_the_excess_is_zero_at_zero_with_finite_gradients(x):
    value, gradient = jax.value_and_grad(stirling_excess)(jnp.float32(x))
    assert float(value) == pytest.approx(0.0, abs=1e-6)
    assert np.isfinite(gradient)


def test_the_excess_is_subadditive():
    a, b = jnp.meshgrid(jnp.geomspace(1e-3, 1e4, 50), jnp.geomspace(1e-3, 1e4, 50))
    assert (stirling_excess(a + b) <= stirling_excess(a) + stirling_excess(b) + 1e-5).all()


@pytest.mark.parametrize("rank", [1, 3, 7])
def test_whitening_is_that_of_the_dense_covariance(rank, x64):
    rng = np.random.default_rng(rank)
    factor, value = rng.normal(size=(rank, 5)), rng.normal(size=5)
    covariance = np.eye(5) + factor.T @ factor
    white, log_det = whiten_low_rank(jnp.asarray(value), jnp.asarray(factor))
    assert float(white @ white) == pytest.approx(value @ np.linalg.solve(covariance, value))
    assert float(log_det) == pytest.approx(np.linalg.slogdet(covariance)[1])


def test_whitening_survives_equal_and_huge_factors():
    factor = jnp.full((3, 6), 1e8)

    def log_density(factor, value):
        white, log_det = whiten_low_rank(value, factor)
        return -0.5 * (log_det + white @ white)

    value, gradients = jax.value_and_grad(log_density, argnums=(0, 1))(factor, jnp.ones(6))
    assert value <= 0
    for gradient in gradients:
        assert np.isfinite(gradient).all()
