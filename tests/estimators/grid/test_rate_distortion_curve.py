"""One estimator at several prices of the rate."""

import io

import numpy as np
import pytest

import wellposed as wp
from textbook import textbook_vae
from wellposed import plotting
from wellposed.estimators.grid.rate_distortion import _SETTING

pytestmark = [
    pytest.mark.filterwarnings("ignore::wellposed.TrainingWarning"),
    pytest.mark.filterwarnings("ignore::wellposed.FloorWarning"),
]

DATA = wp.datasets.linear_gaussian(
    1_500, n_features=6, n_latents=2, noise_variance=0.2, seed=0
).values.astype(np.float32)
X, TEST = DATA[:1_000], DATA[1_000:]


def linear_vae(**settings) -> wp.VAE:
    return textbook_vae(
        2,
        hidden=(),
        transform="identity",
        max_epochs=60,
        learning_rate=0.02,
        patience=None,
        validation_fraction=0,
        random_state=0,
        **settings,
    )


@pytest.fixture(scope="module")
def curve():
    return wp.rate_distortion_curve(
        linear_vae(noise=0.2), X, X, beta=[0.5, 1.0, 4.0], progress=False, n_samples=32
    )


@pytest.mark.slow
def test_trained_models_stand_on_the_curve_of_the_optima(curve):
    """Rates are the closed form ½ log λ/βσ²; the slopes lie between the betas."""
    spectrum = np.linalg.eigvalsh(np.cov(X.T, bias=True))[::-1][:2]
    rates = [0.5 * np.log(np.maximum(spectrum / (0.2 * b), 1)).sum() for b in (0.5, 1.0, 4.0)]
    np.testing.assert_allclose(curve.rate, rates, atol=0.05)
    low, high = curve.slopes
    assert 0.5 < low < 1.0 < high < 4.0
    assert curve.best.value == 1.0
    assert curve.complete
    assert [point.estimator.beta for point in curve.points] == [0.5, 1.0, 4.0]


def test_it_is_drawn(curve):
    ax = plotting.rate_distortion(curve)
    (models,) = (line for line in ax.lines if line.get_linewidth() == 1)
    np.testing.assert_allclose(models.get_xdata(), np.sort(curve.rate))
    assert [text.get_text() for text in ax.texts] == ["β = 0.5", "β = 1", "β = 4"]
    file = io.BytesIO()
    ax.figure.savefig(file, format="png", dpi=40)
    assert file.getbuffer().nbytes > 5_000


def test_beta_and_the_variance_are_two_names_of_one_rate():
    """β at σ² trains the networks as 1 does at βσ²."""
    vae = linear_vae(noise=0.2).set_params(max_epochs=40)
    along = {"progress": False, "n_samples": 1}
    one = wp.rate_distortion_curve(vae, X, TEST, beta=[2.0], **along)
    other = wp.rate_distortion_curve(vae, X, TEST, noise_variance=[0.4], **along)
    assert other.points[0].estimator.noise_variance_ == pytest.approx(0.4)
    assert one.rate[0] == pytest.approx(other.rate[0], rel=0.03)
    errors = [  # of reconstruction, squared and summed over six features
        2 * variance * (found.distortion[0] - 3 * np.log(2 * np.pi * variance))
        for found, variance in ((one, 0.2), (other, 0.4))
    ]
    assert errors[0] == pytest.approx(errors[1], rel=0.01)
    assert vae.noise == 0.2


def test_an_interruption_leaves_the_points_so_far(monkeypatch):
    fits = []
    vae = linear_vae(noise=0.2).set_params(max_epochs=1)
    fit = wp.VAE.fit

    def second_is_interrupted(self, rows):
        fits.append(self.beta)
        if len(fits) == 2:
            raise KeyboardInterrupt
        return fit(self, rows)

    monkeypatch.setattr(wp.VAE, "fit", second_is_interrupted)
    found = wp.rate_distortion_curve(vae, X, TEST, beta=[1.0, 2.0, 3.0], progress=False)
    assert fits == [1.0, 2.0]
    assert list(found.values) == [1.0]
    assert not found.complete


def test_a_training_that_caught_the_interruption_itself_is_no_point(monkeypatch):
    vae = linear_vae(noise=0.2).set_params(max_epochs=1)
    fit = wp.VAE.fit

    def caught(self, rows):
        fit(self, rows)
        if self.beta == 2.0:
            self.outcome_ = wp.training.Outcome.interrupted
        return self

    monkeypatch.setattr(wp.VAE, "fit", caught)
    found = wp.rate_distortion_curve(vae, X, TEST, beta=[1.0, 2.0, 3.0], progress=False)
    assert list(found.values) == [1.0]
    assert not found.complete


@pytest.mark.parametrize(
    ("grids", "words"),
    [
        ({}, "neither"),
        ({"beta": [1.0], "noise_variance": [1.0]}, "beta and noise_variance"),
        ({"beta": []}, "one of the two"),
        ({"beta": [-1.0]}, "beta must be"),
        ({"noise_variance": [0.0]}, "noise_variance must be"),
    ],
)
def test_grids_that_make_no_curve(grids, words):
    with pytest.raises(wp.SettingError, match=words):
        wp.rate_distortion_curve(linear_vae(), X, TEST, **grids)
    assert set(_SETTING) == {"beta", "noise_variance"}


def test_the_methods_are_the_functions(curve):
    vae = curve.points[1].estimator
    found = vae.rate_distortion(TEST, n_samples=8)
    assert found.elbo.value == pytest.approx(float(vae.elbo(TEST, n_samples=8).mean()), rel=1e-5)
    gap = vae.amortisation_gap(TEST[:30], n_steps=20)
    # A linear encoder at the optimum is the exact posterior.
    assert abs(gap.mean.value) < 0.02
    gaps = wp.training.inference_gaps(gap, vae.score_samples(TEST[:30], 2_000))
    assert abs(gaps.total.value) < 0.1
