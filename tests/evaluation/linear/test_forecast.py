"""The forecast of collapse: its numbers are those of the best linear VAE, found another way."""

import dataclasses
import warnings

import numpy as np
import pytest

import linear_oracles as own
import wellposed as wp
from wellposed import evaluation

VALUES = np.array([6.0, 3.5, 1.9, 0.8, 0.25])


def rows_with(values, n=400, seed=0, mean=2.0):
    """Rows whose covariance (1/n) has exactly these eigenvalues."""
    rng = np.random.default_rng(seed)
    d = len(values)
    rows = rng.normal(size=(n, d))
    rows -= rows.mean(0)
    white = rows @ np.linalg.inv(np.linalg.cholesky(rows.T @ rows / n).T)
    turn = np.linalg.qr(rng.normal(size=(d, d)))[0]
    return white * np.sqrt(values) @ turn.T + mean


ROWS = rows_with(VALUES)


@pytest.mark.parametrize("beta", [0.5, 1.0, 3.0])
@pytest.mark.parametrize("noise_variance", [0.1, 1.0, 2.5, 20.0])
@pytest.mark.parametrize("k", [1, 3, 5, 8, None])
def test_every_field_at_a_given_noise(beta, noise_variance, k):
    found = wp.forecast(ROWS, noise_variance=noise_variance, n_components=k, beta=beta)
    n_latents = 5 if k is None else k
    padded = np.r_[VALUES, np.zeros(5)][:n_latents]
    alive = padded > beta * noise_variance
    assert found.n_components == n_latents
    assert found.active.tolist() == alive.tolist()
    assert found.n_active == alive.sum()
    rates = np.zeros(n_latents)
    rates[alive] = 0.5 * np.log(padded[alive] / (beta * noise_variance))
    np.testing.assert_allclose(found.rates, rates, rtol=1e-9)
    np.testing.assert_allclose(found.eigenvalues, VALUES, rtol=1e-10)
    np.testing.assert_allclose(found.active_below, padded / beta, rtol=1e-10)
    assert found.threshold == pytest.approx(beta * noise_variance)
    assert found.noise_variance == noise_variance
    assert (found.learned, found.on_floor, found.n_features) == (False, False, 5)
    assert found.explained == pytest.approx(padded[alive].sum() / VALUES.sum())
    assert found.total_variance == pytest.approx(VALUES.sum())
    objective = own.least_loss(VALUES, 5, n_latents, noise_variance, beta)
    assert found.elbo == pytest.approx(objective + (beta - 1) * rates.sum(), rel=1e-9)


