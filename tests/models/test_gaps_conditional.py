"""Conditional distributions of missing entries, against brute force; the Gaussian by EM."""

import jax
import numpy as np
import pytest
import scipy.linalg
import scipy.optimize
from scipy.stats import multivariate_normal

from wellposed import models
from wellposed.models import gaps

D = 6
RNG = np.random.default_rng(0)


def rows_with_gaps(n=200, share=0.4, seed=0):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n, D)) @ rng.normal(size=(D, D)) + rng.normal(size=D)
    rows[rng.random(rows.shape) < share] = np.nan
    rows[1] = np.nan
    rows[2] = 1.0
    return rows


WEIGHT = RNG.normal(size=(D, 2))
NOISE = RNG.uniform(0.05, 1.5, D)
MEAN = RNG.normal(size=D)
MODELS = {
    "gaussian": models.GaussianModel(MEAN, WEIGHT @ WEIGHT.T + np.diag(NOISE)),
    "factor analysis": models.FactorAnalysisModel(MEAN, WEIGHT, NOISE),
    "ppca": models.PPCAModel(MEAN, WEIGHT, 0.3),
}
MIXTURE = models.MixturePPCAModel(
    np.log([0.6, 0.4]),
    np.stack([MEAN, MEAN + 1.5]),
    np.stack([WEIGHT, RNG.normal(size=(D, 2))]),
    np.array([0.3, 0.8]),
)
ROWS = rows_with_gaps()


def covariance_of(model):
    if isinstance(model, models.GaussianModel):
        return model.covariance
    return model.weight @ model.weight.T + np.diag(np.broadcast_to(model.noise_variance, D))


