"""PPCA and LinearVAE as their users meet them; scikit-learn's contract is tested next door."""

import os

import jax
import numpy as np
import pandas as pd
import pytest
from scipy.special import logit
from scipy.stats import multivariate_normal, norm
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import linear_oracles as own
import wellposed as wp
from wellposed import models, training
from wellposed.training import Outcome

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 5)) @ np.diag([4.0, 2.0, 1.0, 0.7, 0.5]) @ RNG.normal(size=(5, 5))
X += [1.0, -2.0, 3.0, 0.0, 5.0]
EIGENVALUES = np.linalg.eigvalsh(np.cov(X.T, bias=True))[::-1]
BOTH = pytest.mark.parametrize(
    "make",
    [
        lambda *a, **k: wp.PPCA(*a, **k),
        lambda *a, **k: wp.LinearVAE(*a, **{"random_state": 0, "tol": 1e-11, **k}),
    ],
    ids=["PPCA", "LinearVAE"],
)


def close(a, b, rel=1e-10):
    np.testing.assert_allclose(a, b, rtol=rel, atol=rel * np.abs(b).max())


def exact_scores(rows, training_rows, k, noise_variance=None):
    """log p(x) of pPCA by scipy, from the covariance with 1/n."""
    mean, s = training_rows.mean(0), np.cov(training_rows.T, bias=True)
    values, vectors = np.linalg.eigh(s)
    variance = values[:-k].mean() if noise_variance is None else noise_variance
    top = np.maximum(values[-k:] - variance, 0.0)
    c = (vectors[:, -k:] * top) @ vectors[:, -k:].T + variance * np.eye(len(s))
    return multivariate_normal(mean, c).logpdf(rows)


# The density.


@BOTH
@pytest.mark.parametrize("k", [1, 2, 4])
def test_scores_are_the_exact_log_density(make, k):
    fitted = make(k).fit(X)
    assert fitted.noise_variance_ == pytest.approx(EIGENVALUES[k:].mean(), rel=1e-9)
    close(fitted.score_samples(X[:50] + 0.5), exact_scores(X[:50] + 0.5, X, k), 1e-8)
    assert fitted.score(X) == pytest.approx(exact_scores(X, X, k).mean(), rel=1e-10)
    close(fitted.mean_, X.mean(0))
    assert fitted.components_.shape == (k, 5)


@pytest.mark.parametrize("k", [1, 3])
def test_ppca_is_scikit_learns_but_for_the_divisor(k):
    """scikit-learn divides by n − 1; on data widened by (n − 1)/n it finds the same density."""
    n = len(X)
    widened = X.mean(0) + (X - X.mean(0)) * np.sqrt((n - 1) / n)
    theirs = PCA(k).fit(widened)
    ours = wp.PPCA(k).fit(X)
    assert ours.noise_variance_ == pytest.approx(theirs.noise_variance_, rel=1e-11)
    close(ours.score_samples(X), theirs.score_samples(X))
    assert abs(ours.noise_variance_ / PCA(k).fit(X).noise_variance_ - (n - 1) / n) < 1e-12
    axes = ours.components_ / np.linalg.norm(ours.components_, axis=1, keepdims=True)
    np.testing.assert_allclose(np.abs(axes @ theirs.components_.T), np.eye(k), atol=1e-9)


def test_the_likelihood_of_the_training_data_is_kept():
    ppca = wp.PPCA(2).fit(X)
    assert ppca.log_likelihood_ == pytest.approx(ppca.score(X), rel=1e-12)
    vae = wp.LinearVAE(2, random_state=0).fit(X)
    assert vae.elbo_ == pytest.approx(vae.elbo(X).mean(), rel=1e-12)
    assert vae.history_["objective"][-1] == pytest.approx(vae.elbo_, rel=1e-8)
    assert len(vae.history_["objective"]) == vae.n_iter_
    assert vae.outcome_ is Outcome.converged


def test_the_bound_is_below_log_p_row_by_row_and_tight_at_the_optimum():
    tight = wp.LinearVAE(3, random_state=0, tol=1e-14).fit(X)
    close(tight.elbo(X), tight.score_samples(X), 1e-7)
    loose = wp.LinearVAE(3, solver="fixed_point", max_iter=2, random_state=0)
    with pytest.warns(wp.TrainingWarning, match="stopped at 2"):
        loose.fit(X)
    assert (loose.elbo(X) <= loose.score_samples(X) + 1e-9).all()
    assert loose.elbo(X).mean() < loose.score(X) + 1e-12
    with_beta = wp.LinearVAE(3, beta=2.0, noise=0.2, random_state=0).fit(X)
    assert (with_beta.elbo(X) < with_beta.score_samples(X)).all()
    assert with_beta.elbo_ == pytest.approx(with_beta.elbo(X).mean(), rel=1e-11)


