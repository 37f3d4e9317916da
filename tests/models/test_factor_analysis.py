"""The maximum of the likelihood of factor analysis, against closed forms and scikit-learn."""

import warnings

import numpy as np
import pytest
from scipy.stats import multivariate_normal
from sklearn.decomposition import FactorAnalysis

import wellposed as wp
from wellposed import evaluation, models

RNG = np.random.default_rng(0)
LOADINGS = RNG.normal(size=(2, 6))
X = RNG.normal(size=(200, 2)) @ LOADINGS + RNG.normal(size=(200, 6)) * RNG.uniform(0.3, 2, 6)


def covariance(rows):
    return evaluation.covariance(np.asarray(rows), evaluation.IDENTITY)


def fit(rows, k, **settings):
    return models.factor_analysis(covariance(rows), k, **settings)


def test_it_is_the_density_of_its_gaussian():
    model = fit(X, 2).model
    c = model.weight @ model.weight.T + np.diag(model.noise_variance)
    dense = multivariate_normal(X.mean(0), c)
    np.testing.assert_allclose(model.log_density(X[:9] + 1), dense.logpdf(X[:9] + 1), rtol=1e-11)
    gain = model.weight.T @ np.linalg.inv(c)
    np.testing.assert_allclose(model.posterior_means(X), (X - X.mean(0)) @ gain.T, atol=1e-10)
    spread = np.eye(2) - gain @ model.weight
    np.testing.assert_allclose(model.posterior_covariance, spread, atol=1e-12)


@pytest.mark.parametrize("k", [1, 2, 3, 5])
def test_no_likelihood_is_below_scikit_learns_or_that_of_ppca(k):
    solution = fit(X, k)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = FactorAnalysis(k, tol=1e-9, max_iter=5_000, svd_method="lapack").fit(X)
    assert solution.log_likelihood >= theirs.score(X) - 1e-7
    ppca = models.optimum(models.eigendecompose(covariance(X)), k)
    assert solution.log_likelihood >= ppca.log_likelihood - 1e-12
    assert solution.log_likelihood == pytest.approx(solution.model.log_density(X).mean(), rel=1e-11)
    assert solution.converged
    assert (np.diff(solution.objective) > -1e-12).all()


def test_the_posterior_has_independent_latents_in_falling_order():
    model = fit(X, 3).model
    gram = model.weight.T @ (model.weight / model.noise_variance[:, None])
    np.testing.assert_allclose(gram, np.diag(np.diag(gram)), atol=1e-9 * gram.max())
    assert (np.diff(np.diag(gram)) <= 0).all()


def test_the_gradient_vanishes_where_no_floor_is_reached():
    """Every variance of a feature is matched: (WWᵀ + Ψ)ᵢᵢ = Sᵢᵢ."""
    model = fit(X, 2).model
    explained = (model.weight**2).sum(1) + model.noise_variance
    np.testing.assert_allclose(explained, X.var(0), rtol=1e-5)


def test_equal_noise_gives_ppca():
    """A covariance WWᵀ + σ²I is its own maximum, of either model."""
    matrix = LOADINGS.T @ LOADINGS + 0.3 * np.eye(6)
    exact = models.Covariance(np.zeros(6), matrix, 50)
    model = models.factor_analysis(exact, 2).model
    ppca = models.optimum(models.eigendecompose(exact), 2).model
    np.testing.assert_allclose(model.noise_variance, 0.3, rtol=1e-6)
    np.testing.assert_allclose(np.abs(model.weight), np.abs(ppca.weight), atol=1e-6)


def test_scaling_a_feature_costs_its_logarithm():
    scale = np.array([1e-3, 1, 1e4, 1, 5, 1])
    plain, scaled = fit(X, 2), fit(X * scale, 2)
    change = scaled.log_likelihood - plain.log_likelihood
    assert change == pytest.approx(-np.log(scale).sum(), abs=1e-8)


@pytest.mark.parametrize("k", [2, 12])
def test_fewer_rows_than_features(k):
    rows = np.random.default_rng(1).normal(size=(9, 30))
    solution = fit(rows, k, floor=0.1)
    model = solution.model
    assert model.weight.shape == (30, k)
    assert (model.noise_variance >= 0.01 - 1e-15).all()
    c = model.weight @ model.weight.T + np.diag(model.noise_variance)
    exact = multivariate_normal(rows.mean(0), c).logpdf(rows).mean()
    assert solution.log_likelihood == pytest.approx(exact, rel=1e-9)
    if k > 8:  # eight directions, and so nine features, without noise
        with pytest.raises(wp.UnboundedLikelihoodError, match="`resolution`"):
            fit(rows, k)


def test_copies_and_constants_need_a_floor():
    copied, constant = np.c_[X, X[:, 0]], np.c_[X, np.full(200, 3.0)]
    for rows in (copied, constant):
        with pytest.raises(wp.UnboundedLikelihoodError, match="combinations of others"):
            fit(rows, 2)
    at_floor = fit(copied, 2, floor=1e-3)
    assert at_floor.on_floor[[0, 6]].all()
    at_floor = fit(constant, 2, floor=1e-3)
    np.testing.assert_allclose(at_floor.model.noise_variance[-1], 1e-6)
    np.testing.assert_array_equal(at_floor.model.weight[-1], 0)
    plain = fit(X, 2).log_likelihood
    expected = plain - 0.5 * np.log(2 * np.pi * 1e-6)
    assert at_floor.log_likelihood == pytest.approx(expected, rel=1e-8)


def test_one_feature():
    solution = fit(X[:, :1], 1)
    assert solution.log_likelihood == pytest.approx(
        multivariate_normal(X[:, 0].mean(), X[:, 0].var()).logpdf(X[:, 0]).mean(), rel=1e-12
    )


def test_rows_that_never_vary_are_refused():
    flat = models.Covariance(np.zeros(3), np.zeros((3, 3)), 5)
    with pytest.raises(wp.DataError, match="At least one feature must vary"):
        models.factor_analysis(flat, 1, floor=1.0)
