"""Linear Gaussian models of rows with gaps, against brute force and the complete-data solvers."""

import numpy as np
import pytest
import scipy.optimize
from scipy.stats import multivariate_normal

import wellposed as wp
from wellposed import evaluation, models
from wellposed.models import gaps
from wellposed.models._marginal import GappyRows, latent_posteriors


def table(n=150, d=6, k=2, share=0.3, seed=0):
    """Rows of a factor analysis, a share of whose entries is missing completely at random."""
    rng = np.random.default_rng(seed)
    loadings, noise = rng.normal(size=(k, d)), rng.uniform(0.4, 2.0, d)
    rows = rng.normal(size=(n, k)) @ loadings + rng.normal(size=(n, d)) * noise + rng.normal(size=d)
    rows[rng.random(rows.shape) < share] = np.nan
    return rows


def brute_force(rows, mean, covariance):
    """log p of the observed entries, by the marginal of each row."""
    log_p = np.zeros(len(rows))
    for i, row in enumerate(rows):
        o = ~np.isnan(row)
        if o.any():
            log_p[i] = multivariate_normal(mean[o], covariance[np.ix_(o, o)]).logpdf(row[o])
    return log_p


def of(weight, mean, noise, rows):
    sorted_rows = GappyRows.of(rows)
    parts = list(latent_posteriors(sorted_rows, mean, weight, noise))
    return sorted_rows.restore(np.concatenate([part.log_density for part in parts]))