@BOTH
@pytest.mark.parametrize("factor", [0.01, 255.0])
def test_rescaling_the_data_costs_d_log_c(make, factor):
    plain, scaled = make(2).fit(X), make(2).fit(factor * X)
    change = scaled.score_samples(factor * X) - plain.score_samples(X)
    np.testing.assert_allclose(change, -5 * np.log(factor), rtol=1e-7)
    assert scaled.noise_variance_ == pytest.approx(factor**2 * plain.noise_variance_, rel=1e-7)


@BOTH
def test_standardised_scores_are_in_data_units(make):
    fitted = make(2, transform="standardize").fit(X)
    standard = (X - X.mean(0)) / X.std(0)
    expected = exact_scores(standard, standard, 2) - np.log(X.std(0)).sum()
    close(fitted.score_samples(X), expected, 1e-7)
    assert fitted.score(X) == pytest.approx(expected.mean(), rel=1e-8)
    twice = make(2, transform="standardize").fit(2 * X)
    np.testing.assert_allclose(
        twice.score_samples(2 * X) - fitted.score_samples(X), -5 * np.log(2), rtol=1e-6
    )
    close(fitted.reconstruct(X).mean(0), X.mean(0), 1e-9)
    if isinstance(fitted, wp.PPCA):
        assert fitted.log_likelihood_ == pytest.approx(fitted.score(X), rel=1e-11)
    else:
        assert fitted.elbo_ == pytest.approx(fitted.elbo(X).mean(), rel=1e-11)
        assert fitted.elbo_ == pytest.approx(fitted.score(X), rel=1e-8)


@BOTH
def test_the_logit_counts_its_jacobian(make):
    rng = np.random.default_rng(7)
    rows = rng.beta(2, 3, size=(200, 4))
    rows[:, 1] = 0.5 * rows[:, 0] + 0.5 * rows[:, 1]
    fitted = make(2, transform=wp.transforms.Logit(levels=None, alpha=1e-6)).fit(rows)
    p = 1e-6 + (1 - 2e-6) * rows
    y = logit(p)
    jacobian = (np.log(1 - 2e-6) - np.log(p) - np.log1p(-p)).sum(1)
    close(fitted.score_samples(rows), exact_scores(y, y, 2) + jacobian, 1e-7)
    draws = fitted.sample(50, random_state=1)
    assert ((draws > 0) & (draws < 1)).all()


@pytest.mark.filterwarnings("ignore::wellposed.ConstantFeatureWarning")
def test_features_of_one_unit_share_a_scale(digits):
    """Pixels are of one unit: standardised they are the same model in other units."""
    images = digits.reshape(-1, 8, 8)
    standard = wp.PPCA(3, transform="standardize").fit(images)
    assert standard.transform_.shared
    close(standard.score_samples(images), wp.PPCA(3).fit(digits).score_samples(digits), 1e-7)
    for rows in (digits, digits.astype(float)):  # of several ranges, as far as anybody sees
        assert not wp.PPCA(3, transform="standardize").fit(rows).transform_.shared


def test_dequantised_levels_are_scored_in_their_own_units(digits):
    ppca = wp.PPCA(5, transform="logit", random_state=3).fit(digits)
    assert ppca.log_likelihood_ == pytest.approx(ppca.score(digits), rel=1e-10)
    draws = ppca.sample(20)
    np.testing.assert_array_equal(draws, np.round(draws))
    assert draws.min() >= 0
    assert draws.max() <= 16


@BOTH
def test_a_given_noise_is_kept_and_kills_what_it_exceeds(make):
    noise = float(EIGENVALUES[1] * 0.99 + EIGENVALUES[2] * 0.01)
    fitted = make(4, noise=noise).fit(X)
    assert fitted.noise_variance_ == noise
    close(fitted.score_samples(X), exact_scores(X, X, 4, noise), 1e-6)
    norms = np.sort((fitted.components_**2).sum(1))[::-1]
    close(norms[:2], EIGENVALUES[:2] - noise, 1e-4)
    assert norms[2:].max() < 1e-6 * norms[0]
    found = fitted.collapse(X)
    assert found.collapsed.sum() == 2
    assert found.rates.max() == pytest.approx(0.5 * np.log(EIGENVALUES[0] / noise), rel=1e-6)


def test_rates_and_variance_of_means_are_measured_on_the_data():
    found = wp.PPCA(3).fit(X).collapse(X, epsilon=0.5, threshold=0.7)
    variance = EIGENVALUES[3:].mean()
    close(found.rates, 0.5 * np.log(EIGENVALUES[:3] / variance), 1e-10)
    close(found.mean_variance, 1 - variance / EIGENVALUES[:3], 1e-10)
    assert (found.epsilon, found.threshold) == (0.5, 0.7)
    vae = wp.LinearVAE(3, random_state=0, tol=1e-14).fit(X).collapse(X)
    close(np.sort(vae.rates)[::-1], found.rates, 1e-6)


# Beta.


