"""A linear decoder under a mixture prior: three ways to log p(x) agree on 1,000 random models."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from linear_gaussian import exact_model
from wellposed import evaluation
from wellposed.latents import GaussianMixture
from wellposed.nn import Linear

KEY = jax.random.key(0)
D, M, N_MODELS = 3, 3, 500  # models of each number of latents


def parts(rng, k: int) -> dict[str, np.ndarray]:
    """Mixtures, decoders and rows near the models, one of each a model."""
    n = N_MODELS
    roots = np.tril(0.5 * rng.normal(size=(n, M, k, k)))
    roots[..., range(k), range(k)] = rng.uniform(0.4, 1.2, size=(n, M, k))
    found = {
        "log_weights": rng.normal(size=(n, M)),
        "means": 1.5 * rng.normal(size=(n, M, k)),
        "roots": roots,
        "weight": rng.normal(size=(n, k, D)),
        "bias": rng.normal(size=(n, D)),
    }
    return found | {"rows": found["bias"] + 2.0 * rng.normal(size=(n, D))}


def model_of(base, part):
    prior = GaussianMixture(part["log_weights"], part["means"], part["roots"])
    return dataclasses.replace(base, prior=prior, decoder=Linear(part["weight"], part["bias"]))


def by_quadrature(base, part, k: int):
    """The trapezoid rule, which is exact to rounding for what falls off at both ends."""
    axis = jnp.linspace(-14, 14, {1: 4_001, 2: 421}[k])
    z = jnp.stack(jnp.meshgrid(*[axis] * k, indexing="ij"), -1).reshape(-1, k)
    model = model_of(base, part)
    joint = jax.vmap(lambda z: model.decode(z).log_prob(part["rows"]) + model.prior.log_prob(z))(z)
    return jax.nn.logsumexp(joint) + k * jnp.log(axis[1] - axis[0])


@pytest.mark.slow
@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("k", [1, 2])
def test_closed_form_refined_importance_and_quadrature_agree(k):
    drawn = {name: jnp.asarray(v) for name, v in parts(np.random.default_rng(k), k).items()}
    base, _ = exact_model(D, k, variance=0.5)
    quadrature = jax.jit(lambda some: jax.lax.map(lambda part: by_quadrature(base, part, k), some))
    integral = np.asarray(quadrature(drawn))
    exact, refined = np.empty(N_MODELS), np.empty(N_MODELS)
    for i in range(N_MODELS):
        part = {name: value[i] for name, value in drawn.items()}
        model, row = model_of(base, part), np.asarray(part["rows"])[None]
        exact[i] = evaluation.exact_log_likelihood(model, row, key=KEY)[0]
        refined[i] = evaluation.log_likelihood(model, row, n_samples=16, key=KEY).value[0]
    np.testing.assert_allclose(exact, integral, rtol=0, atol=1e-8)
    np.testing.assert_allclose(refined, exact, rtol=0, atol=1e-8)
