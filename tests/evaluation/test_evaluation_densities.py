"""Densities, rates and pPCA against closed forms."""

import jax
import numpy as np
import pytest
from scipy.stats import multivariate_normal
from sklearn.decomposition import PCA

import wellposed as wp
from linear_gaussian import rows_of, solved
from wellposed import evaluation
from wellposed.evaluation import _log_likelihood

KEY = jax.random.key(0)


@pytest.mark.parametrize("at_once", [4096, 64], ids=["one-block", "blocks"])
def test_standard_errors_cover_the_scatter_however_the_draws_are_cut(at_once, monkeypatch):
    """Blocks that shared their draws would scatter more than they say."""
    monkeypatch.setattr(_log_likelihood, "_WEIGHTS_AT_ONCE", at_once)
    model, density = solved(spread=1.5)
    rows = rows_of(density, 20).astype(np.float32)
    found = [
        evaluation.log_likelihood(model, rows, n_samples=400, key=jax.random.key(seed))
        for seed in range(60)
    ]
    scatter = np.std([f.value for f in found], axis=0).mean()
    stated = np.mean([f.standard_error for f in found])
    assert stated == pytest.approx(scatter, rel=0.2)


def test_one_draw_states_no_error():
    model, density = solved(spread=1.5)
    found = evaluation.log_likelihood(model, rows_of(density, 3), n_samples=1, key=KEY)
    assert np.isnan(found.standard_error).all()
    np.testing.assert_allclose(found.effective_sample_size, 1.0)
    with pytest.raises(wp.SettingError, match="n_samples"):
        evaluation.log_likelihood(model, rows_of(density, 3), n_samples=0, key=KEY)


def test_averaged_elbos_rest_on_draws_of_their_own():
    """Sixteen draws scatter a quarter as much as one; the KL is exact whatever their number."""
    model, density = solved()
    rows = rows_of(density, 200)
    one, many = (evaluation.elbo(model, rows, n_samples=s, key=KEY) for s in (1, 16))
    np.testing.assert_allclose(one.kl, many.kl, rtol=1e-6)
    exact = density.logpdf(rows)
    ratio = np.std(one.elbo - exact) / np.std(many.elbo - exact)
    assert ratio == pytest.approx(4.0, rel=0.2)


def test_the_rates_of_the_latents_sum_to_the_kl():
    model, density = solved()
    rows = rows_of(density, 30)
    found = evaluation.rates(model, rows, key=KEY)
    assert found.shape == (30, 2)
    kl = evaluation.elbo(model, rows, n_samples=1, key=KEY).kl
    np.testing.assert_allclose(found.sum(axis=1), kl, rtol=1e-5)


def test_a_latent_collapses_when_it_is_silent_on_almost_all_data():
    rates = np.zeros((200, 3))
    rates[:2, 1] = 1.0  # one in a hundred speaks: just allowed
    rates[:3, 2] = 1.0
    found = evaluation.collapse(rates)
    assert found.collapsed.tolist() == [True, True, False]
    np.testing.assert_allclose(found.rate, [0.0, 0.01, 0.015])


def test_ppca_is_the_density_it_states_and_the_most_likely_one():
    """Its covariance cannot be rescaled for the better: the mean squared distance is d."""
    rows = np.random.default_rng(0).normal(size=(80, 5)) @ np.diag([3.0, 2.0, 1.0, 0.5, 0.4]) + 7
    ppca = evaluation.fit_ppca(rows, 2)
    covariance = (ppca.eigenvectors * ppca.eigenvalues) @ ppca.eigenvectors.T
    exact = multivariate_normal(ppca.mean, covariance)
    np.testing.assert_allclose(ppca.log_density(rows), exact.logpdf(rows), rtol=1e-10)
    np.testing.assert_allclose(ppca.eigenvalues[:3], ppca.noise_variance)
    centred = rows - rows.mean(axis=0)
    distance = np.einsum("nd,de,ne->n", centred, np.linalg.inv(covariance), centred)
    assert distance.mean() == pytest.approx(5.0, rel=1e-10)
    # scikit-learn divides by n − 1, which is a little less likely.
    other = PCA(2).fit(rows)
    assert 0 < ppca.log_density(rows).mean() - other.score(rows) < 1e-3
    np.testing.assert_allclose(ppca.noise_variance, other.noise_variance_ * 79 / 80)


def test_ppca_without_variance_left_over_is_refused():
    with pytest.raises(wp.SettingError, match="variance left over"):
        evaluation.fit_ppca(np.random.default_rng(0).normal(size=(50, 3)), 3)