@pytest.mark.parametrize("beta", [0.3, 4.0])
def test_beta_moves_the_threshold(beta):
    noise = 1.0
    vae = wp.LinearVAE(5, beta=beta, noise=noise, random_state=0, tol=1e-14).fit(X)
    alive = int((beta * noise < EIGENVALUES).sum())
    rates = np.sort(vae.collapse(X).rates)[::-1]
    np.testing.assert_allclose(
        rates[:alive], 0.5 * np.log(EIGENVALUES[:alive] / (beta * noise)), rtol=1e-5
    )
    np.testing.assert_allclose(rates[alive:], 0, atol=1e-6)
    objective = vae.elbo_ - (beta - 1) * rates.sum()
    assert vae.history_["objective"][-1] == pytest.approx(objective, rel=1e-8)
    published = own.least_loss(EIGENVALUES, 5, 5, noise, beta)
    assert objective == pytest.approx(float(published), rel=1e-8)


# Few rows, few directions, no variance.


@pytest.mark.parametrize("k", [3, 18])
def test_fewer_rows_than_features(k):
    rng = np.random.default_rng(7)
    rows = rng.normal(size=(20, 50))
    ppca = wp.PPCA(k).fit(rows)
    values = np.linalg.svd(rows - rows.mean(0), compute_uv=False) ** 2 / 20
    variance = values[k:].sum() / (50 - k)
    assert ppca.noise_variance_ == pytest.approx(variance, rel=1e-9)
    assert ppca.spectrum_.complete
    assert ppca.spectrum_.rank == 19
    other = rng.normal(size=(5, 50))
    c = ppca.components_.T @ ppca.components_ + variance * np.eye(50)
    exact = multivariate_normal(rows.mean(0), c).logpdf(other)
    close(ppca.score_samples(other), exact, 1e-8)
    vae = wp.LinearVAE(k, random_state=0).fit(rows)
    assert vae.elbo_ == pytest.approx(ppca.log_likelihood_, rel=1e-8)
    with pytest.raises(wp.SettingError, match=r"at most min\(n_samples, n_features\) = 20"):
        wp.PPCA(21).fit(rows)


@BOTH
@pytest.mark.parametrize("k", [6, 0, 2.0, True])
def test_as_many_components_as_there_are_directions(make, k):
    with pytest.raises(wp.SettingError, match="n_components must be"):
        make(k).fit(X)


def low_rank(resolution=None):
    rng = np.random.default_rng(7)
    rows = rng.normal(size=(60, 2)) @ rng.normal(size=(2, 6))
    return rows if resolution is None else np.round(rows / resolution) * resolution


@BOTH
@pytest.mark.parametrize("k", [2, 3])
def test_components_up_to_the_rank_rest_on_the_floor(make, k):
    rows = low_rank()
    with pytest.warns(wp.FloorWarning, match=r"rank 2 of 6.*`resolution`"):
        fitted = make(k, resolution=0.01).fit(rows)
    assert fitted.noise_variance_ == pytest.approx(1e-4 / 12, rel=1e-12)
    close(fitted.score_samples(rows), exact_scores(rows, rows, k, 1e-4 / 12), 1e-6)


@BOTH
@pytest.mark.parametrize("k", [2, 3])
def test_without_a_floor_components_up_to_the_rank_are_refused(make, k):
    with pytest.raises(wp.UnboundedLikelihoodError, match=r"Use fewer.*`resolution`"):
        make(k, resolution=0).fit(low_rank())


@pytest.mark.parametrize("solver", ["fixed_point", "gradient", "accelerated"])
def test_every_solver_refuses_what_has_no_maximum(solver):
    with pytest.raises(wp.UnboundedLikelihoodError, match="Use fewer components"):
        wp.LinearVAE(2, resolution=0, solver=solver, random_state=0).fit(low_rank())


@pytest.mark.parametrize("solver", ["fixed_point", "gradient", "accelerated"])
def test_every_solver_tells_of_its_floor(solver):
    with pytest.warns(wp.FloorWarning, match="at its floor"):
        vae = wp.LinearVAE(2, resolution=6.0, solver=solver, random_state=0).fit(X)
    assert vae.noise_variance_ == pytest.approx(3.0, rel=1e-3)


def test_the_floor_is_the_smallest_resolution_of_what_varies():
    rows = np.c_[X, np.full(300, 3.0)]
    steps = np.array([5.0, 6, 7, 8, 9, 1e-9])
    with pytest.warns(wp.ConstantFeatureWarning), pytest.warns(wp.FloorWarning):
        ppca = wp.PPCA(4, resolution=steps).fit(rows)
    assert ppca.noise_variance_ == pytest.approx(25 / 12)
    with pytest.warns(wp.FloorWarning):
        standard = wp.PPCA(4, transform="standardize", resolution=6.0).fit(X)
    assert standard.noise_variance_ == pytest.approx(3.0 / X.var(0).max(), rel=0.2)


@BOTH
def test_as_many_components_as_features_leave_the_smallest_eigenvalue_as_noise(make):
    """There C = S whatever σ² ≤ λ_d: the likelihood has its maximum, and no floor is needed."""
    fitted = make(5).fit(X)
    assert fitted.noise_variance_ == pytest.approx(EIGENVALUES[-1], rel=1e-8)
    full = multivariate_normal(X.mean(0), np.cov(X.T, bias=True)).logpdf(X)
    close(fitted.score_samples(X), full, 1e-7)


