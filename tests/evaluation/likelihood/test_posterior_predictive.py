"""The posterior predictive of a model that can be solved."""

import equinox as eqx
import jax
import numpy as np
import pytest
from scipy.stats import multivariate_normal

import wellposed as wp
from linear_gaussian import exact_model, rows_of
from wellposed import evaluation, transforms

KEY = jax.random.key(0)


def closed_form(model, row):
    """N(x* | W m + μ, W S Wᵀ + σ²I) for q = N(m, S)."""
    q = model.encode(row)
    weight, bias = np.asarray(model.decoder.weight), np.asarray(model.decoder.bias)
    mean = np.asarray(q.loc) @ weight + bias
    covariance = weight.T * np.asarray(q.scale) ** 2 @ weight + 0.3 * np.eye(len(row))
    return mean, covariance


@pytest.mark.usefixtures("x64")
def test_density_mean_and_variance_are_those_of_the_mixture():
    model, density = exact_model(spread=1.5)
    rows = rows_of(density, 20)
    n = 20_000
    found = evaluation.posterior_predictive(model, rows, key=KEY, n_samples=n)
    for i, row in enumerate(rows):
        mean, covariance = closed_form(model, row)
        exact = multivariate_normal(mean, covariance).logpdf(row)
        assert found.log_density[i] == pytest.approx(exact, abs=0.05)
        assert found.squared_error[i] == pytest.approx(((row - mean) ** 2).mean(), abs=0.03)
        assert found.variance[i] == pytest.approx(np.diag(covariance).mean(), rel=0.02)
    assert found.rmse == pytest.approx(np.sqrt(found.squared_error.mean()))
    bias = found.variance.mean() - found.rmse**2
    assert found.variance_bias == pytest.approx(bias)


def test_the_density_is_that_of_the_data_in_their_own_units():
    model, density = exact_model()
    rows = rows_of(density, 10).astype(np.float32)
    scaled = eqx.tree_at(lambda m: m.transform, model, divided_by(4.0))
    there = evaluation.posterior_predictive(scaled, 4 * rows, key=KEY, n_samples=2_000)
    here = evaluation.posterior_predictive(model, rows, key=KEY, n_samples=2_000)
    np.testing.assert_allclose(there.log_density, here.log_density - 5 * np.log(4.0), atol=0.2)


def divided_by(factor):
    """The transform that divides five features by a factor."""
    summary = transforms.summarise(np.array([[-factor] * 5, [factor] * 5], np.float32), None)
    return transforms.Standardize().fit(summary)


def test_a_row_has_its_value_whatever_comes_with_it_and_no_draws_are_refused():
    model, density = exact_model()
    rows = rows_of(density, 30).astype(np.float32)
    whole = evaluation.posterior_predictive(model, rows, key=KEY)
    few = evaluation.posterior_predictive(model, rows[::-1][:4], key=KEY)
    np.testing.assert_allclose(few.log_density, whole.log_density[::-1][:4], rtol=1e-5)
    with pytest.raises(wp.SettingError, match="n_samples"):
        evaluation.posterior_predictive(model, rows, key=KEY, n_samples=0)
