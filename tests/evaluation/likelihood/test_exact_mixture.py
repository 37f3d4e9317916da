"""log p(x) of a linear decoder under a mixture of Gaussians as prior."""

import dataclasses
import itertools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

import wellposed as wp
from linear_gaussian import exact_model, in_two_layers
from once import over
from wellposed import evaluation
from wellposed.latents import GaussianMixture
from wellposed.nn import Linear, LinearSkip
from wellposed.noise import Gaussian

KEY = jax.random.key(0)
pytestmark = pytest.mark.usefixtures("x64")


def mixture(rng, m, k, spread=1.0):
    cholesky = np.tril(rng.normal(size=(m, k, k)) * spread)
    diagonal = np.arange(k)
    cholesky[:, diagonal, diagonal] = np.abs(cholesky[:, diagonal, diagonal]) + 0.2
    cholesky += np.triu(rng.normal(size=(m, k, k)), 1)  # which is not read
    parts = 3 * rng.normal(size=m), 2 * rng.normal(size=(m, k)), cholesky
    return GaussianMixture(*(jnp.asarray(part) for part in parts))


def random_model(rng, d, k, m):
    """Return a model with a mixture prior, and its W (d, k), b and σ²."""
    variance = float(np.exp(rng.normal(-1, 2)))
    model, _ = exact_model(d, min(d, k), variance)
    weight, bias = rng.normal(size=(k, d)), 5 * rng.normal(size=d)
    model = eqx.tree_at(
        lambda model: (model.decoder.weight, model.decoder.bias),
        model,
        (jnp.asarray(weight), jnp.asarray(bias)),
    )
    model = dataclasses.replace(model, prior=mixture(rng, m, k))
    return model, weight.T, bias, variance


def dense_log_density(rows, prior, weight, bias, covariance):
    """The mixture of dense Gaussians, component by component."""
    log_w = np.asarray(prior.log_weights) - logsumexp(np.asarray(prior.log_weights))
    joint = []
    for i, (mean, root) in enumerate(zip(prior.means, prior.cholesky, strict=True)):
        loadings = weight @ np.tril(root)
        component = multivariate_normal(
            bias + weight @ np.asarray(mean), loadings @ loadings.T + covariance
        )
        joint.append(log_w[i] + component.logpdf(rows))
    return logsumexp(joint, axis=0)


@pytest.mark.parametrize(
    ("d", "k", "m"),
    [
        (5, 2, 4),
        (2, 3, 2),
        *(
            pytest.param(*sizes, marks=pytest.mark.slow)
            for sizes in ((3, 1, 1), (4, 4, 3), (1, 1, 3))
        ),
    ],
)
def test_it_is_a_mixture_of_dense_gaussians(d, k, m):
    """Forty random models of each shape; rows near the model and rows far away."""
    rng = np.random.default_rng(d)
    for _ in range(40):
        model, weight, bias, variance = random_model(rng, d, k, m)
        rows = bias + rng.normal(size=(6, d)) * np.array([[1.0], [1], [3], [3], [10], [30]])
        dense = dense_log_density(rows, model.prior, weight, bias, variance * np.eye(d))
        exact = evaluation.exact_log_likelihood(model, rows, key=KEY)
        np.testing.assert_allclose(exact, dense, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize(("k", "n_models"), [(1, 5), (2, 2)])
def test_it_is_the_integral_over_latents(k, n_models):
    """The trapezoid rule is exact to rounding for what falls off at both ends."""
    rng = np.random.default_rng(k)
    grid = np.linspace(-16, 16, {1: 8_001, 2: 801}[k])
    z = np.array(list(itertools.product(grid, repeat=k)))
    log_cell = k * np.log(grid[1] - grid[0])
    for _ in range(n_models):
        model, weight, bias, _ = random_model(rng, 3, k, 3)
        model = eqx.tree_at(lambda m: m.noise, model, Gaussian(0.5))
        rows = bias + rng.normal(size=(3, 3)) * 2
        log_prior = np.asarray(over(model.prior.log_prob, jnp.asarray(z)))
        means = z @ weight.T + bias
        for x, value in zip(
            rows, evaluation.exact_log_likelihood(model, rows, key=KEY), strict=True
        ):
            log_noise = -0.5 * ((x - means) ** 2 / 0.5).sum(1) - 1.5 * np.log(2 * np.pi * 0.5)
            integral = logsumexp(log_prior + log_noise) + log_cell
            assert value == pytest.approx(integral, abs=1e-8)


def test_a_mixture_of_one_standard_normal_is_the_standard_normal():
    model, density = exact_model(d=6, k=3)
    one = GaussianMixture(jnp.zeros(1), jnp.zeros((1, 3)), jnp.eye(3)[None])
    rows = density.rvs(20, random_state=1)
    np.testing.assert_allclose(
        evaluation.exact_log_likelihood(dataclasses.replace(model, prior=one), rows, key=KEY),
        evaluation.exact_log_likelihood(model, rows, key=KEY),
        rtol=1e-12,
    )


def test_an_affine_network_beside_a_linear_map_is_affine():
    model, density = exact_model(d=5, k=2)
    rows = density.rvs(5, random_state=1)
    decoder = model.decoder
    skip = LinearSkip(decoder.weight, decoder.bias, Linear(jnp.ones((2, 5)), jnp.ones(5)))
    both = dataclasses.replace(model, decoder=skip)
    summed = dataclasses.replace(model, decoder=Linear(decoder.weight + 1, decoder.bias + 1))
    np.testing.assert_allclose(
        evaluation.exact_log_likelihood(both, rows, key=KEY),
        evaluation.exact_log_likelihood(summed, rows, key=KEY),
        rtol=1e-12,
    )
    deep = LinearSkip(decoder.weight, decoder.bias, in_two_layers(model).decoder)
    assert not evaluation.has_exact_log_likelihood(dataclasses.replace(model, decoder=deep))


def test_components_do_not_change_with_their_order_or_the_sum_of_weights():
    rng = np.random.default_rng(0)
    model, _, bias, _ = random_model(rng, 4, 2, 3)
    prior = model.prior
    other = GaussianMixture(prior.log_weights[::-1] + 7, prior.means[::-1], prior.cholesky[::-1])
    rows = bias + rng.normal(size=(5, 4))
    np.testing.assert_allclose(
        evaluation.exact_log_likelihood(model, rows, key=KEY),
        evaluation.exact_log_likelihood(dataclasses.replace(model, prior=other), rows, key=KEY),
        rtol=1e-12,
    )


def test_scores_take_it_by_default_and_another_prior_is_refused():
    rng = np.random.default_rng(0)
    model, _, bias, _ = random_model(rng, 4, 2, 3)
    rows = bias + rng.normal(size=(5, 4))
    assert evaluation.has_exact_log_likelihood(model)
    automatic = evaluation.estimate_log_likelihood(model, rows, key=KEY)
    exact = evaluation.exact_log_likelihood(model, rows, key=KEY)
    np.testing.assert_array_equal(automatic.value, exact)

    class Other(eqx.Module):
        k: int = 2

    other = eqx.tree_at(lambda m: m.prior, model, Other())
    assert not evaluation.has_exact_log_likelihood(other)
    with pytest.raises(wp.SettingError, match=r"mixture of Gaussians; got .* Other"):
        evaluation.exact_log_likelihood(other, rows, key=KEY)
