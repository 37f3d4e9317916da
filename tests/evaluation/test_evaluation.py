"""Measures of a model, against closed forms."""

import dataclasses

import jax
import numpy as np
import pytest

import wellposed as wp
from linear_gaussian import exact_model, rows_of
from variants import slow_beside
from wellposed import evaluation, models

KEY = jax.random.key(0)


@pytest.mark.parametrize("svd_solver", ["covariance_eigh", "full"])
def test_the_spectrum_is_that_of_the_covariance_with_one_over_n(svd_solver):
    rows = np.random.default_rng(0).normal(size=(300, 7)) @ np.diag([5, 4, 3, 2, 1, 0.5, 0.1])
    found = evaluation.spectrum(rows, evaluation.IDENTITY, svd_solver=svd_solver)
    exact = np.linalg.eigvalsh(np.cov(rows.T, bias=True))[::-1]
    np.testing.assert_allclose(found.eigenvalues, exact, rtol=1e-10)
    turned = (found.eigenvectors * exact) @ found.eigenvectors.T
    np.testing.assert_allclose(turned, np.cov(rows.T, bias=True), atol=1e-11)
    np.testing.assert_allclose(found.variances, rows.var(0), rtol=1e-11)
    assert (found.n_rows, found.complete) == (300, True)


def test_the_covariance_is_decomposed_where_it_is_the_smaller():
    rows = np.random.default_rng(0).normal(size=(40, 30))
    for some, chosen in (
        (rows, "covariance_eigh"),
        (rows[:30], "covariance_eigh"),
        (rows.T, "full"),
    ):
        auto = evaluation.spectrum(some, evaluation.IDENTITY)
        same = evaluation.spectrum(some, evaluation.IDENTITY, svd_solver=chosen)
        np.testing.assert_allclose(auto.eigenvalues, same.eigenvalues, rtol=1e-12, atol=1e-12)
        assert len(auto.eigenvalues) == 30
    with pytest.raises(wp.SettingError, match="svd_solver must be one of"):
        evaluation.spectrum(rows, evaluation.IDENTITY, svd_solver="lapack")


def test_ppca_maximises_the_likelihood_of_its_rows():
    rows = np.random.default_rng(0).normal(size=(200, 5)) * [3, 2, 1, 1, 1]
    found = models.optimum(evaluation.spectrum(rows, evaluation.IDENTITY), 2)
    best = found.model.log_density(rows).mean()
    assert found.log_likelihood == pytest.approx(best, rel=1e-12)
    for factor in (0.9, 1.1):
        for field in ("weight", "noise_variance", "mean"):
            other = {field: factor * getattr(found.model, field)}
            assert dataclasses.replace(found.model, **other).log_density(rows).mean() < best


def test_the_covariance_of_many_rows_is_summed_in_pieces():
    rows = np.random.default_rng(0).normal(size=(9_001, 3)).astype(np.float32)
    rows[5_000:] += 3  # the later pieces unlike the first
    found = evaluation.covariance(rows, evaluation.IDENTITY)
    wide = rows.astype(np.float64)
    np.testing.assert_allclose(found.matrix, np.cov(wide.T, bias=True), rtol=1e-12)
    np.testing.assert_allclose(found.mean, wide.mean(0), rtol=1e-12)
    assert found.n_rows == 9_001
    assert found.log_det == 0


def test_the_spectrum_in_model_units_has_the_jacobian():
    rows = np.random.default_rng(0).normal(size=(5_000, 3)) * [3, 2, 0.1] + 7
    with jax.enable_x64(True):
        fitted = wp.transforms.Standardize().fit(wp.transforms.summarise(rows))
    units = evaluation.ModelUnits(fitted, KEY)
    correlation = np.corrcoef(rows.T)
    for solver in ("covariance_eigh", "full"):
        found = evaluation.spectrum(rows, units, svd_solver=solver)
        exact = np.linalg.eigvalsh(correlation)[::-1]
        np.testing.assert_allclose(found.eigenvalues, exact, rtol=1e-8)
        assert found.log_det == pytest.approx(-np.log(rows.std(0)).sum(), rel=1e-9)
    values, log_det = units.whole(rows)
    np.testing.assert_allclose(values, (rows - rows.mean(0)) / rows.std(0), rtol=1e-7, atol=1e-9)
    assert log_det.shape == (5_000,)
    np.testing.assert_allclose(units.back(values), rows, rtol=1e-12)


def test_collapse_is_a_share_of_data_below_a_rate():
    rates = np.full((1_000, 3), 5.0)
    rates[:990, 0] = 0.001  # 99 % below: collapsed
    rates[:989, 1] = 0.001  # just short of it
    means = np.zeros((1_000, 3))
    found = evaluation.collapse(rates, means)
    assert found.collapsed.tolist() == [True, False, False]
    np.testing.assert_allclose(found.rates, rates.mean(axis=0))
    np.testing.assert_allclose(found.silent_share, [0.99, 0.989, 0.0])
    loose = evaluation.collapse(rates, means, delta=0.02)
    assert loose.collapsed.tolist() == [True, True, False]
    strict = evaluation.collapse(rates, means, epsilon=0.0001)
    assert strict.collapsed.tolist() == [False] * 3
    at = evaluation.collapse(rates, means, epsilon=0.001)
    assert at.collapsed.tolist() == [False] * 3  # below, not at, ε