def brute_force(row, mean, covariance):
    """log p(x_o), and mean and covariance of x_m given x_o."""
    o, m = ~np.isnan(row), np.isnan(row)
    if not o.any():
        return 0.0, mean, covariance
    gain = np.linalg.solve(covariance[np.ix_(o, o)], covariance[np.ix_(o, m)]).T
    log_p = multivariate_normal(mean[o], covariance[np.ix_(o, o)]).logpdf(row[o])
    rest = covariance[np.ix_(m, m)] - gain @ covariance[np.ix_(o, m)]
    return log_p, mean[m] + gain @ (row[o] - mean[o]), rest


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_marginals_and_conditionals_are_those_of_the_covariance(model):
    covariance = covariance_of(model)
    log_p = model.log_density(ROWS)
    mean, variance = model.conditional(ROWS)
    for i, row in enumerate(ROWS):
        expected, filled, rest = brute_force(row, model.mean, covariance)
        missing = np.isnan(row)
        assert log_p[i] == pytest.approx(expected, rel=1e-9, abs=1e-9)
        np.testing.assert_allclose(mean[i, missing], filled, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(variance[i, missing], np.diag(rest), rtol=1e-9)
    seen = ~np.isnan(ROWS)
    np.testing.assert_array_equal(mean[seen], ROWS[seen])
    assert not variance[seen].any()


@pytest.mark.parametrize("name", ["factor analysis", "ppca"])
def test_latents_are_those_of_the_observed_features_alone(name):
    model = MODELS[name]
    o = np.array([0, 2, 5])
    rows = np.full((30, D), np.nan)
    rows[:, o] = RNG.normal(size=(30, 3))
    noise = np.broadcast_to(model.noise_variance, D)[o]
    alone = models.FactorAnalysisModel(model.mean[o], model.weight[o], noise)
    np.testing.assert_allclose(
        model.posterior_means(rows), alone.posterior_means(rows[:, o]), atol=1e-11
    )
    expected = np.tile(np.diag(alone.posterior_covariance), (30, 1))
    np.testing.assert_allclose(model.posterior_variances(rows), expected, rtol=1e-11)
    np.testing.assert_allclose(model.log_density(rows), alone.log_density(rows[:, o]), rtol=1e-11)


@pytest.mark.parametrize("model", [*MODELS.values(), MIXTURE], ids=[*MODELS, "mixture"])
def test_draws_have_the_conditional_moments(model):
    rows = ROWS[:12]
    s = 20_000
    draws = model.conditional_draws(rows, s, key=jax.random.key(0))
    mean, variance = model.conditional(rows)
    seen = ~np.isnan(rows)
    assert (draws[:, seen] == rows[seen]).all()
    error = np.sqrt(variance[~seen] / s)
    assert (np.abs(draws.mean(axis=0)[~seen] - mean[~seen]) < 5 * error).all()
    np.testing.assert_allclose(draws.var(axis=0)[~seen], variance[~seen], rtol=0.1)


def test_draws_have_the_conditional_correlations():
    model, row = MODELS["gaussian"], ROWS[:1].copy()
    row[0, :3] = np.nan
    draws = model.conditional_draws(row, 50_000, key=jax.random.key(1))[:, 0, np.isnan(row[0])]
    rest = brute_force(row[0], model.mean, model.covariance)[2]
    np.testing.assert_allclose(np.cov(draws.T), rest, atol=0.05 * rest.max())


def test_a_mixture_is_the_sum_of_its_marginals():
    log_p = MIXTURE.log_density(ROWS)
    mean, variance = MIXTURE.conditional(ROWS)
    for i, row in enumerate(ROWS):
        each = [brute_force(row, part.mean, covariance_of(part)) for part in MIXTURE.components]
        logs = np.array([part[0] for part in each]) + MIXTURE.log_weights
        assert log_p[i] == pytest.approx(np.logaddexp(*logs), rel=1e-9, abs=1e-9)
        shares = np.exp(logs - np.logaddexp(*logs))
        means = np.stack([part[1] for part in each])
        squares = np.stack([np.diag(part[2]) for part in each]) + means**2
        missing = np.isnan(row)
        np.testing.assert_allclose(mean[i, missing], shares @ means, rtol=1e-9, atol=1e-9)
        expected = shares @ squares - (shares @ means) ** 2
        np.testing.assert_allclose(variance[i, missing], expected, rtol=1e-8)


def test_hiding_an_independent_feature_costs_its_marginal():
    covariance = scipy.linalg.block_diag(MODELS["gaussian"].covariance, 4.0)
    model = models.GaussianModel(np.append(MEAN, 1.0), covariance)
    rows = np.column_stack([ROWS, np.linspace(-3, 3, len(ROWS))])
    hidden = rows.copy()
    hidden[:, -1] = np.nan
    gain = model.log_density(rows) - model.log_density(hidden)
    own = multivariate_normal(1.0, 4.0).logpdf(rows[:, -1])
    np.testing.assert_allclose(gain, own, atol=1e-9)


@pytest.mark.parametrize("ridge", [1e-3, 0.1])
def test_the_gaussian_is_stationary_and_its_objective_never_falls(ridge):
    rows = rows_with_gaps(share=0.3)
    fit = gaps.gaussian(rows, ridge=ridge, tol=1e-14, max_iter=2_000)
    assert fit.converged
    assert (np.diff(fit.objective) > -1e-11).all()
    assert fit.log_likelihood == pytest.approx(fit.model.log_density(rows).mean(), rel=1e-12)
    lower = np.tril_indices(D)
    variance = np.nanvar(rows, axis=0)

    def value(parameters):
        root = np.zeros((D, D))
        root[lower] = parameters[D:]
        model = models.GaussianModel(parameters[:D], root @ root.T)
        penalty = np.linalg.slogdet(model.covariance)[1] + np.diag(model.precision) @ variance
        return model.log_density(rows).mean() - 0.5 * ridge * penalty

    root = np.linalg.cholesky(fit.model.covariance)
    at = np.concatenate([fit.model.mean, root[lower]])
    slope = scipy.optimize.approx_fprime(at, value, 1e-6)
    np.testing.assert_allclose(slope, 0.0, atol=2e-5)


def test_the_gaussian_of_complete_rows_is_shrunk_in_closed_form():
    rows = RNG.normal(size=(80, D)) @ RNG.normal(size=(D, D))
    fit = gaps.gaussian(rows, ridge=0.25)
    sample = np.cov(rows.T, bias=True)
    expected = (sample + 0.25 * np.diag(np.diag(sample))) / 1.25
    np.testing.assert_allclose(fit.model.covariance, expected, atol=1e-9)
    np.testing.assert_allclose(fit.model.mean, rows.mean(axis=0), atol=1e-12)


def test_more_features_than_rows_and_constants_are_fitted():
    rows = rows_with_gaps(4, 0.2)
    rows[:, 3] = [7.0, np.nan, 7.0, 7.0]
    fit = gaps.gaussian(rows, ridge=0.1)
    mean, variance = fit.model.conditional(rows)
    assert np.isfinite(mean).all()
    assert mean[1, 3] == pytest.approx(7.0, abs=1e-4)
    assert variance[1, 3] < 1e-8
