"""log p(x, y) and log p(x) against a model whose densities are known."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from labelled.oracle import COVARIANCE, MEANS, C, D, draw, exact_model, log_density, log_joint, vae
from wellposed.estimators.few_labels import measures
from wellposed.latents import DiagonalNormal, StandardNormal
from wellposed.models import VAEModel
from wellposed.models.labelled import Classes, FirstStage, LabelledVAE
from wellposed.nn import Linear
from wellposed.noise import Gaussian
from wellposed.transforms import Identity

pytestmark = pytest.mark.usefixtures("x64")
X, _ = draw(6)


def test_importance_sampling_is_exact_for_classes_of_equal_covariance():
    found = measures.log_joint(
        exact_model(), X, np.arange(C, dtype=float), n_samples=16, key=jax.random.key(0)
    )
    np.testing.assert_allclose(found, log_joint(X), rtol=1e-9)
    np.testing.assert_allclose(logsumexp(found, axis=1), log_density(X), rtol=1e-9)


def test_probabilities_of_the_exact_model_are_those_of_the_joint_density():
    logits = measures.outputs(exact_model(), X, key=jax.random.key(0))
    exact = log_joint(X)
    found = logits - logsumexp(logits, axis=1, keepdims=True)
    np.testing.assert_allclose(found, exact - log_density(X)[:, None], atol=1e-9)


def test_latents_are_the_posterior_means_over_the_classes():
    model = exact_model()
    found = measures.latents(model, X, key=jax.random.key(0))
    q = np.exp(log_joint(X) - log_density(X)[:, None])
    means = [jax.vmap(model.at(jnp.asarray(float(c))).encode)(jnp.asarray(X)).loc for c in range(C)]
    np.testing.assert_allclose(found, np.einsum("nc,cnk->nk", q, np.array(means)), rtol=1e-9)


def test_draws_of_a_class_have_its_moments():
    labels = np.repeat([0.0, 2.0], 4_000)
    rows = measures.draws(exact_model(), labels, how="ancestral", alpha=1.0, key=jax.random.key(0))
    for c in (0, 2):
        own = rows[labels == c]
        np.testing.assert_allclose(own.mean(axis=0), MEANS[c], atol=0.2)
        np.testing.assert_allclose(np.cov(own.T), COVARIANCE, atol=0.3)


def test_two_stages_have_the_density_of_both():
    """x = W₁z₁ + noise, of whose three latents two are z₁ = W₂z₂ + m_y + noise: Gaussian given y.

    Latent 1 is left out, and has its prior. The encoders are the exact posteriors without y and
    without x, so that the weights vary; draws are many.
    """
    rng = np.random.default_rng(3)
    kept, first_weight = np.array([0, 2]), rng.normal(size=(3, D))
    second_weight, means = 0.5 * rng.normal(size=(1, 2)), rng.normal(size=(2, 2))
    wide = Linear(jnp.zeros((D, 6)), jnp.array([0.0] * 3 + [0.3] * 3))
    one = VAEModel(
        Identity(),
        StandardNormal(3),
        wide,
        DiagonalNormal(),
        Linear(jnp.asarray(first_weight), jnp.zeros(D)),
        Gaussian(1.0),
    )
    two = vae(
        Linear(jnp.zeros((4, 2)), jnp.array([0.0, 0.2])),
        Linear(jnp.asarray(np.concatenate([second_weight, means])), jnp.zeros(2)),
    )
    model = LabelledVAE(
        two,
        Linear(jnp.zeros((2, 2)), jnp.zeros(2)),
        Classes(jnp.zeros(2), learned=False),
        FirstStage(one, jnp.asarray(kept, jnp.int32)),
    )
    x = rng.normal(size=(2, D))
    found = measures.log_joint(model, x, np.arange(2.0), n_samples=30_000, key=jax.random.key(0))
    inner = np.eye(3)
    inner[np.ix_(kept, kept)] = second_weight.T @ second_weight + 0.3 * np.eye(2)
    covariance = first_weight.T @ inner @ first_weight + np.eye(D)
    for c in range(2):
        mean = np.zeros(3)
        mean[kept] = means[c]
        exact = multivariate_normal(mean @ first_weight, covariance).logpdf(x) - np.log(2)
        np.testing.assert_allclose(found[:, c], exact, atol=0.06)