@BOTH
def test_constant_and_duplicated_features(make):
    rows = np.c_[X, np.full(300, 0.1), X[:, 0]]
    with pytest.warns(wp.ConstantFeatureWarning, match=r"1 of 7 features never vary \(5\)"):
        fitted = make(2).fit(rows)
    values = np.linalg.eigvalsh(np.cov(rows.T, bias=True))[::-1]
    assert fitted.noise_variance_ == pytest.approx(values[2:].sum() / 5, rel=1e-8)
    close(fitted.score_samples(rows), exact_scores(rows, rows, 2), 1e-8)
    assert np.abs(fitted.components_[:, 5]).max() < 1e-8
    np.testing.assert_allclose(fitted.reconstruct(rows)[:, 5], 0.1, rtol=1e-7)
    if isinstance(fitted, wp.PPCA):
        with pytest.warns(wp.ConstantFeatureWarning, match=r"\(5\)"):
            full = make(2, svd_solver="full").fit(rows)
        assert full.noise_variance_ == pytest.approx(fitted.noise_variance_, rel=1e-10)


@BOTH
@pytest.mark.parametrize("value", [0.0, 0.1, 7.0, 1e6])
@pytest.mark.parametrize("settings", [{}, {"noise": 0.5}, {"transform": "standardize"}])
def test_data_that_never_vary_are_refused(make, value, settings):
    with pytest.raises(wp.DataError, match="At least one feature must vary"):
        make(1, **settings).fit(np.full((40, 3), value))


@pytest.mark.parametrize("value", [0.0, 0.1, 7.0, 1e6])
@pytest.mark.parametrize("solver", ["full", "arpack", "randomized"])
def test_every_solver_refuses_data_that_never_vary(solver, value):
    with pytest.raises(wp.DataError, match="At least one feature must vary"):
        wp.PPCA(1, svd_solver=solver).fit(np.full((40, 3), value))


@BOTH
@pytest.mark.parametrize("settings", [{}, {"noise": 0.5}])
def test_data_that_vary_by_their_rounding_alone_are_refused(make, settings):
    rows = np.full((40, 3), 1e9)
    rows[::2] = np.nextafter(1e9, 2e9)
    with pytest.raises(wp.DataError, match="rounding of its mean"):
        make(1, **settings).fit(rows)
    with pytest.raises(wp.DataError, match="rounding of its mean"):
        wp.PPCA(1, svd_solver="full", **settings).fit(rows)


@pytest.mark.parametrize("solver", ["covariance_eigh", "full"])
def test_a_constant_over_many_rows_is_still_one(solver):
    """The mean of 60,000 times 0.1 is off by 4e-13 of itself: rounding, and no variance."""
    rows = np.c_[np.random.default_rng(7).normal(size=(60_000, 2)), np.full(60_000, 0.1)]
    with pytest.warns(wp.ConstantFeatureWarning, match=r"1 of 3 features never vary \(2\)"):
        wp.PPCA(1, svd_solver=solver).fit(rows)


@BOTH
def test_everything_dies_above_the_largest_eigenvalue(make):
    with pytest.warns(wp.TrainingWarning, match="Every latent has collapsed") as caught:
        fitted = make(2, noise=2 * EIGENVALUES[0]).fit(X)
    said = str(caught[0].message)
    assert f"{2 * EIGENVALUES[0]:.4g}" in said
    assert f"below {EIGENVALUES[0]:.4g} keeps one" in said
    assert np.abs(fitted.components_).max() < 1e-6
    expected = norm(X.mean(0), np.sqrt(2 * EIGENVALUES[0])).logpdf(X).sum(1)
    close(fitted.score_samples(X), expected, 1e-7)
    np.testing.assert_allclose(fitted.reconstruct(X), np.tile(X.mean(0), (300, 1)), atol=1e-6)


def test_everything_dies_by_beta_too():
    with pytest.warns(wp.TrainingWarning, match=r"times β = 4.*below") as caught:
        wp.LinearVAE(2, noise=EIGENVALUES[0] / 2, beta=4.0, random_state=0).fit(X)
    assert f"below {EIGENVALUES[0] / 4:.4g} keeps one" in str(caught[0].message)


# Numbers of every kind.


@BOTH
@pytest.mark.parametrize("dtype", [np.float32, np.uint8, np.int16, np.int64, bool])
def test_any_type_of_number_gives_the_float64_answer(make, dtype, digits):
    rows = digits[:400, 18:30].astype(dtype)
    resolution = 1e-3
    wide = make(3, resolution=resolution).fit(rows.astype(np.float64))
    narrow = make(3, resolution=resolution).fit(rows)
    assert narrow.noise_variance_ == pytest.approx(wide.noise_variance_, rel=1e-12)
    close(narrow.score_samples(rows), wide.score_samples(rows.astype(np.float64)))
    signs = np.sign((narrow.components_ * wide.components_).sum(1))  # which nothing fixes
    close(narrow.transform(rows) * signs, wide.transform(rows.astype(np.float64)), 1e-8)
    for result in (narrow.transform(rows), narrow.score_samples(rows), narrow.sample(2)):
        assert result.dtype == np.float64


