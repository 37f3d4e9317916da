"""Bounds against a model whose log p(x) is known."""

import itertools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from linear_gaussian import exact_model, per_row, rows_of
from wellposed.latents import StandardNormal
from wellposed.nn import Linear
from wellposed.numerics import log_mean_exp
from wellposed.objectives import (
    ELBO,
    IWAE,
    BetaELBO,
    SquaredError,
    elbo_terms,
    log_weights,
    resolve,
)
from wellposed.transforms import Standardize

pytestmark = pytest.mark.usefixtures("x64")


def test_an_exact_posterior_makes_every_weight_the_exact_log_density():
    model, density = exact_model()
    rows = rows_of(density, 20)

    def weights(x, key):
        return sum(log_weights(model, x, model.encode(x), n_samples=7, key=key))

    exact = density.logpdf(rows)
    np.testing.assert_allclose(
        per_row(weights, rows), np.repeat(exact[:, None], 7, axis=1), rtol=1e-10
    )


def test_the_elbo_of_an_exact_posterior_is_log_p_on_average():
    model, density = exact_model()
    rows = rows_of(density, 4_000)
    terms = per_row(lambda x, key: elbo_terms(model, x, key=key), rows)
    gap = terms.elbo - density.logpdf(rows)
    assert abs(gap.mean()) < 4 * gap.std() / np.sqrt(len(rows))


@pytest.mark.parametrize("spread", [0.8, pytest.param(1.5, marks=pytest.mark.slow)])
def test_elbo_below_iwae_below_log_p(spread):
    """K differs from any other size, so that no axis can be confused with another.

    Below a spread of √½ the weights have no variance, and no K would come close.
    """
    model, density = exact_model(spread=spread)
    rows = rows_of(density, 3_000)
    values = [
        per_row(lambda x, key, f=f: f(model, x, key=key).value, rows)
        for f in (ELBO(), IWAE(3), IWAE(11), IWAE(200))
    ]
    for lower, higher in itertools.pairwise(values[:3]):
        gain = higher - lower
        assert float(gain.mean()) > 2 * float(gain.std()) / np.sqrt(len(rows))
    shortfall = density.logpdf(rows) - values[2]
    assert float(shortfall.mean()) > 2 * float(shortfall.std()) / np.sqrt(len(rows))
    assert float(values[3].mean()) == pytest.approx(density.logpdf(rows).mean(), abs=0.02)


def test_the_gap_of_the_elbo_is_the_kl_from_q_to_the_posterior():
    """log p − ELBO = Σ_i ½(s² − 1 − log s²) where q's scale is s times the posterior's."""
    spread, k = 1.5, 2
    model, density = exact_model(spread=spread, k=k)
    rows = rows_of(density, 20_000)
    gap = density.logpdf(rows) - per_row(lambda x, key: elbo_terms(model, x, key=key).elbo, rows)
    expected = k * 0.5 * (spread**2 - 1 - np.log(spread**2))
    error = float(gap.std()) / np.sqrt(len(rows))
    assert float(gap.mean()) == pytest.approx(expected, abs=4 * error)


def test_better_draws_get_larger_weights():
    """d IWAE / d log w_s is the normalised weight: largest for the best draw."""
    model, density = exact_model(spread=3.0)
    x = jnp.asarray(rows_of(density, 2)[0])
    likelihood, ratio = log_weights(model, x, model.encode(x), n_samples=9, key=jax.random.key(0))
    share = jax.jit(jax.grad(log_mean_exp))(likelihood + ratio)
    np.testing.assert_allclose(share.sum(), 1.0)
    assert np.argmax(share) == np.argmax(likelihood + ratio)


def test_iwae_of_one_draw_is_the_elbo_with_a_sampled_kl():
    model, density = exact_model(spread=1.4)
    rows = rows_of(density, 20_000)
    one = per_row(lambda x, key: IWAE(1)(model, x, key=key).value, rows)
    elbo = per_row(lambda x, key: elbo_terms(model, x, key=key).elbo, rows, seed=5)
    error = (one.std() + elbo.std()) / np.sqrt(len(rows))
    assert abs(one.mean() - elbo.mean()) < 4 * error


