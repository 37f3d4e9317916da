"""Measures of a model whose prior is a mixture, against N(0, I) and closed forms."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from linear_gaussian import exact_model, rows_of
from once import over
from variants import slow_beside
from wellposed import evaluation, training
from wellposed.latents import GaussianMixture, StandardNormal
from wellposed.nn import Linear
from wellposed.numerics import inverse_positive

D, K, VARIANCE = 5, 2, 0.3
KEY = jax.random.key(0)


def pair(spread: float = 1.4):
    """One model twice: with N(0, I), and with a mixture of two equal components that is N(0, I)."""
    model, density = exact_model(D, K, VARIANCE, spread=spread)
    same = GaussianMixture(jnp.zeros(2), jnp.zeros((2, K)), jnp.stack([jnp.eye(K)] * 2))
    return model, dataclasses.replace(model, prior=same), density


def test_log_p_is_the_same_under_a_mixture_that_is_the_standard_normal(x64):
    plain, mixed, density = pair()
    rows = rows_of(density, 20)
    for measure in (
        lambda m: (
            evaluation.log_likelihood(m, rows, n_samples=50, key=KEY, proposal="encoder").value
        ),
        lambda m: evaluation.iwae(m, rows, n_importance=4, n_samples=8, key=KEY).value,
        lambda m: evaluation.rates(m, rows, key=KEY),
    ):
        np.testing.assert_allclose(measure(plain), measure(mixed), rtol=1e-9, atol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("start", slow_beside(["posterior", "prior"], ["prior"]))
def test_annealing_is_the_same_under_a_mixture_that_is_the_standard_normal(start, x64):
    plain, mixed, density = pair()
    one, other = (
        evaluation.ais(m, rows_of(density, 3), n_chains=4, n_steps=30, start=start, key=KEY)
        for m in (plain, mixed)
    )
    np.testing.assert_allclose(one.value, other.value, rtol=1e-4)


def test_the_rate_by_draws_is_the_closed_form_within_its_error(x64):
    plain, mixed, density = pair()
    rows = rows_of(density, 500)
    exact = evaluation.total_rates(plain, rows, key=KEY)
    for drawn in (
        evaluation.total_rates(mixed, rows, key=KEY),
        np.asarray(evaluation.elbo(mixed, rows, n_samples=16, key=KEY).kl),
        evaluation.codes(mixed, rows, key=KEY, most=500).rates,
    ):
        error = evaluation.Estimate.of(drawn - exact)
        assert 0 < abs(error.value) < 4 * error.standard_error
    both = [evaluation.rate_distortion(m, rows, key=KEY) for m in (plain, mixed)]
    assert both[0].distortion.value == pytest.approx(both[1].distortion.value, rel=1e-9)
    for i in range(2):
        plain_end, mixed_end = (found.mismatch[i].value for found in both)
        assert plain_end == pytest.approx(mixed_end, abs=0.05)


def test_gap_and_weight_are_the_same_under_a_mixture_that_is_the_standard_normal(x64):
    plain, mixed, density = pair()
    rows = rows_of(density, 200)
    one, other = (evaluation.implied_kl_weight(m, rows, key=KEY) for m in (plain, mixed))
    assert one.value == pytest.approx(other.value, abs=4 * other.standard_error + 0.02)
    few = rows[:8]
    one, other = (
        training.amortisation_gap(m, few, n_steps=20, n_samples=64, key=KEY) for m in (plain, mixed)
    )
    np.testing.assert_allclose(one.optimised, other.optimised, rtol=1e-5)


def mixture() -> GaussianMixture:
    """Two components, correlated and apart."""
    factors = np.array([[[0.7, 0], [0.3, 0.5]], [[0.4, 0], [-0.2, 0.9]]])
    means = jnp.array([[-1.5, 0.5], [1.0, -1.0]])
    return GaussianMixture(jnp.log(jnp.array([0.3, 0.7])), means, jnp.asarray(factors))


@pytest.mark.slow
def test_log_p_of_a_linear_decoder_is_that_of_a_mixture_of_gaussians(x64):
    model, _ = exact_model(D, K, VARIANCE, spread=1.2)
    model = dataclasses.replace(model, prior=mixture())
    rows = evaluation.samples(model, 40, how="ancestral", alpha=1.0, key=jax.random.key(3))
    truth = evaluation.exact_log_likelihood(model, rows, key=KEY)
    found = evaluation.log_likelihood(model, rows, n_samples=4_000, key=KEY)
    np.testing.assert_allclose(found.value, truth, atol=0.15)
    assert abs(np.mean(found.value - truth)) < 0.02
    annealed = evaluation.ais(model, rows[:4], n_chains=32, n_steps=200, key=KEY)
    np.testing.assert_allclose(annealed.value, truth[:4], atol=0.1)
    elbo = np.asarray(evaluation.elbo(model, rows, n_samples=64, key=KEY).elbo)
    assert (elbo < truth + 0.05).all()


def test_draws_of_data_are_those_of_the_mixture(x64):
    model, _ = exact_model(D, K, VARIANCE)
    model = dataclasses.replace(model, prior=mixture())
    rows = evaluation.samples(model, 4_096, how="ancestral", alpha=1.0, key=KEY)
    mean, deviation = (np.asarray(part) for part in model.prior.moments())
    expected = np.asarray(over(lambda z: model.decode(z).mean, jnp.asarray(mean)[None]))[0]
    np.testing.assert_allclose(rows.mean(axis=0), expected, atol=0.12)
    z = evaluation.draw_prior(model.prior, 4_096, key=KEY)
    np.testing.assert_allclose(z.mean(axis=0), mean, atol=0.08)
    np.testing.assert_allclose(z.std(axis=0), deviation, rtol=0.05)


def test_a_latent_that_nothing_uses_has_collapsed_under_any_prior(x64):
    """q(z_3 | x) = N(0.7, 0.4²) for all x, the marginal of the prior, and no column of W."""
    model, density = exact_model(D, K, VARIANCE)
    weight, bias = np.asarray(model.encoder.weight), np.asarray(model.encoder.bias)
    raw = float(inverse_positive(jnp.asarray(0.4)))
    encoder = Linear(
        jnp.asarray(np.insert(weight, [K, 2 * K], 0.0, axis=1)),
        jnp.asarray(np.insert(bias, [K, 2 * K], [0.7, raw])),
    )
    decoder = Linear(
        jnp.asarray(np.insert(np.asarray(model.decoder.weight), K, 0.0, axis=0)), model.decoder.bias
    )
    factors = np.zeros((2, 3, 3))
    factors[:, :2, :2] = np.asarray(mixture().cholesky)
    factors[:, 2, 2] = 0.4
    means = np.insert(np.asarray(mixture().means), K, 0.7, axis=1)
    prior = GaussianMixture(mixture().log_weights, jnp.asarray(means), jnp.asarray(factors))
    unused = dataclasses.replace(model, encoder=encoder, decoder=decoder, prior=prior)
    found = evaluation.measure_collapse(unused, rows_of(density, 50), key=KEY)
    assert found.collapsed.tolist() == [False, False, True]
    assert found.active_units.tolist() == [True, True, False]
    assert found.rates[2] == pytest.approx(0.0, abs=1e-6)
    # Under N(0, I) the same q, which depends on no x, has a rate.
    wrong = dataclasses.replace(unused, prior=StandardNormal(3))
    assert evaluation.rates(wrong, rows_of(density, 5), key=KEY)[:, 2].min() > 0.5


def test_active_units_are_in_units_of_the_prior(x64):
    model, density = exact_model(D, K, VARIANCE)
    wide = GaussianMixture(jnp.zeros(1), jnp.zeros((1, K)), 5.0 * jnp.eye(K)[None])
    wide = dataclasses.replace(model, prior=wide)
    rows = rows_of(density, 50)
    one, other = (evaluation.measure_collapse(m, rows, key=KEY) for m in (model, wide))
    np.testing.assert_allclose(other.mean_variance, one.mean_variance / 25)
