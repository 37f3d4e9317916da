"""log p(x) of a linear decoder, against scipy's multivariate normal."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import multivariate_normal

import wellposed as wp
from linear_gaussian import exact_model, in_two_layers, rows_of, with_bias
from textbook import textbook_vae
from wellposed import evaluation, noise

KEY = jax.random.key(0)


@pytest.mark.usefixtures("x64")
def test_it_is_the_density_of_a_multivariate_normal():
    model, density = exact_model(d=7, k=3)
    rows = rows_of(density, 50)
    found = evaluation.exact_log_likelihood(model, rows, key=KEY)
    np.testing.assert_allclose(found, density.logpdf(rows), rtol=1e-10)


@pytest.mark.usefixtures("x64")
def test_it_does_not_need_a_right_encoder_or_orthogonal_columns():
    model, _ = exact_model(d=6, k=2)
    rng = np.random.default_rng(0)
    weight, bias = rng.normal(size=(2, 6)), rng.normal(size=6)
    model = eqx.tree_at(
        lambda m: (m.decoder.weight, m.decoder.bias),
        with_bias(model, 1.0),
        (jnp.asarray(weight), jnp.asarray(bias)),
    )
    rows = rng.normal(size=(20, 6))
    exact = multivariate_normal(bias, weight.T @ weight + 0.3 * np.eye(6)).logpdf(rows)
    np.testing.assert_allclose(
        evaluation.exact_log_likelihood(model, rows, key=KEY), exact, rtol=1e-10
    )


def fitted(X, **settings) -> wp.VAE:
    settings = {"noise": "feature", "transform": "standardize", **settings}
    return textbook_vae(
        2, hidden=(), max_epochs=30, random_state=0, progress=False, patience=None, **settings
    ).fit(X)


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    return rng.normal(size=(300, 2)) @ rng.normal(size=(2, 4)) * 3 + rng.normal(size=(300, 4))


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_rescaled_data_lose_the_log_of_the_scale(table):
    """The Jacobian of the transform is in it; and importance sampling agrees."""
    one, ten = fitted(table), fitted(10 * table)
    exact = one.log_likelihood(table, method="exact")
    scaled = ten.score_samples(10 * table, method="exact")
    np.testing.assert_allclose(scaled, exact.value - 4 * np.log(10), atol=0.02)
    assert (exact.standard_error == 0).all()
    refined = one.log_likelihood(table, 200)
    np.testing.assert_allclose(refined.value, exact.value, atol=1e-4)
    sampled = one.log_likelihood(table, 2_000, "encoder")
    off = (sampled.value - exact.value) / sampled.standard_error
    assert np.mean(np.abs(off) < 3) > 0.97
    np.testing.assert_array_equal(one.score_samples(table, method="auto"), exact.value)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_features_that_never_vary_count_as_the_noise_has_them(table):
    constant = np.column_stack([table, np.full(300, 2.0)])
    vae = fitted(constant)
    exact = vae.log_likelihood(constant, method="exact").value
    sampled = vae.log_likelihood(constant, 2_000, "encoder")
    assert np.mean(np.abs(sampled.value - exact) < 3 * sampled.standard_error + 1e-3) > 0.97


def test_what_has_no_closed_form_is_refused():
    model, density = exact_model()
    assert evaluation.has_exact_log_likelihood(model)
    others = (
        in_two_layers(model),
        eqx.tree_at(lambda m: m.noise, model, noise.Gaussian("conditional")),
        eqx.tree_at(lambda m: m.noise, model, noise.StudentT()),
    )
    for other in others:
        assert not evaluation.has_exact_log_likelihood(other)
        with pytest.raises(wp.SettingError, match="affine"):
            evaluation.exact_log_likelihood(other, rows_of(density, 2), key=KEY)