def test_the_density_of_observed_entries_is_the_marginal():
    rng = np.random.default_rng(1)
    rows = table(300, 7, 3, 0.4)
    rows[3] = np.nan
    weight, mean, noise = rng.normal(size=(7, 3)), rng.normal(size=7), rng.uniform(0.01, 2, 7)
    expected = brute_force(rows, mean, weight @ weight.T + np.diag(noise))
    np.testing.assert_allclose(of(weight, mean, noise, rows), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("shared", [False, True])
def test_the_likelihood_is_stationary_and_never_falls(shared):
    rows = table()
    end = gaps.factor_analysis(rows, 2, floor=1e-3, one_variance=shared, tol=1e-14)
    model = end.model
    assert end.converged
    assert (np.diff(end.objective) > -1e-12).all()

    def value(parameters):
        weight, mean, log_noise = np.split(parameters, [12, 18])
        noise = np.broadcast_to(np.exp(log_noise), (6,))
        return of(weight.reshape(6, 2), mean, noise, rows).mean()

    log_noise = np.log(model.noise_variance[:1] if shared else model.noise_variance)
    at = np.concatenate([model.weight.ravel(), model.mean, log_noise])
    assert value(at) == pytest.approx(end.log_likelihood, rel=1e-12)
    slope = scipy.optimize.approx_fprime(at, value, 1e-6)
    np.testing.assert_allclose(slope, 0.0, atol=1e-5)
    expected = brute_force(
        rows,
        model.mean,
        model.weight @ model.weight.T + np.diag(np.exp(np.broadcast_to(log_noise, 6))),
    ).mean()
    assert end.log_likelihood == pytest.approx(expected, rel=1e-9)


def test_nothing_missing_is_the_complete_solution():
    rows = table(share=0.0)
    floor = 1e-3 * rows.std(axis=0)
    complete = models.factor_analysis(
        evaluation.covariance(rows, evaluation.IDENTITY), 2, floor=floor
    )
    with_gaps = gaps.factor_analysis(rows, 2, floor=floor)
    assert with_gaps.log_likelihood == pytest.approx(complete.log_likelihood, abs=1e-9)
    np.testing.assert_allclose(with_gaps.model.weight, complete.model.weight, atol=1e-4)


def test_rows_without_entries_change_nothing_but_the_mean_over_rows():
    """They take the solver for gaps, whose maximum is then that of the complete rows."""
    rows = table(share=0.0)
    complete = models.factor_analysis(evaluation.covariance(rows, evaluation.IDENTITY), 2)
    end = gaps.factor_analysis(np.vstack([rows, np.full((50, 6), np.nan)]), 2)
    assert end.log_likelihood * 200 == pytest.approx(complete.log_likelihood * 150, abs=1e-6)
    np.testing.assert_allclose(end.model.weight, complete.model.weight, atol=1e-3)
    np.testing.assert_allclose(end.model.mean, complete.model.mean, atol=1e-5)
    ppca = models.optimum(
        models.eigendecompose(evaluation.covariance(rows, evaluation.IDENTITY)), 2
    )
    end = gaps.factor_analysis(np.vstack([rows, np.full((50, 6), np.nan)]), 2, one_variance=True)
    assert end.log_likelihood * 200 == pytest.approx(ppca.log_likelihood * 150, abs=1e-6)
    np.testing.assert_allclose(end.model.weight, ppca.model.weight, atol=1e-4)
    np.testing.assert_allclose(end.model.noise_variance, ppca.noise_variance, rtol=1e-5)


def test_a_given_noise_variance_is_kept():
    rows = table(share=0.0)
    stacked = np.vstack([rows, np.full((50, 6), np.nan)])
    end = gaps.factor_analysis(stacked, 2, noise_variance=1.5)
    spectrum = models.eigendecompose(evaluation.covariance(rows, evaluation.IDENTITY))
    ppca = models.optimum(spectrum, 2, noise_variance=1.5)
    np.testing.assert_array_equal(end.model.noise_variance, np.full(6, 1.5))
    assert end.log_likelihood * 200 == pytest.approx(ppca.log_likelihood * 150, abs=1e-6)


def test_the_columns_are_orthogonal_in_units_of_the_noise():
    model = gaps.factor_analysis(table(d=8, k=3), 3, floor=1e-3).model
    gram = model.weight.T @ (model.weight / model.noise_variance[:, None])
    np.testing.assert_allclose(gram, np.diag(np.diag(gram)), atol=1e-9 * gram.max())
    assert (np.diff(np.diag(gram)) <= 0).all()


def test_units_cost_their_logarithm():
    rows, scale = table(), np.array([1e-4, 1, 1e5, 1, 7, 1])
    plain = gaps.factor_analysis(rows, 2, floor=1e-3)
    scaled = gaps.factor_analysis(rows * scale + 1e3 * scale, 2, floor=1e-3 * scale)
    cost = ((~np.isnan(rows)).mean(axis=0) * np.log(scale)).sum()
    assert scaled.log_likelihood == pytest.approx(plain.log_likelihood - cost, abs=1e-6)


def test_latents_that_the_data_do_not_need_are_zero():
    rng = np.random.default_rng(3)
    rows = rng.normal(size=(400, 4)) * [1, 2, 3, 4]
    rows[rng.random(rows.shape) < 0.2] = np.nan
    model = gaps.factor_analysis(rows, 3, noise_variance=30.0).model
    assert not model.weight.any()


def test_a_constant_feature_has_its_floor():
    rows = table()
    rows[:, 2] = np.where(np.isnan(rows[:, 2]), np.nan, 5.0)
    floor = np.full(6, 0.01)
    end = gaps.factor_analysis(rows, 2, floor=floor)
    assert end.on_floor[2]
    assert end.model.noise_variance[2] == pytest.approx(1e-4)
    assert not end.model.weight[2].any()
    assert end.model.mean[2] == 5.0
    covariance = end.model.weight @ end.model.weight.T + np.diag(end.model.noise_variance)
    expected = brute_force(rows, end.model.mean, covariance).mean()
    assert end.log_likelihood == pytest.approx(expected, rel=1e-9)
    with pytest.raises(wp.UnboundedLikelihoodError, match="2"):
        gaps.factor_analysis(rows, 2)


def test_a_copied_feature_is_on_its_floor_or_refused():
    rows = table()
    rows = np.column_stack([rows, 2 * rows[:, 0]])
    end = gaps.factor_analysis(rows, 2, floor=1e-3)
    assert end.on_floor[0] or end.on_floor[6]
    with pytest.raises(wp.UnboundedLikelihoodError, match="combinations"):
        gaps.factor_analysis(rows, 2)


def test_a_feature_without_entries_is_refused():
    rows = table()
    rows[:, 4] = np.nan
    with pytest.raises(wp.DataError, match=r"1 of 6 \(4\)"):
        gaps.factor_analysis(rows, 2)


def test_the_elbo_under_independent_latents_is_stationary_and_below_the_likelihood():
    rows = table()
    end = gaps.linear_vae(rows, 2, tol=1e-14)
    model = end.model
    assert (np.diff(end.objective) > -1e-12).all()

    def elbo(weight, mean, variance):
        """log p − ½[Σ log A_ii − log det A] of each row, by brute force."""
        total = brute_force(rows, mean, weight @ weight.T + variance * np.eye(6)).sum()
        for row in rows:
            o = ~np.isnan(row)
            a = np.eye(2) + weight[o].T @ weight[o] / variance
            total -= 0.5 * (np.log(np.diag(a)).sum() - np.linalg.slogdet(a)[1])
        return total / len(rows)

    best = elbo(model.weight, model.mean, model.noise_variance[0])
    assert best == pytest.approx(end.log_likelihood, rel=1e-10)
    ppca = gaps.factor_analysis(rows, 2, one_variance=True)
    assert best < ppca.log_likelihood
    assert best >= elbo(ppca.model.weight, ppca.model.mean, ppca.model.noise_variance[0])

    def value(p):
        return elbo(p[:12].reshape(6, 2), p[12:18], np.exp(p[18]))

    at = np.concatenate([model.weight.ravel(), model.mean, np.log(model.noise_variance[:1])])
    slope = scipy.optimize.approx_fprime(at, value, 1e-6)
    np.testing.assert_allclose(slope, 0.0, atol=1e-5)
