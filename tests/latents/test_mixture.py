"""The mixture of Gaussians, against scipy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from once import over
from wellposed.latents import GaussianMixture
from wellposed.latents._triangular import invert_lower

WEIGHTS = np.array([0.5, 0.3, 0.2])


def mixture(k: int, m: int = 3):
    """A mixture, and its means and covariances."""
    rng = np.random.default_rng(k)
    means = 2 * rng.normal(size=(m, k))
    factors = np.tril(rng.normal(size=(m, k, k)))
    factors[:, range(k), range(k)] = rng.uniform(0.3, 1.5, size=(m, k))
    covariances = factors @ factors.transpose(0, 2, 1)
    arrays = (jnp.asarray(a) for a in (np.log(WEIGHTS[:m]), means, factors))
    return GaussianMixture(*arrays), means, covariances


@pytest.mark.parametrize("k", [1, 4])
def test_the_density_is_scipys(k, x64):
    prior, means, covariances = mixture(k)
    z = 3 * np.random.default_rng(0).normal(size=(50, k))
    terms = [
        np.log(w) + multivariate_normal(mean, covariance).logpdf(z)
        for w, mean, covariance in zip(WEIGHTS, means, covariances, strict=True)
    ]
    found = over(prior.log_prob, jnp.asarray(z))
    np.testing.assert_allclose(found, logsumexp(terms, axis=0), rtol=1e-12)


def test_the_density_integrates_to_one(x64):
    prior, _, _ = mixture(1)
    density = jax.jit(lambda t: jnp.exp(prior.log_prob(t[None])))
    mass, _ = quad(lambda t: float(density(jnp.asarray(t))), -30, 30, limit=200, points=[-3, 0, 3])
    assert mass == pytest.approx(1, abs=1e-8)


def test_draws_have_the_mixtures_moments(x64):
    prior, means, covariances = mixture(3)
    keys = jax.random.split(jax.random.key(0), 40_000)
    drawn = np.asarray(over(lambda key: prior.sample(key=key), keys))
    mean = WEIGHTS @ means
    centred = means - mean
    within = np.tensordot(WEIGHTS, covariances, 1)
    covariance = within + (WEIGHTS * centred.T) @ centred
    error = np.sqrt(np.diag(covariance) / len(drawn))
    assert (np.abs(drawn.mean(0) - mean) < 4.5 * error).all()
    scale = np.sqrt(np.outer(np.diag(covariance), np.diag(covariance)))
    assert (np.abs(np.cov(drawn.T) - covariance) < 8 / np.sqrt(len(drawn)) * scale).all()


def test_far_latents_have_a_finite_density_and_gradient():
    prior, _, _ = mixture(2)
    prior = jax.tree.map(lambda a: a.astype(jnp.float32), prior)
    value, slope = jax.jit(jax.value_and_grad(prior.log_prob))(jnp.full(2, 1e4, jnp.float32))
    assert np.isfinite(value)
    assert np.isfinite(slope).all()


@pytest.mark.parametrize("k", [1, 2, 5, 8, 33])
def test_inverses_of_triangular_matrices(k, x64):
    """Of any size and of scales that differ by 10⁶, with entries above the diagonal ignored."""
    rng = np.random.default_rng(k)
    full = rng.normal(size=(4, k, k)) / k
    full[:, range(k), range(k)] = 10.0 ** rng.uniform(-3, 3, size=(4, k))
    inverse, lower = np.asarray(invert_lower(jnp.asarray(full))), np.tril(full)
    # The residual of a backward stable inverse has this bound.
    bound = 1e-13 * np.abs(inverse) @ np.abs(lower)
    assert (np.abs(inverse @ lower - np.eye(k)) <= bound + 1e-15).all()
    assert (np.triu(inverse, 1) == 0).all()