def test_active_units_are_those_whose_posterior_mean_moves():
    """Burda et al. (2016): Var E[z|x] > 0.01, whatever the rate."""
    means = np.zeros((100, 4))
    means[:, 0] = np.resize([0.5, -0.5], 100) + 3  # variance 0.25 about a mean of 3
    means[:, 1] = np.resize([0.125, -0.125], 100)  # 0.0156
    means[:, 2] = np.resize([0.0625, -0.0625], 100)  # 0.0039
    found = evaluation.collapse(np.zeros((100, 4)), means)
    assert found.active_units.tolist() == [True, True, False, False]
    np.testing.assert_allclose(found.mean_variance, [0.25, 1 / 64, 1 / 256, 0])
    assert found.collapsed.all()  # the two verdicts need not agree
    at = evaluation.collapse(np.zeros((100, 4)), means, threshold=1 / 64)
    assert at.active_units.tolist() == [True, False, False, False]
    assert "4 of 4 latents have collapsed" in str(found)
    assert "below 0.01 nats on 99% of the data" in str(found)
    assert "2 of 4 are active units" in str(found)


def test_the_collapse_of_a_model_is_measured_on_its_rates_and_means():
    model, density = exact_model(variance=0.3)
    rows = rows_of(density, 500)
    found = evaluation.measure_collapse(model, rows, key=KEY, epsilon=1.0, threshold=0.9)
    rates = evaluation.rates(model, rows, key=KEY)
    means = evaluation.latent_means(model, rows, key=KEY)
    np.testing.assert_allclose(found.rates, rates.mean(0), rtol=1e-6)
    np.testing.assert_allclose(found.mean_variance, means.var(0), rtol=1e-5)
    assert (found.epsilon, found.threshold) == (1.0, 0.9)
    assert found.active_units.tolist() == (means.var(0) > 0.9).tolist()


def test_mean_rates_of_the_exact_model_are_half_log_lambda_over_sigma():
    """At the pPCA optimum the rate of a latent is ½ log(λ/σ²), averaged over data."""
    model, density = exact_model(variance=0.3)
    rows = rows_of(density, 30_000)
    eigenvalues = np.sort(np.linalg.eigvalsh(density.cov))[::-1][:2]
    found = evaluation.rates(model, rows, key=KEY).mean(axis=0)
    np.testing.assert_allclose(found, 0.5 * np.log(eigenvalues / 0.3), rtol=0.02)


def test_latents_and_reconstructions_are_those_of_ppca(x64):
    model, density = exact_model(variance=0.3)
    rows = rows_of(density, 50)
    loadings = np.asarray(model.decoder.weight).T
    posterior = (rows - density.mean) @ loadings / ((loadings**2).sum(0) + 0.3)
    np.testing.assert_allclose(evaluation.latent_means(model, rows, key=KEY), posterior, rtol=1e-9)
    expected = posterior @ loadings.T + density.mean
    np.testing.assert_allclose(
        evaluation.reconstructions(model, rows, key=KEY), expected, rtol=1e-9
    )
    np.testing.assert_allclose(
        evaluation.decode(model, posterior, how="mean", key=KEY), expected, rtol=1e-9
    )


@pytest.mark.parametrize("n_samples", slow_beside([1, 3, 200], [3]))
def test_the_elbo_is_an_average_over_the_draws_asked_for(n_samples):
    """Its scatter falls as one over the root of their number; its mean is log p."""
    model, density = exact_model()
    rows = rows_of(density, 2_000).astype(np.float32)
    exact = density.logpdf(rows)
    gap = evaluation.elbo(model, rows, n_samples=n_samples, key=KEY).elbo - exact
    assert abs(gap.mean()) < 4 * gap.std() / np.sqrt(len(rows)) + 1e-4
    one = evaluation.elbo(model, rows, n_samples=1, key=KEY).elbo - exact
    # Half of the scatter is of the analytic KL against log p at this row, and stays.
    many = evaluation.elbo(model, rows, n_samples=2_000, key=KEY).elbo - exact
    drawn = one.var() - many.var()
    assert gap.var() - many.var() == pytest.approx(drawn / n_samples, rel=0.25, abs=0.01 * drawn)


def test_the_mean_noise_variance_is_the_models_own_or_an_average():
    model, density = exact_model(variance=0.3)
    rows = rows_of(density, 10)
    assert float(evaluation.mean_noise_variance(model, rows, key=KEY)) == pytest.approx(0.3)


def test_an_estimate_is_the_mean_with_its_standard_error():
    values = np.random.default_rng(0).normal(3.0, 2.0, size=10_000).astype(np.float32)
    found = evaluation.Estimate.of(values)
    assert found.value == values.mean(dtype=np.float64)
    assert found.standard_error == pytest.approx(2.0 / 100, rel=0.05)
    assert np.isnan(evaluation.Estimate.of(values[:1]).standard_error)
