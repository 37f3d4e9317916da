"""MixturePPCA as its users meet it."""

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import multivariate_normal
from sklearn.mixture import GaussianMixture

import wellposed as wp
from wellposed import models, training

RNG = np.random.default_rng(0)
SPREADS = np.array([[3.0, 1.0, 0.1, 0.1], [0.1, 0.5, 2.0, 0.1]])
CENTRES = np.array([[0.0, 0.0, 0.0, 0.0], [4.0, 4.0, 4.0, -4.0]])
OF = RNG.integers(2, size=400)
X = CENTRES[OF] + RNG.normal(size=(400, 4)) * SPREADS[OF]


def fit(k=2, m=2, rows=X, **settings):
    return wp.MixturePPCA(k, n_mixture=m, random_state=0, **settings).fit(rows)


def dense_scores(fitted, rows):
    joint = [
        np.log(weight)
        + multivariate_normal(
            mean, w.T @ w + noise * np.eye(len(mean)), allow_singular=True
        ).logpdf(rows)
        for weight, mean, w, noise in zip(
            fitted.weights_,
            fitted.means_,
            fitted.components_,
            fitted.noise_variance_,
            strict=True,
        )
    ]
    return logsumexp(joint, axis=0)


def test_scores_are_those_of_a_mixture_of_gaussians():
    fitted = fit(m=3)
    np.testing.assert_allclose(fitted.score_samples(X), dense_scores(fitted, X), rtol=1e-9)
    assert fitted.log_likelihood_ == pytest.approx(fitted.score(X), rel=1e-12)
    assert fitted.weights_.sum() == pytest.approx(1)
    assert (np.diff(fitted.weights_) <= 0).all()


@pytest.mark.parametrize("k", [1, 3, 4])
@pytest.mark.parametrize("settings", [{}, {"transform": "standardize"}])
def test_one_component_is_ppca(k, settings):
    one, ppca = fit(k, 1, **settings), wp.PPCA(k, **settings).fit(X)
    np.testing.assert_allclose(one.score_samples(X), ppca.score_samples(X), rtol=1e-10)
    np.testing.assert_allclose(one.components_[0], ppca.components_, atol=1e-10)
    np.testing.assert_allclose(one.reconstruct(X), ppca.reconstruct(X), atol=1e-9)
    assert one.noise_variance_[0] == pytest.approx(ppca.noise_variance_, rel=1e-10)
    assert one.log_likelihood_ == pytest.approx(ppca.log_likelihood_, rel=1e-11)


def test_one_component_of_one_feature_is_its_normal():
    exact = multivariate_normal(X[:, 0].mean(), X[:, 0].var()).logpdf(X[:, 0])
    np.testing.assert_allclose(fit(1, 1, X[:, :1]).score_samples(X[:, :1]), exact, rtol=1e-12)


@pytest.mark.parametrize("k", [3, 4])
def test_as_many_latents_as_directions_give_the_mixture_of_gaussians(k):
    ours = fit(k, 2, tol=1e-13)
    theirs = GaussianMixture(2, reg_covar=0, tol=1e-13, max_iter=2_000, random_state=0).fit(X)
    np.testing.assert_allclose(ours.score_samples(X), theirs.score_samples(X), atol=1e-5)
    np.testing.assert_allclose(ours.weights_, np.sort(theirs.weights_)[::-1], atol=1e-6)


def test_the_likelihood_never_falls():
    with pytest.warns(wp.TrainingWarning, match="stopped at 60"):
        fitted = fit(2, 4, n_init=1, max_iter=60, tol=0)
    objective = fitted.history_["objective"]
    assert len(objective) > 10
    assert (np.diff(objective) > -1e-10).all()
    assert objective[-1] > wp.PPCA(2).fit(X).log_likelihood_ + 1


def test_a_start_at_a_maximum_stays_there():
    fitted = fit(2, 2, tol=1e-13)
    plan = training.LinearPlan(floor=1e-6, tol=1e-9)
    run = training.mixture_em(X, fitted.model_, plan)
    assert len(run.objective) <= 5
    np.testing.assert_allclose(run.model.mean, fitted.model_.mean, atol=1e-4)


def test_the_size_is_chosen_by_held_out_rows():
    fitted = wp.MixturePPCA(2, random_state=0).fit(X)
    assert 2 <= len(fitted.weights_) <= 5
    assert len(wp.MixturePPCA(2, random_state=0).fit(X[OF == 0]).weights_) == 1


def test_latents_are_the_component_and_its_posterior_mean():
    fitted = fit(2, 2)
    latents = fitted.transform(X)
    assert latents.shape == (400, 6)
    np.testing.assert_allclose(latents[:, :2], fitted.responsibilities(X))
    np.testing.assert_allclose(latents[:, :2].sum(1), 1)
    parts = fitted.model_.components
    expected = sum(
        latents[:, i, None] * part.decode(part.posterior_means(X)) for i, part in enumerate(parts)
    )
    np.testing.assert_allclose(fitted.reconstruct(X), expected, atol=1e-10)
    assert fitted.get_feature_names_out().tolist() == [f"mixtureppca{i}" for i in range(6)]
    with pytest.raises(wp.SettingError, match="Z must have 6 columns"):
        fitted.inverse_transform(np.ones((2, 2)))


