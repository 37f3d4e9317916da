"""Prior and posterior."""

import jax
import jax.numpy as jnp
import numpy as np
from scipy.stats import norm

from once import over
from wellposed.latents import DiagonalNormal, StandardNormal


def test_a_posterior_can_be_certain_or_the_prior_itself():
    q = DiagonalNormal()(jnp.array([0.0, 0.0, 0.0, -12.0]))
    assert float(q.scale[0]) == 1.0
    assert float(q.scale[1]) < 1e-4
    assert float(StandardNormal(2).kl(q)[0]) == 0.0


def test_prior_density_and_draws():
    prior = StandardNormal(3)
    z = jnp.array([0.1, -2.0, 0.5])
    np.testing.assert_allclose(prior.log_prob(z), norm.logpdf(z).sum(), rtol=1e-6)
    keys = jax.random.split(jax.random.key(0), 4_000)
    draws = over(lambda k: prior.sample(key=k), keys)
    np.testing.assert_allclose(np.cov(draws.T), np.eye(3), atol=0.08)