@BOTH
@pytest.mark.parametrize(("offset", "scale"), [(1e6, 1.0), (1e6, 1e-3), (-1e9, 1.0)])
def test_far_off_means_cost_no_digits(make, offset, scale):
    rows = offset + scale * X
    fitted, plain = make(2).fit(rows), make(2).fit(scale * X)
    # What rounding the data to float64 does to them is all that is allowed.
    lost = 4 * np.spacing(abs(offset)) / scale
    assert fitted.noise_variance_ == pytest.approx(plain.noise_variance_, rel=lost + 1e-9)
    np.testing.assert_allclose(
        fitted.score_samples(rows), plain.score_samples(scale * X), atol=1e3 * lost + 1e-8
    )


def test_a_column_far_off_among_others_near():
    """Ten thousand rows, more than one piece of the sum."""
    rng = np.random.default_rng(7)
    rows = rng.normal(size=(10_000, 3)) * [3.0, 1.0, 0.1]
    moved = rows + np.array([0, 1e7, 50.0])
    plain, far = wp.PPCA(1).fit(rows), wp.PPCA(1).fit(moved)
    assert far.noise_variance_ == pytest.approx(plain.noise_variance_, rel=1e-7)
    np.testing.assert_allclose(far.mean_, moved.mean(0), rtol=1e-13)
    s = np.cov(rows.T, bias=True)
    close(np.sort(plain.spectrum_.eigenvalues), np.linalg.eigvalsh(s), 1e-12)


@pytest.mark.parametrize("solver", ["covariance_eigh", "full", "arpack", "randomized"])
@pytest.mark.filterwarnings("ignore::wellposed.ConstantFeatureWarning")
def test_the_solvers_of_the_decomposition_agree(solver, digits):
    reference = wp.PPCA(5, random_state=0).fit(digits)
    found = wp.PPCA(5, svd_solver=solver, random_state=0).fit(digits)
    near = 1e-3 if solver == "randomized" else 1e-9
    assert found.noise_variance_ == pytest.approx(reference.noise_variance_, rel=near)
    assert found.score(digits) == pytest.approx(reference.score(digits), rel=near)
    assert found.log_likelihood_ == pytest.approx(found.score(digits), rel=max(near / 10, 1e-10))
    assert found.spectrum_.complete == (solver in ("covariance_eigh", "full"))
    assert found.spectrum_.total_variance == pytest.approx(digits.var(0).sum(), rel=1e-12)
    close(found.mean_, digits.mean(0), 1e-12)


def test_an_iterative_solver_starts_from_its_seed(digits):
    rows = digits[:, 18:30]
    fits = [
        wp.PPCA(5, svd_solver="randomized", random_state=s).fit(rows).components_ for s in (0, 0, 1)
    ]
    np.testing.assert_array_equal(fits[0], fits[1])
    assert np.abs(fits[0] - fits[2]).max() > 0


# Stationary points.


def test_stationary_points_of_a_fit():
    ppca = wp.PPCA(3).fit(X)
    top = ppca.stationary_point([0, 1, 2])
    assert top.is_maximum
    assert top.log_likelihood == pytest.approx(ppca.log_likelihood_, rel=1e-12)
    assert not ppca.stationary_point([0, 1]).is_maximum
    assert not ppca.stationary_point([0, 1, 3], noise_variance=0.1).is_maximum
    learned = ppca.stationary_point([0]).noise_variance
    assert learned == pytest.approx(EIGENVALUES[1:].mean(), rel=1e-10)
    held = ppca.stationary_point([0], noise_variance=float(EIGENVALUES[1]) * 1.01)
    assert held.is_maximum
    assert held.model.weight.shape == (5, 3)
    given = wp.PPCA(3, noise=0.5).fit(X)
    assert given.stationary_point([0]).noise_variance == 0.5
    shared = given.stationary_point([0], noise_variance="shared")
    assert shared.noise_variance == pytest.approx(learned, rel=1e-12)


@pytest.mark.parametrize("noise", [0, -1.0, "best", np.nan])
def test_a_stationary_point_needs_a_noise(noise):
    with pytest.raises(wp.SettingError, match="noise_variance must be"):
        wp.PPCA(2).fit(X).stationary_point([0], noise_variance=noise)


def test_a_truncated_spectrum_has_stationary_points_of_its_first_directions_only():
    ppca = wp.PPCA(2, svd_solver="arpack").fit(X)
    whole = wp.PPCA(2).fit(X).stationary_point([0])
    close(ppca.stationary_point([0]).log_likelihood, whole.log_likelihood, 1e-9)
    with pytest.raises(wp.SettingError, match=r'the solver found 2.*"full"'):
        ppca.stationary_point([1])