def test_draws_have_the_moments_of_the_mixture():
    fitted = fit(2, 2)
    draws = fitted.sample(60_000, random_state=1)
    mean = fitted.weights_ @ fitted.means_
    second = sum(
        pi * (w.T @ w + noise * np.eye(4) + np.outer(mu - mean, mu - mean))
        for pi, w, noise, mu in zip(
            fitted.weights_,
            fitted.components_,
            fitted.noise_variance_,
            fitted.means_,
            strict=True,
        )
    )
    np.testing.assert_allclose(draws.mean(0), mean, atol=0.05)
    np.testing.assert_allclose(np.cov(draws.T), second, atol=0.15)
    gap = fitted.sample(9, "coupled", random_state=1) - fitted.sample(9, "mean", random_state=1)
    scale = np.sqrt(fitted.noise_variance_)
    assert all(np.isclose(each, scale).any() for each in gap[:, 0])


def test_rescaled_rows_lose_the_log_of_the_scale():
    plain, scaled = fit(2, 2), fit(2, 2, 10 * X)
    change = scaled.score_samples(10 * X) - plain.score_samples(X)
    np.testing.assert_allclose(change, -4 * np.log(10), atol=1e-6)
    standard, twice = (fit(2, 2, c * X, transform="standardize") for c in (1, 2))
    change = twice.score_samples(2 * X) - standard.score_samples(X)
    np.testing.assert_allclose(change, -4 * np.log(2), atol=1e-6)
    assert standard.log_likelihood_ == pytest.approx(standard.score(X), rel=1e-10)


def test_a_saved_model_is_the_same(tmp_path):
    fitted = fit(2, 3)
    fitted.save(tmp_path / "model.wp")
    again = wp.load(tmp_path / "model.wp")
    assert type(again) is wp.MixturePPCA
    np.testing.assert_array_equal(again.score_samples(X), fitted.score_samples(X))
    np.testing.assert_array_equal(again.sample(5, random_state=0), fitted.sample(5, random_state=0))
    np.testing.assert_array_equal(again.transform(X), fitted.transform(X))


@pytest.mark.filterwarnings("ignore::wellposed.FloorWarning")
def test_a_component_without_rows_is_removed_and_counted():
    rows = np.repeat(np.eye(3), 10, axis=0)  # three points
    with pytest.warns(wp.TrainingWarning, match=r"2 of 5 components were removed.*fewer than 3"):
        fitted = fit(1, 5, rows, resolution=0.1)
    assert len(fitted.weights_) == 3
    np.testing.assert_allclose(fitted.noise_variance_, 0.01 / 12)
    with pytest.raises(wp.UnboundedLikelihoodError, match="`resolution`"):
        fit(1, 3, rows, resolution=0)


def test_rows_of_few_directions_put_the_noise_at_its_floor():
    rows = RNG.normal(size=(60, 1)) @ RNG.normal(size=(1, 4))
    with pytest.warns(wp.FloorWarning, match="noise of 1 of 1 components"):
        fitted = fit(1, 1, rows, resolution=0.01)
    assert fitted.noise_variance_[0] == pytest.approx(1e-4 / 12)


def test_few_rows_and_constant_columns():
    few = RNG.normal(size=(6, 9))
    fitted = wp.MixturePPCA(2, random_state=0).fit(few)
    np.testing.assert_allclose(fitted.score_samples(few), wp.PPCA(2).fit(few).score_samples(few))
    for settings, words in (
        ({"n_components": 7}, r"min\(n_samples, n_features\) = 6"),
        ({"n_mixture": 7}, "at most n_samples = 6"),
        ({"n_mixture": 0}, "n_mixture must be"),
        ({"n_init": 0}, "n_init must be"),
    ):
        with pytest.raises(wp.SettingError, match=words):
            wp.MixturePPCA(**settings).fit(few)
    with pytest.warns(wp.ConstantFeatureWarning, match=r"\(4\)"):
        constant = fit(2, 2, np.c_[X, np.full(400, 0.1)])
    assert np.isfinite(constant.score_samples(np.c_[X, np.full(400, 0.1)])).all()
    with pytest.raises(wp.DataError, match="At least one feature must vary"):
        fit(1, 2, np.full((40, 3), 0.1))


def test_weighted_spectra_are_those_of_repeated_rows():
    counts = RNG.integers(0, 3, size=50)
    for rows in (X[:50], RNG.normal(size=(50, 60)), X[:50] * [1, 1e-5, 1, 1] + 100):
        weighted = models.weighted_spectrum(rows, counts.astype(float), 3)
        repeated = models.weighted_spectrum(
            np.repeat(rows, counts, axis=0), np.ones(counts.sum()), 3
        )
        np.testing.assert_allclose(weighted.mean, repeated.mean, rtol=1e-12)
        r = min(len(weighted.eigenvalues), len(repeated.eigenvalues))
        np.testing.assert_allclose(
            weighted.eigenvalues[:r], repeated.eigenvalues[:r], rtol=1e-7, atol=1e-16
        )
