"""Collapse of a fitted VAE: measured, forecast, and the two beside each other."""

import jax
import numpy as np
import pytest

import wellposed as wp
from textbook import textbook_vae
from wellposed import evaluation

pytestmark = [
    pytest.mark.filterwarnings("ignore::wellposed.ConstantFeatureWarning"),
    pytest.mark.filterwarnings("ignore::wellposed.FloorWarning"),
    pytest.mark.filterwarnings("ignore::wellposed.TrainingWarning"),  # short trainings
]


@pytest.fixture(scope="module")
def priced():
    """Digits at σ² where the linear optimum keeps three of ten latents."""
    digits = wp.datasets.load_digits().values
    settings = {"image_shape": (8, 8), "hidden": (64,), "max_epochs": 60, "random_state": 0}
    return digits, textbook_vae(10, noise=5.0, **settings).fit(digits)


def test_the_forecast_before_fitting_is_that_of_the_units_it_trains_in(priced):
    digits, vae = priced
    before = textbook_vae(10, noise=5.0, image_shape=(8, 8)).forecast(digits)
    after = vae.forecast(digits)
    scale2 = digits.astype(float).var(axis=0).mean()
    values = np.linalg.eigvalsh(np.cov(digits.T.astype(float), bias=True))[::-1] / scale2
    np.testing.assert_allclose(before.eigenvalues, np.maximum(values, 0), atol=1e-9)
    np.testing.assert_allclose(after.eigenvalues, values, atol=1e-5)  # statistics in float32
    assert before.n_active == after.n_active == int((values[:10] > 5.0).sum())


def test_collapse_agrees_with_the_forecast_where_the_linear_model_is_the_optimum(priced):
    digits, vae = priced
    found = vae.collapse(digits)
    assert found.active_units.sum() >= vae.forecast(digits).n_active
    assert 10 - found.collapsed.sum() >= vae.forecast(digits).n_active
    terms = evaluation.elbo(vae.model_, digits, n_samples=1, key=jax.random.key(0))
    assert found.rates.sum() == pytest.approx(float(terms.kl.mean()), rel=1e-5)


def test_thresholds_reach_the_verdicts(priced):
    digits, vae = priced
    assert vae.collapse(digits, epsilon=1e6).collapsed.all()
    assert not vae.collapse(digits, threshold=1e6).active_units.any()


@pytest.mark.slow
def test_one_variance_a_feature_is_forecast_in_units_of_its_noise(priced):
    digits, _ = priced
    vae = textbook_vae(
        5, noise="feature", hidden=(16,), max_epochs=3, random_state=0, image_shape=(8, 8)
    ).fit(digits)
    found = vae.forecast(digits)
    scale2 = digits.astype(float).var(axis=0).mean()
    deviation = np.sqrt(vae.noise_variance_.astype(float) * scale2)
    values = np.linalg.eigvalsh(np.cov((digits / deviation).T, bias=True))[::-1]
    assert found.noise_variance == 1.0
    np.testing.assert_allclose(found.eigenvalues[:20], values[:20], rtol=1e-4)


def test_a_forecast_before_fitting_needs_one_variance(priced):
    with pytest.raises(wp.SettingError, match="Fit first"):
        textbook_vae(5, noise="feature").forecast(priced[0])