# Starts.


def test_a_start_at_a_stationary_point_stays_and_a_random_one_does_not():
    stayed = wp.LinearVAE(3, start=[0, 2], noise=0.3).fit(X)
    point = wp.PPCA(3).fit(X).stationary_point([0, 2], noise_variance=0.3)
    assert stayed.elbo_ == pytest.approx(point.elbo, rel=1e-9)
    assert ((stayed.components_**2).sum(1) == 0).sum() == 1
    assert wp.LinearVAE(3, noise=0.3, random_state=0).fit(X).elbo_ > stayed.elbo_ + 0.01
    learned = wp.LinearVAE(3, start=[0]).fit(X)
    point = wp.PPCA(3).fit(X).stationary_point([0])
    assert learned.noise_variance_ == pytest.approx(point.noise_variance, rel=1e-9)
    assert learned.elbo_ == pytest.approx(point.elbo, rel=1e-9)


@pytest.mark.parametrize("start", [[1], (1,), range(1, 2), np.array([1])])
@pytest.mark.parametrize("solver", ["auto", "fixed_point", "gradient"])
def test_directions_come_in_any_sequence(start, solver):
    vae = wp.LinearVAE(2, start=start, solver=solver, noise=0.5).fit(X)
    scale = np.linalg.norm(vae.components_, axis=1)
    np.testing.assert_allclose(np.sort(scale**2), [0, EIGENVALUES[1] - 0.5], rtol=1e-6)


def test_a_start_with_no_direction_is_dead_and_says_why():
    with pytest.warns(wp.TrainingWarning, match='collapsed, though.*start="random"'):
        vae = wp.LinearVAE(2, start=[]).fit(X)
    assert (vae.components_ == 0).all()
    assert vae.noise_variance_ == pytest.approx(EIGENVALUES.mean(), rel=1e-12)


def test_a_model_is_a_start_and_goes_on():
    short = wp.LinearVAE(2, solver="fixed_point", max_iter=3, random_state=0)
    with pytest.warns(wp.TrainingWarning, match=r"raise max_iter or tol.*start=vae\.model_"):
        short.fit(X)
    assert short.outcome_ is Outcome.budget_spent
    on = wp.LinearVAE(2, start=short.model_).fit(X)
    assert on.history_["objective"][0] == pytest.approx(short.elbo_, rel=1e-9)
    assert on.history_["objective"][0] > short.history_["objective"][-1]
    held = wp.LinearVAE(2, start=short.model_, noise=0.5).fit(X)
    assert held.noise_variance_ == 0.5
    done = wp.LinearVAE(2, random_state=0).fit(X)
    again = wp.LinearVAE(2, start=done.model_).fit(X)
    assert again.n_iter_ <= 5
    assert again.elbo_ == pytest.approx(done.elbo_, rel=1e-12)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"start": "zero"}, 'start must be "random", a sequence'),
        ({"start": None}, "sequence of directions or a LinearVAEModel"),
        ({"start": [1.5]}, "whole numbers"),
        ({"start": [True]}, "whole numbers"),
        ({"start": 3}, "got 3"),
        ({"start": np.array([[0]])}, "whole numbers"),
        ({"start": [0, 0]}, "each once"),
        ({"start": [0, 1, 2]}, "at most 2 directions"),
        ({"start": [9]}, "counted from 0 to 4"),
        ({"start": [4]}, "is collapsed"),
        ({"start": [0], "solver": "accelerated"}, "leaves any start behind"),
        ({"solver": "sgd"}, "solver must be one of"),
        ({"noise": 0}, "noise must be"),
        ({"noise": "feature"}, "noise must be"),
        ({"beta": 0}, "beta must be"),
        ({"max_iter": 0}, "max_iter must be"),
        ({"tol": -1}, "tol must be"),
        ({"progress": "always"}, "progress must be"),
        ({"resolution": "fine"}, "resolution must be"),
        ({"transform": "square"}, "transform must be one of"),
    ],
)
def test_settings_of_linear_vae_that_break_a_rule(settings, words):
    with pytest.raises(wp.SettingError, match=words):
        wp.LinearVAE(2, **settings).fit(X)


def test_a_start_of_other_sizes_is_refused():
    model = wp.LinearVAE(2, random_state=0).fit(X).model_
    with pytest.raises(wp.SettingError, match=r"shape \(5, 3\).*got \(5, 2\)"):
        wp.LinearVAE(3, start=model).fit(X)
    with pytest.raises(wp.SettingError, match=r"shape \(4, 2\)"):
        wp.LinearVAE(2, start=model).fit(X[:, :4])


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"noise": -1.0}, "noise must be"),
        ({"noise": "conditional"}, "noise must be"),
        ({"svd_solver": "lanczos"}, "svd_solver must be one of"),
        ({"resolution": [1.0, 2.0]}, "5 of them"),
        ({"transform": 3}, "transform must be"),
    ],
)
def test_settings_of_ppca_that_break_a_rule(settings, words):
    with pytest.raises(wp.SettingError, match=words):
        wp.PPCA(2, **settings).fit(X)