def test_beta_weighs_the_rate_and_nothing_else():
    model, density = exact_model()
    x, key = jnp.asarray(rows_of(density, 2)[0]), jax.random.key(3)
    terms = elbo_terms(model, x, key=key)
    for beta in (0.0, 0.5, 4.0):
        value = BetaELBO(beta)(model, x, key=key).value
        np.testing.assert_allclose(value, terms.log_likelihood - beta * terms.kl, rtol=1e-12)
    np.testing.assert_allclose(BetaELBO(1.0)(model, x, key=key).value, terms.elbo, rtol=1e-12)


@pytest.mark.parametrize(
    ("objective", "weight"),
    [(ELBO(), 1.0), (BetaELBO(4.0), 4.0), (SquaredError(3.0), 3.0), (IWAE(1), 1.0)],
    ids=str,
)
def test_annealing_weighs_the_rate_and_nothing_else(objective, weight):
    """One draw of the importance-weighted bound has log q − log p, whose mean is the KL."""
    model, density = exact_model(spread=1.2)
    rows = rows_of(density, 4_000)

    def lost(x, key):
        full, eased = (objective(model, x, key=key, annealing=a) for a in (1.0, 0.25))
        return (eased.value - full.value) / 0.75, full.terms.kl

    price, kl = per_row(lost, rows)
    if isinstance(objective, IWAE):
        error = float((price - kl).std()) / np.sqrt(len(rows))
        assert float(price.mean()) == pytest.approx(float(kl.mean()), abs=4 * error)
    else:
        np.testing.assert_allclose(price, weight * kl, rtol=1e-9)


@pytest.mark.parametrize("objective", [ELBO(), IWAE(3), SquaredError(1.0)], ids=str)
def test_the_jacobian_of_the_transform_is_in_every_density(objective):
    """The same model in other units: every log density moves by −Σ log s, no squared error."""
    model, density = exact_model()
    y, key = jnp.asarray(rows_of(density, 2)[0]), jax.random.key(3)
    m, s = jnp.arange(5.0), jnp.array([0.1, 3.0, 7.0, 0.5, 20.0])
    transform = eqx.tree_at(
        lambda t: (t.mean, t.scale, t.varies),
        Standardize(),
        (m, s, jnp.ones(5, bool)),
        is_leaf=lambda leaf: leaf is None,
    )
    plain = objective(model, y, key=key)
    moved = objective(eqx.tree_at(lambda v: v.transform, model, transform), m + s * y, key=key)
    shift = -np.log(s).sum()
    at_stake = 0.0 if isinstance(objective, SquaredError) else shift
    np.testing.assert_allclose(moved.value, plain.value + at_stake, rtol=1e-9)
    np.testing.assert_allclose(
        moved.terms.log_likelihood, plain.terms.log_likelihood + shift, rtol=1e-9
    )
    np.testing.assert_allclose(moved.terms.kl, model.prior.kl(model.encode(y)).sum(), rtol=1e-9)


def test_settings_reach_the_objective_they_name():
    assert isinstance(resolve("elbo", beta=1.0, n_importance=5), ELBO)
    assert float(resolve("elbo", beta=3.0, n_importance=5).beta) == 3.0
    assert float(resolve("squared_error", beta=3.0, n_importance=5).kl_weight) == 3.0
    assert resolve("iwae", beta=1.0, n_importance=5).n_importance == 5