@pytest.mark.parametrize("beta", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("k", [1, 2, 3])
def test_a_learned_noise_is_the_best(beta, k):
    found = wp.forecast(ROWS, n_components=k, beta=beta, transform="identity")
    variance, value = own.best_variance(VALUES, 5, k, beta)
    assert found.learned
    assert found.noise_variance == pytest.approx(variance, rel=1e-5)
    alive = VALUES[:k] > beta * variance
    assert found.active.tolist() == alive.tolist()
    rates = np.where(alive, 0.5 * np.log(VALUES[:k] / (beta * variance)), 0)
    assert found.elbo - (beta - 1) * rates.sum() == pytest.approx(value, rel=1e-6)
    if beta == 1.0:
        assert found.noise_variance == pytest.approx(VALUES[k:].mean(), rel=1e-10)
        assert found.elbo == pytest.approx(wp.PPCA(k).fit(ROWS).log_likelihood_, rel=1e-10)


@pytest.mark.parametrize("beta", [0.5, 1.0, 4.0])
def test_active_below_is_the_noise_at_which_a_latent_collapses(beta):
    found = wp.forecast(ROWS, noise_variance=1.0, n_components=5, beta=beta)
    for j, limit in enumerate(found.active_below):
        for factor, alive in ((1 - 1e-6, j + 1), (1 + 1e-6, j)):
            other = wp.forecast(ROWS, noise_variance=limit * factor, n_components=5, beta=beta)
            assert other.n_active == alive


def test_the_forecast_is_what_a_linear_vae_then_does(digits):
    found = wp.forecast(digits, noise_variance=30.0, n_components=12)
    vae = wp.LinearVAE(12, noise=30.0, random_state=0, tol=1e-12)
    with pytest.warns(wp.ConstantFeatureWarning):
        vae.fit(digits)
    seen = vae.collapse(digits)
    assert found.n_active == 12 - seen.collapsed.sum()
    assert 0 < found.n_active < 12
    np.testing.assert_allclose(np.sort(seen.rates)[::-1], found.rates, atol=1e-5)
    assert vae.elbo_ == pytest.approx(found.elbo, rel=1e-8)


def test_units_are_those_of_the_transform(digits):
    rows = digits[:, 18:30].astype(float)
    standard = (rows - rows.mean(0)) / rows.std(0)
    settings = {"transform": "standardize", "resolution": 1e-9}
    found = wp.forecast(rows, noise_variance=1.0, n_components=3, **settings)
    direct = wp.forecast(standard, noise_variance=1.0, n_components=3)
    np.testing.assert_allclose(found.eigenvalues, direct.eigenvalues, rtol=1e-6)
    change = -np.log(rows.std(0)).sum()
    assert found.elbo - direct.elbo == pytest.approx(change, rel=1e-6)
    plain = wp.forecast(rows, noise_variance=1.0, n_components=3)
    assert plain.n_active == 3
    assert evaluation.forecast(rows, noise_variance=1.0, n_components=3).elbo == plain.elbo


def test_fewer_rows_than_features():
    rows = ROWS[:4]
    found = wp.forecast(rows, noise_variance=1e-3)
    assert (found.n_components, found.n_features) == (5, 5)
    assert found.n_active == 3
    values = np.linalg.svd(rows - rows.mean(0), compute_uv=False) ** 2 / 4
    np.testing.assert_allclose(found.active_below[:3], values[:3], rtol=1e-10)
    assert found.active_below[3:].max() < 1e-12


def test_a_learned_noise_that_rests_on_its_floor():
    rows = rows_with(VALUES[:3], n=50) @ np.ones((3, 6)) + rows_with(VALUES[:1], n=50)
    found = wp.forecast(rows, n_components=3, resolution=0.01, transform="identity")
    assert found.on_floor
    assert found.noise_variance == pytest.approx(1e-4 / 12)
    assert "is at its floor" in str(found)
    with pytest.raises(wp.UnboundedLikelihoodError, match="resolution"):
        wp.forecast(rows, n_components=3, resolution=0)
    assert not wp.forecast(rows, n_components=3, noise_variance=1e-9, resolution=9.0).on_floor


def test_sentences_hold_the_numbers():
    found = wp.forecast(ROWS, noise_variance=2.5, n_components=4, beta=1.0)
    said = str(found)
    assert "2 of 4 latents are active" in said
    for number in (2.5, found.rates.sum(), found.rates.sum() / np.log(2), 1.9, 0.8):
        assert f"{number:.3g}" in said
    assert f"{9.5 / 12.45:.1%}" in said
    assert "β = 3" in str(wp.forecast(ROWS, noise_variance=0.5, beta=3.0))
    learned = wp.forecast(ROWS, n_components=2)
    assert f"{learned.noise_variance:.4g}" in str(learned)
    assert "2 of 2 latents are active" in str(learned)
    dead = str(wp.forecast(ROWS, noise_variance=9.0, n_components=5))
    assert "0 of 5 latents are active" in dead
    assert "6" in dead
    assert " ".join(evaluation.sentences(found)) == said


def test_sentences_of_a_forecast_changed_change():
    found = wp.forecast(ROWS, noise_variance=2.5, n_components=4)
    other = dataclasses.replace(found, noise_variance=2.6)
    assert str(other) != str(found)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "got neither"),
        ({"beta": 2.0}, "got neither"),
        ({"noise_variance": 0}, "noise_variance must be a finite number > 0; got 0"),
        ({"noise_variance": -1.0}, "noise_variance must be"),
        ({"noise_variance": np.nan}, "noise_variance must be"),
        ({"noise_variance": np.inf}, "noise_variance must be"),
        ({"noise_variance": "shared"}, "noise_variance must be.*'shared'"),
        ({"noise_variance": [1.0, 2.0]}, "noise_variance must be"),
        ({"n_components": 0}, "n_components must be a whole number"),
        ({"n_components": 2.5}, r"got 2\.5"),
        ({"n_components": True}, "n_components must be"),
        ({"n_components": "all"}, "n_components must be"),
        ({"noise_variance": 1.0, "beta": 0.0}, "beta must be"),
        ({"noise_variance": 1.0, "beta": "one"}, "beta must be"),
        ({"noise_variance": 1.0, "resolution": -1.0}, "resolution must be"),
        ({"noise_variance": 1.0, "transform": "square"}, "transform must be"),
    ],
)
def test_numbers_that_cannot_be(settings, words):
    with pytest.raises(wp.SettingError, match=words):
        wp.forecast(ROWS, **settings)


@pytest.mark.parametrize("settings", [{"noise_variance": 1.0}, {"n_components": 1}])
def test_bad_data_are_refused(settings):
    with pytest.raises(wp.DataError, match="must vary"):
        wp.forecast(np.full((9, 2), 0.1), **settings)
    with pytest.raises(wp.DataError, match="NaN or inf"):
        wp.forecast([[1.0, np.nan], [2.0, 3.0]], **settings)
    with pytest.raises(ValueError, match="2D array"):
        wp.forecast([1.0, 2.0], **settings)


@pytest.mark.parametrize("k", [1, 3])
def test_without_a_noise_variance_it_is_the_forecast_of_a_default_vae(k):
    rows = ROWS * np.array([1.0, 100.0, 1e-3, 1.0, 5.0])
    found = wp.forecast(rows, n_components=k)
    own = wp.VAE(k, noise="shared").forecast(rows)
    assert str(found) == str(own)
    np.testing.assert_allclose(found.rates, own.rates, rtol=1e-9)
    assert found.elbo == pytest.approx(own.elbo)
    assert "each feature by its own scale" in str(found)
    assert found.elbo == pytest.approx(
        wp.PPCA(k, transform="standardize").fit(rows).log_likelihood_, rel=1e-6
    )


def test_every_forecast_names_its_units(digits):
    given = wp.forecast(ROWS, noise_variance=1.0)
    assert str(given).endswith("The variances are in squared units of the data.")
    assert "all features by one number" in str(
        wp.forecast(digits.reshape(-1, 8, 8), n_components=3)
    )
    raw = wp.forecast(ROWS, n_components=2, transform="identity")
    assert str(raw).endswith("squared units of the data.")
    settings = {"hidden": (4,), "max_epochs": 1, "random_state": 0, "prior": "standard"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", wp.WellposedWarning)
        one, each = (wp.VAE(2, noise=n, **settings).fit(ROWS) for n in ("shared", "feature"))
    assert "each feature by its own scale" in str(one.forecast(ROWS))
    assert "units of the noise variance of each feature" in str(each.forecast(ROWS))
