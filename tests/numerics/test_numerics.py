"""Delicate operations against plain ones in float64."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpyro.distributions import Normal, kl_divergence
from scipy.special import logsumexp

from once import over
from wellposed import numerics
from wellposed.evaluation._rows import content_key


def test_a_scalar_has_the_type_that_it_has_when_loaded(x64):
    """A weak type is compiled for anew, and gives way to another float in a sum."""
    assert not numerics.scalar(0.1).weak_type
    assert numerics.scalar(0.1).dtype == jnp.float64


def test_positive_maps_zero_to_one_and_is_undone(x64):
    raw = jnp.linspace(-20, 50, 201)
    assert float(numerics.positive(jnp.zeros(()))) == pytest.approx(1.0, abs=1e-15)
    np.testing.assert_allclose(
        numerics.inverse_positive(numerics.positive(raw)), raw, rtol=1e-9, atol=1e-9
    )


def test_positive_keeps_a_gradient_far_out_in_float32():
    gradient = over(jax.grad(numerics.positive), jnp.array([-60.0, 0.0, 1e4]))
    assert np.isfinite(gradient).all()
    assert (gradient > 0).all()


def test_log_mean_exp_of_weights_hundreds_of_nats_apart():
    log_w = jnp.array([-900.0, -1000.0, -2000.0])
    expected = logsumexp(np.asarray(log_w, np.float64)) - np.log(3)
    assert float(numerics.log_mean_exp(log_w)) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("scale", [1e-12, 1e-3, 0.3, 0.999, 1.0, 1.001, 2.0, 100.0])
def test_kl_agrees_with_the_library_of_densities(x64, scale):
    mean = jnp.array([0.0, 0.7, -3.0])
    ours = numerics.kl_to_standard_normal(mean, jnp.full(3, scale))
    theirs = kl_divergence(Normal(mean, scale), Normal(0.0, 1.0))
    np.testing.assert_allclose(ours, theirs, rtol=1e-8, atol=1e-12)


def test_kl_of_a_nearly_dead_latent_keeps_its_digits_in_float32():
    excess = 1e-4
    ours = float(numerics.kl_to_standard_normal(jnp.zeros(()), jnp.float32(1 + excess)))
    scale = float(jnp.float32(1 + excess))
    exact = 0.5 * (scale**2 - 1) - np.log(scale)
    assert ours == pytest.approx(exact, abs=2e-11)


def test_kl_has_a_finite_gradient_at_the_narrowest_posterior():
    gradient = jax.grad(lambda s: numerics.kl_to_standard_normal(jnp.zeros(()), s))
    assert np.isfinite(gradient(jnp.float32(1e-30)))
    assert np.isfinite(gradient(jnp.float32(1.0)))


def test_content_keys_depend_on_content_alone():
    key = jax.random.key(0)
    rows = jnp.asarray(np.random.default_rng(0).normal(size=(500, 7)), jnp.float32)
    keys = over(lambda x: jax.random.key_data(content_key(x, key)), rows)
    again = jax.random.key_data(content_key(rows[3], key))
    np.testing.assert_array_equal(keys[3], again)
    assert len({tuple(k) for k in np.asarray(keys).tolist()}) == 500
    swapped = jax.random.key_data(content_key(rows[3][::-1], key))
    assert not np.array_equal(swapped, again)
    zeros = [content_key(jnp.full(3, z), key) for z in (0.0, -0.0)]
    assert jax.random.key_data(zeros[0]).tolist() == jax.random.key_data(zeros[1]).tolist()


def test_padding_may_hold_anything():
    values = jnp.array([1.0, 3.0, jnp.inf, jnp.nan])
    assert float(numerics.weighted_mean(values, jnp.array([1.0, 1.0, 0.0, 0.0]))) == 2.0