@pytest.mark.parametrize("n_importance", [1, 2, 5])
def test_the_number_of_draws_asked_for_is_the_number_used(n_importance):
    """Where q is the prior, the mean of K weights p(x | z) varies by 1/K of what one does."""
    model, density = exact_model(k=1)
    model = eqx.tree_at(lambda m: m.encoder, model, jax.tree.map(jnp.zeros_like, model.encoder))
    rows = np.tile(density.mean, (20_000, 1))

    def variance(k, seed):
        value = per_row(lambda x, key: IWAE(k)(model, x, key=key).value, rows, seed=seed)
        return float(jnp.exp(value - value.max()).var()), float(value.max())

    (one, top), (many, other_top) = variance(1, 2), variance(n_importance, 3)
    ratio = one / many * np.exp(2 * (top - other_top))
    assert ratio == pytest.approx(n_importance, rel=0.1)


def test_squared_error_has_the_gradient_of_the_elbo_at_the_variance_it_states():
    weight = 0.8
    objective = SquaredError(weight)
    variance = float(objective.implied_noise_variance())
    model, density = exact_model(variance=variance)
    x, key = jnp.asarray(rows_of(density, 2)[0]), jax.random.key(3)

    def value(decoder, f):
        return f(eqx.tree_at(lambda m: m.decoder, model, decoder), x, key=key).value

    ours = eqx.filter_jit(jax.grad(value))(model.decoder, objective)
    elbo = eqx.filter_jit(jax.grad(value))(model.decoder, ELBO())
    for a, b in zip(jax.tree.leaves(ours), jax.tree.leaves(elbo), strict=True):
        np.testing.assert_allclose(a, 2 * variance * b, rtol=1e-9, atol=1e-12)


def test_the_kl_has_a_gradient_at_the_defaults():
    model, density = exact_model(spread=1.3)
    x, key = jnp.asarray(rows_of(density, 2)[0]), jax.random.key(3)

    def kl(encoder):
        return elbo_terms(eqx.tree_at(lambda m: m.encoder, model, encoder), x, key=key).kl

    gradient = jax.jit(jax.grad(kl))(model.encoder)
    assert np.abs(gradient.bias).min() > 1e-3


def doubled(model):
    """Two independent copies of a model side by side: twice the features and latents."""
    k, d = model.decoder.weight.shape
    twice = jax.tree.map(lambda a: a, model)
    zeros = jnp.zeros((k, d))
    decoder = Linear(
        jnp.block([[model.decoder.weight, zeros], [zeros, model.decoder.weight]]),
        jnp.tile(model.decoder.bias, 2),
    )
    mean, raw = model.encoder.weight[:, :k], model.encoder.weight[:, k:]
    empty = jnp.zeros((d, k))
    encoder = Linear(
        jnp.block([[mean, empty, raw, empty], [empty, mean, empty, raw]]),
        jnp.concatenate([jnp.tile(model.encoder.bias[:k], 2), jnp.tile(model.encoder.bias[k:], 2)]),
    )
    return eqx.tree_at(
        lambda m: (m.encoder, m.decoder, m.prior), twice, (encoder, decoder, StandardNormal(2 * k))
    )


def test_twice_the_features_and_latents_is_twice_the_value():
    """Sums over features and latents: means would leave the value as it was."""
    model, density = exact_model()
    x = jnp.asarray(rows_of(density, 2)[0])
    pair = jnp.tile(x, 2)
    single, double = model.encode(x), doubled(model).encode(pair)
    np.testing.assert_allclose(
        doubled(model).prior.kl(double).sum(), 2 * model.prior.kl(single).sum(), rtol=1e-12
    )
    one = model.decode(single.loc).log_prob(x)
    two = doubled(model).decode(double.loc).log_prob(pair)
    np.testing.assert_allclose(two, 2 * one, rtol=1e-12)


@pytest.mark.parametrize(
    ("objective", "words"),
    [
        (ELBO(), "the noise variance is the model's own"),
        (BetaELBO(4.0), "4 times the noise variance"),
        (BetaELBO(0.0), "autoencoder"),
        (IWAE(5), "the noise variance is the model's own"),
        (SquaredError(1.0), "fixed at 0.5"),
        (SquaredError(0.0), "autoencoder"),
    ],
)
def test_every_objective_states_the_noise_variance_it_implies(objective, words):
    assert words in str(objective)