# Interruption and failure.


def test_an_interruption_keeps_what_was_reached(monkeypatch):
    def show(self, completed, numbers):
        if completed == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(training.linear.plan.Bar, "show", show)
    vae = wp.LinearVAE(2, solver="fixed_point", random_state=0)
    with pytest.warns(wp.TrainingWarning, match="stopped at 3"):
        vae.fit(X)
    assert vae.outcome_ is Outcome.interrupted
    assert vae.n_iter_ == 3
    assert np.isfinite(vae.score(X))


@BOTH
def test_a_failed_refit_loses_nothing(make):
    rng = np.random.default_rng(7)
    fitted = make(2).fit(X)
    before = {**vars(fitted)}
    scores = fitted.score_samples(X)
    with pytest.raises(wp.DataError):
        fitted.fit(np.full((10, 7), np.nan))
    assert vars(fitted).keys() == before.keys()
    np.testing.assert_array_equal(fitted.score_samples(X), scores)
    with pytest.raises(wp.SettingError):
        fitted.fit(rng.normal(size=(10, 1)))
    assert fitted.n_features_in_ == 5
    np.testing.assert_array_equal(fitted.score_samples(X), scores)


# Latents, draws, frames, paths, pipelines.


@BOTH
def test_latents_are_posterior_means_and_reconstruct(make):
    fitted = make(2).fit(X)
    w, variance = fitted.components_.T, fitted.noise_variance_
    m = w.T @ w + variance * np.eye(2)
    expected = (X - X.mean(0)) @ w @ np.linalg.inv(m)
    close(fitted.transform(X), expected, 1e-6)
    close(fitted.inverse_transform(expected), expected @ w.T + X.mean(0), 1e-9)
    close(fitted.reconstruct(X), expected @ w.T + X.mean(0), 1e-6)
    np.testing.assert_allclose(fitted.fit_transform(X), fitted.transform(X))
    assert fitted.get_feature_names_out().tolist() == [
        f"{type(fitted).__name__.lower()}{i}" for i in range(2)
    ]
    with pytest.raises(wp.SettingError, match="Z must have 2 columns"):
        fitted.inverse_transform(np.zeros((1, 3)))


@BOTH
def test_draws_have_the_moments_of_the_density(make):
    fitted = make(2).fit(X)
    w, variance = fitted.components_.T, fitted.noise_variance_
    c, n = w @ w.T + variance * np.eye(5), 40_000
    draws = fitted.sample(n, random_state=0)
    error = 5 * np.sqrt((np.outer(np.diag(c), np.diag(c)) + c**2) / n)
    assert (np.abs(np.cov(draws.T) - c) < error).all()
    assert (np.abs(draws.mean(0) - X.mean(0)) < 5 * np.sqrt(np.diag(c) / n)).all()
    means = fitted.sample(n, how="mean", random_state=0)
    assert np.linalg.matrix_rank(means - X.mean(0), tol=1e-6) == 2
    error = 5 * np.sqrt((np.outer(np.diag(w @ w.T), np.diag(w @ w.T)) + (w @ w.T) ** 2) / n)
    assert (np.abs(np.cov(means.T) - w @ w.T) < error).all()
    coupled = fitted.sample(7, how="coupled", alpha=2.0, random_state=4)
    means = fitted.sample(7, how="mean", random_state=4)
    close(coupled - means, np.full((7, 5), 2.0 * np.sqrt(variance)), 1e-10)
    noise = (draws - fitted.sample(n, how="mean", random_state=0)) / np.sqrt(variance)
    assert noise.std() == pytest.approx(1.0, abs=0.02)


@BOTH
def test_draws_repeat_with_their_seed(make):
    fitted = make(2, random_state=5).fit(X)
    np.testing.assert_array_equal(fitted.sample(3), fitted.sample(3))
    other = fitted.sample(3, random_state=6)
    assert np.abs(other - fitted.sample(3)).max() > 0.01
    assert np.unique(other[:, 0]).size == 3
    with pytest.raises(wp.SettingError, match="how must be one of"):
        fitted.sample(3, how="typical")
    with pytest.raises(wp.SettingError, match="n_samples must be"):
        fitted.sample(0)


def test_a_tolerance_is_heeded():
    loose, tight = (
        wp.LinearVAE(2, solver="fixed_point", tol=tol, random_state=0).fit(X).n_iter_
        for tol in (1e-3, 1e-11)
    )
    assert 4 <= loose < tight


def test_one_seed_is_one_fit():
    settings = {"solver": "fixed_point", "max_iter": 5}
    fits = []
    for seed in (0, 0, 1):
        with pytest.warns(wp.TrainingWarning):
            fits.append(wp.LinearVAE(2, random_state=seed, **settings).fit(X).components_)
    np.testing.assert_array_equal(fits[0], fits[1])
    assert np.abs(fits[0] - fits[2]).max() > 1e-3


