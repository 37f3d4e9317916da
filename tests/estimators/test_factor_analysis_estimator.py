"""FactorAnalysis as its users meet it; the solver is tested in tests/models."""

import warnings

import numpy as np
import pytest
from scipy.stats import multivariate_normal
from sklearn.datasets import load_wine
from sklearn.decomposition import FactorAnalysis

import wellposed as wp
from wellposed.training import Outcome

RNG = np.random.default_rng(0)
LOADINGS = RNG.normal(size=(2, 7))
X = RNG.normal(size=(400, 2)) @ LOADINGS + RNG.normal(size=(400, 7)) * np.linspace(0.7, 3, 7)
X += [1.0, -2.0, 3.0, 0.0, 5.0, 1.0, 1.0]


def dense(fitted):
    w = fitted.components_.T
    return multivariate_normal(fitted.mean_, w @ w.T + np.diag(fitted.noise_variance_))


def test_scores_are_the_density_of_its_gaussian():
    fitted = wp.FactorAnalysis(2).fit(X)
    np.testing.assert_allclose(fitted.score_samples(X + 1), dense(fitted).logpdf(X + 1), rtol=1e-10)
    assert fitted.log_likelihood_ == pytest.approx(fitted.score(X), rel=1e-11)
    assert fitted.history_["objective"][-1] == pytest.approx(fitted.log_likelihood_, rel=1e-12)
    assert fitted.outcome_ is Outcome.converged
    assert fitted.noise_variance_.shape == (7,)
    assert fitted.components_.shape == (2, 7)


@pytest.mark.filterwarnings("ignore::wellposed.FloorWarning")
def test_a_real_table_is_at_least_as_likely_as_by_scikit_learn():
    rows = load_wine().data
    ours = wp.FactorAnalysis(3).fit(rows)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = FactorAnalysis(3, svd_method="lapack", max_iter=2_000, tol=1e-6).fit(rows)
    assert ours.log_likelihood_ > theirs.score(rows) - 1e-6
    assert ours.log_likelihood_ > wp.PPCA(3).fit(rows).log_likelihood_ + 2


def test_units_of_features_do_not_matter():
    scale = np.array([1e-4, 1, 10, 1e5, 1, 1, 1])
    plain, scaled = wp.FactorAnalysis(2).fit(X), wp.FactorAnalysis(2).fit(X * scale)
    change = scaled.score_samples(X * scale) - plain.score_samples(X)
    np.testing.assert_allclose(change, -np.log(scale).sum(), atol=1e-4)
    standard = wp.FactorAnalysis(2, transform="standardize").fit(X)
    np.testing.assert_allclose(standard.score_samples(X), plain.score_samples(X), atol=1e-4)
    np.testing.assert_allclose(standard.reconstruct(X), plain.reconstruct(X), atol=1e-3)


def test_latents_are_posterior_means_with_the_rates_of_their_gaussians():
    fitted = wp.FactorAnalysis(2).fit(X)
    w, psi = fitted.components_.T, fitted.noise_variance_
    precision = np.eye(2) + w.T @ (w / psi[:, None])
    np.testing.assert_allclose(precision, np.diag(np.diag(precision)), atol=1e-8 * precision.max())
    means = (X - fitted.mean_) / psi @ w @ np.linalg.inv(precision)
    np.testing.assert_allclose(fitted.transform(X), means, atol=1e-9)
    np.testing.assert_allclose(fitted.reconstruct(X), means @ w.T + fitted.mean_, atol=1e-9)
    rates = fitted.collapse(X).rates
    expected = 0.5 * (1 / np.diag(precision) + np.log(np.diag(precision)) - 1)
    np.testing.assert_allclose(rates, expected + 0.5 * (means**2).mean(0), rtol=1e-9)


def test_draws_have_the_moments_of_the_model():
    fitted = wp.FactorAnalysis(2).fit(X)
    draws = fitted.sample(40_000, random_state=1)
    np.testing.assert_allclose(draws.mean(0), fitted.mean_, atol=0.1)
    np.testing.assert_allclose(np.cov(draws.T), dense(fitted).cov, atol=0.4)
    mean, coupled = (fitted.sample(5, how, random_state=1) for how in ("mean", "coupled"))
    np.testing.assert_allclose(coupled - mean, np.tile(np.sqrt(fitted.noise_variance_), (5, 1)))


def test_a_saved_model_is_the_same(tmp_path):
    fitted = wp.FactorAnalysis(2, transform="standardize").fit(X)
    fitted.save(tmp_path / "model.wp")
    again = wp.load(tmp_path / "model.wp")
    assert type(again) is wp.FactorAnalysis
    np.testing.assert_array_equal(again.score_samples(X), fitted.score_samples(X))
    np.testing.assert_array_equal(again.sample(5, random_state=0), fitted.sample(5, random_state=0))
    np.testing.assert_array_equal(again.collapse(X).rates, fitted.collapse(X).rates)


def test_copies_and_constants_are_at_their_floor_and_named():
    with pytest.warns(wp.FloorWarning, match=r"features \(.*7.*\) is at its floor"):
        copied = wp.FactorAnalysis(2, resolution=1e-3).fit(np.c_[X, X[:, 0]])
    assert copied.noise_variance_[7] == pytest.approx(1e-6 / 12)
    with pytest.warns(wp.ConstantFeatureWarning, match=r"\(7\)\. Each has its σ at the floor"):
        constant = wp.FactorAnalysis(2).fit(np.c_[X, np.full(400, 0.1)])
    np.testing.assert_array_equal(constant.components_[:, 7], 0)
    for rows in (np.c_[X, X[:, 0]], np.c_[X, np.full(400, 0.1)]):
        with pytest.raises(wp.UnboundedLikelihoodError, match="`resolution`"):
            wp.FactorAnalysis(2, resolution=0).fit(rows)


def test_features_that_do_not_correlate_leave_no_latent():
    one = RNG.normal(size=(50, 1))
    with pytest.warns(wp.TrainingWarning, match="features do not correlate"):
        fitted = wp.FactorAnalysis(1).fit(one)
    exact = multivariate_normal(one.mean(), one.var()).logpdf(one[:, 0])
    np.testing.assert_allclose(fitted.score_samples(one), exact, rtol=1e-12)


@pytest.mark.filterwarnings("ignore::wellposed.FloorWarning")
def test_fewer_rows_than_features_and_too_many_components():
    rows = RNG.normal(size=(12, 30))
    fitted = wp.FactorAnalysis(2, resolution=0.5).fit(rows)
    np.testing.assert_allclose(fitted.score_samples(rows), dense(fitted).logpdf(rows), rtol=1e-9)
    with pytest.raises(wp.SettingError, match=r"at most min\(n_samples, n_features\) = 12"):
        wp.FactorAnalysis(13).fit(rows)
    with pytest.raises(wp.DataError, match="At least one feature must vary"):
        wp.FactorAnalysis(1).fit(np.full((40, 3), 0.1))
    with pytest.warns(wp.TrainingWarning, match="stopped at"):
        wp.FactorAnalysis(2, max_iter=1).fit(X)
