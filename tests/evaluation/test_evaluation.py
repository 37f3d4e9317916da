"""What is said of a model, against scikit-learn and closed forms."""

import jax
import numpy as np
import pytest
from sklearn.decomposition import PCA

import wellposed as wp
from linear_gaussian import rows_of, solved
from wellposed import evaluation

KEY = jax.random.key(0)


@pytest.mark.parametrize("k", [1, 3, 6])
def test_ppca_is_scikit_learns(k):
    rows = np.random.default_rng(0).normal(size=(300, 7)) @ np.diag([5, 4, 3, 2, 1, 0.5, 0.1])
    ours = evaluation.fit_ppca(rows, k)
    # scikit-learn divides the covariance by n − 1; maximum likelihood divides by n.
    scale = np.sqrt(299 / 300)
    theirs = PCA(k).fit(rows * scale)
    assert ours.noise_variance == pytest.approx(theirs.noise_variance_, rel=1e-10)
    shifted = (rows - rows.mean(0)) + rows.mean(0) * scale
    np.testing.assert_allclose(
        ours.log_density(rows), theirs.score_samples(shifted), rtol=1e-9, atol=1e-9
    )


def test_ppca_maximises_the_likelihood_of_its_rows():
    rows = np.random.default_rng(0).normal(size=(200, 5)) * [3, 2, 1, 1, 1]
    best = evaluation.fit_ppca(rows, 2)
    for noise in (0.9, 1.1):
        spectrum = best.eigenvalues.copy()
        spectrum[:3] *= noise
        other = evaluation.PPCADensity(best.mean, spectrum, best.eigenvectors, 0.0)
        assert other.log_density(rows).mean() < best.log_density(rows).mean()


def test_ppca_without_noise_left_has_no_maximum():
    rows = np.random.default_rng(0).normal(size=(50, 4))
    with pytest.raises(wp.SettingError, match="fewer components"):
        evaluation.fit_ppca(rows, 4)


def test_collapse_is_a_share_of_data_below_a_rate():
    rates = np.full((1_000, 3), 5.0)
    rates[:990, 0] = 0.001  # 99 % below: collapsed
    rates[:989, 1] = 0.001  # just short of it
    found = evaluation.collapse(rates)
    assert found.collapsed.tolist() == [True, False, False]
    np.testing.assert_allclose(found.rate, rates.mean(axis=0))
    assert evaluation.collapse(rates, delta=0.02).collapsed.tolist() == [True, True, False]
    assert evaluation.collapse(rates, epsilon=0.0001).collapsed.tolist() == [False] * 3


def test_mean_rates_of_the_exact_model_are_half_log_lambda_over_sigma():
    """At the pPCA optimum the rate of a latent is ½ log(λ/σ²), averaged over data."""
    model, density = solved(variance=0.3)
    rows = rows_of(density, 30_000)
    eigenvalues = np.sort(np.linalg.eigvalsh(density.cov))[::-1][:2]
    found = evaluation.rates(model, rows, key=KEY).mean(axis=0)
    np.testing.assert_allclose(found, 0.5 * np.log(eigenvalues / 0.3), rtol=0.02)


def test_latents_and_reconstructions_are_those_of_ppca(x64):
    model, density = solved(variance=0.3)
    rows = rows_of(density, 50)
    loadings = np.asarray(model.decoder.weight).T
    posterior = (rows - density.mean) @ loadings / ((loadings**2).sum(0) + 0.3)
    np.testing.assert_allclose(evaluation.latent_means(model, rows, key=KEY), posterior, rtol=1e-9)
    expected = posterior @ loadings.T + density.mean
    np.testing.assert_allclose(
        evaluation.reconstructions(model, rows, key=KEY), expected, rtol=1e-9
    )
    np.testing.assert_allclose(
        evaluation.latent_means_to_data(model, posterior, key=KEY), expected, rtol=1e-9
    )


@pytest.mark.parametrize("n_samples", [1, 3, 200])
def test_the_elbo_is_an_average_over_the_draws_asked_for(n_samples):
    """Its scatter falls as one over the root of their number; its mean is log p."""
    model, density = solved()
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
    model, density = solved(variance=0.3)
    rows = rows_of(density, 10)
    assert float(evaluation.mean_noise_variance(model, rows, key=KEY)) == pytest.approx(0.3)