@BOTH
def test_frames_in_and_out(make):
    frame = pd.DataFrame(X, columns=list("abcde"))
    fitted = make(2).set_output(transform="pandas").fit(frame)
    found = fitted.transform(frame)
    assert list(found.columns) == list(fitted.get_feature_names_out())
    assert fitted.feature_names_in_.tolist() == list("abcde")
    close(found.to_numpy(), make(2).fit(X).transform(X), 1e-10)


@BOTH
def test_a_path_is_data(make, tmp_path):
    path = tmp_path / "rows.npy"
    np.save(path, X)
    close(make(2).fit(path).score_samples(os.fspath(path)), make(2).fit(X).score_samples(X))


@BOTH
def test_in_pipelines_and_searches(make):
    piped = make_pipeline(StandardScaler(), make(2)).fit(X)
    standard = (X - X.mean(0)) / X.std(0)
    assert piped.score(X) == pytest.approx(exact_scores(standard, standard, 2).mean(), rel=1e-8)
    search = GridSearchCV(make(1), {"n_components": [1, 2, 3]}, cv=3).fit(X)
    expected = []
    for k in (1, 2, 3):
        parts = [np.arange(100), np.arange(100, 200), np.arange(200, 300)]
        expected.append(
            np.mean([exact_scores(X[p], np.delete(X, p, axis=0), k).mean() for p in parts])
        )
    np.testing.assert_allclose(search.cv_results_["mean_test_score"], expected, rtol=1e-8)


@BOTH
def test_the_setting_and_the_method_share_a_name(make):
    fitted = make(2, transform="standardize")
    assert fitted.get_params()["transform"] == "standardize"
    assert clone(fitted).get_params()["transform"] == "standardize"
    assert callable(fitted.transform)
    with pytest.raises(NotFittedError):
        fitted.transform(X)
    with pytest.raises(NotFittedError):
        fitted.sample(1)
    fitted.set_params(transform="identity").fit(X)
    assert isinstance(fitted.transform_, wp.transforms.Identity)


@BOTH
@pytest.mark.parametrize(
    ("bad", "error", "words"),
    [
        (np.r_[X[:9], [[np.nan] * 5]], wp.DataError, "5 of 50 entries are NaN or inf"),
        (X[:, 0], ValueError, "Expected 2D array"),
        (X[:1], ValueError, "minimum of 2"),
        (np.array([["a", "b"]] * 5), wp.DataError, "must be numbers"),
    ],
)
def test_bad_data_are_refused(make, bad, error, words):
    with pytest.raises(error, match=words):
        make(1).fit(bad)


def test_float32_stays_the_default_elsewhere():
    """Exact models compute in float64 and leave the global switch alone."""
    wp.LinearVAE(2, solver="gradient", random_state=0).fit(X).elbo(X)
    assert not jax.config.jax_enable_x64


# Real data.


@pytest.mark.filterwarnings("ignore::wellposed.ConstantFeatureWarning")
@pytest.mark.parametrize("k", [2, 10, 40])
def test_the_linear_vae_of_the_digits_is_ppca(digits, k):
    ppca = wp.PPCA(k).fit(digits)
    vae = wp.LinearVAE(k, random_state=0).fit(digits)
    assert vae.elbo_ == pytest.approx(ppca.log_likelihood_, rel=1e-8)
    assert vae.noise_variance_ == pytest.approx(ppca.noise_variance_, rel=1e-5)
    values = np.linalg.eigvalsh(np.cov(digits.T, bias=True))[::-1]
    assert ppca.noise_variance_ == pytest.approx(values[k:].sum() / (64 - k), rel=1e-10)
    d = digits.shape[1]
    closed = -0.5 * (
        d * np.log(2 * np.pi)
        + np.log(values[:k]).sum()
        + (d - k) * np.log(ppca.noise_variance_)
        + d
    )
    assert ppca.log_likelihood_ == pytest.approx(closed, rel=1e-10)
    assert ppca.score(digits) == pytest.approx(closed, rel=1e-10)


@BOTH
def test_a_saved_fit_comes_back_whole(make, tmp_path):
    fitted = make(2, transform="standardize").fit(X)
    fitted.save(tmp_path / "model.wp")
    again = wp.load(tmp_path / "model.wp")
    assert type(again) is type(fitted)
    np.testing.assert_array_equal(again.score_samples(X), fitted.score_samples(X))
    np.testing.assert_array_equal(again.transform(X), fitted.transform(X))
    np.testing.assert_array_equal(again.sample(3), fitted.sample(3))


def test_directions_begin_at_the_stationary_point_of_their_beta():
    spectrum = wp.PPCA(2).fit(X).spectrum_
    point = models.stationary_point(spectrum, [0], 2, noise_variance=0.5, beta=3.0)
    vae = wp.LinearVAE(2, start=[0], noise=0.5, beta=3.0).fit(X)
    expected = point.elbo - 2.0 * point.rates.sum()
    assert vae.history_["objective"][0] == pytest.approx(expected, rel=1e-12)
