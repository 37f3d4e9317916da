"""Scales fitted to held-out rows, where the right ones are known."""

import importlib

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import wellposed as wp
from linear_gaussian import exact_model, rows_of
from textbook import textbook_vae
from wellposed import evaluation, noise, transforms

KEY = jax.random.key(0)
VARIANCE = 0.3


def with_noise(model, law):
    d = model.decoder.bias.shape[0]
    moments = transforms.Moments(
        jnp.zeros(d), jnp.ones(d), jnp.full(d, 0.01), jnp.ones(d, bool), n=100
    )
    return eqx.tree_at(lambda m: m.noise, model, law.initialise(moments))


def test_a_narrow_noise_is_widened_to_what_it_should_be():
    """σ² a quarter of the data's: the exact encoder's residuals have twice the deviation."""
    model, density = exact_model()
    narrow = with_noise(model, noise.Gaussian(VARIANCE / 4))
    found = evaluation.recalibrate(narrow, rows_of(density, 2000), key=KEY)
    assert (np.abs(found.scale - 2) < 4 * found.standard_error).all()
    # Of one draw of z a row; the average over several is known better.
    assert (found.standard_error / found.scale < 1.1 * np.sqrt(0.5 / 2000)).all()
    gain = 5 * 0.5 * (4 - 1 - np.log(4))
    assert abs(found.gain.value - gain) < 4 * found.gain.standard_error
    held = evaluation.coverage(found.model, rows_of(density, 2000, seed=5), key=KEY)
    assert np.abs(held.coverage - held.levels).max() < 0.02


def test_the_scales_are_the_elbos_maximum():
    """Any other scale has a smaller ELBO on the same rows: of Laplace noise, by the search."""
    model, density = exact_model(spread=1.2)
    model = with_noise(model, noise.Laplace(0.05))
    rows = rows_of(density, 300)
    found = evaluation.recalibrate(model, rows, key=KEY)

    def elbo(factor):
        law = noise.Rescaled(model.noise, found.scale * factor)
        other = eqx.tree_at(lambda m: m.noise, model, law)
        return evaluation.elbo(other, rows, n_samples=256, key=KEY).elbo.mean(dtype=np.float64)

    best = elbo(1.0)
    for j in range(5):
        for factor in (0.9, 1.1):
            assert elbo(np.where(np.arange(5) == j, factor, 1.0)) < best
    gained = best - elbo(1 / found.scale)
    assert found.gain.standard_error < 0.05 * gained
    assert gained == pytest.approx(found.gain.value, abs=4 * found.gain.standard_error)


def test_the_search_finds_the_closed_form(monkeypatch):
    model, density = exact_model(spread=0.8)
    rows = rows_of(density, 200)
    closed = evaluation.recalibrate(model, rows, key=KEY)
    module = importlib.import_module("wellposed.evaluation.predictive.recalibration")

    monkeypatch.setattr(module, "_root_mean_square", module._searched)
    searched = evaluation.recalibrate(model, rows, key=KEY)
    np.testing.assert_allclose(searched.scale, closed.scale, rtol=2e-3)


def test_errors_are_the_scatter_over_data():
    model, density = exact_model()
    model = with_noise(model, noise.Gaussian("conditional"))
    decoder = wp.nn.Linear(
        jnp.concatenate([model.decoder.weight, jnp.full((2, 5), 0.3)], axis=1),
        jnp.concatenate([model.decoder.bias, jnp.zeros(5)]),
    )
    model = eqx.tree_at(lambda m: m.decoder, model, decoder)
    found = [
        evaluation.recalibrate(model, rows_of(density, 60, seed), key=KEY) for seed in range(100)
    ]
    stated = np.mean([f.standard_error for f in found], axis=0)
    np.testing.assert_allclose(
        np.std([f.scale for f in found], axis=0).mean(), stated.mean(), rtol=0.2
    )


def test_a_second_time_starts_anew():
    model, density = exact_model()
    rows = rows_of(density, 100)
    once = evaluation.recalibrate(model, rows, key=KEY)
    twice = evaluation.recalibrate(once.model, rows, key=KEY)
    np.testing.assert_allclose(twice.scale, once.scale, rtol=1e-6)
    assert isinstance(twice.model.noise.noise, noise.Gaussian)
    assert twice.gain.value == pytest.approx(0, abs=1e-6)


def test_constants_keep_their_noise():
    model, density = exact_model()
    rows = rows_of(density, 100)
    rows[:, 1] = 3.0
    found = evaluation.recalibrate(model, rows, key=KEY)
    assert found.scale[1] == 1.0
    assert np.isnan(found.standard_error[1])
    assert "100 rows" in str(found)


def test_what_cannot_be_recalibrated_is_refused():
    model, density = exact_model()
    with pytest.raises(wp.DataError, match=r"at least 30 rows; got 10.*22%"):
        evaluation.recalibrate(model, rows_of(density, 10), key=KEY)
    counts = eqx.tree_at(lambda m: m.noise, model, noise.Poisson())
    with pytest.raises(wp.SettingError, match="Poisson"):
        evaluation.recalibrate(counts, rows_of(density, 50), key=KEY)
    decoder = wp.nn.Linear(jnp.zeros((2, 10)), jnp.zeros(10))
    parts = noise.LowRankGaussian(1, 0.3), decoder
    joint = eqx.tree_at(lambda m: (m.noise, m.decoder), model, parts)
    with pytest.raises(wp.SettingError, match="got LowRankGaussian"):
        evaluation.recalibrate(joint, rows_of(density, 50), key=KEY)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::wellposed.TrainingWarning")
def test_an_estimator_keeps_its_scales_in_its_file(tmp_path):
    X = wp.datasets.linear_gaussian(300, n_features=4, n_latents=2, noise_variance=0.3, seed=0)
    rows = X.values
    vae = textbook_vae(2, hidden=(16,), max_epochs=5, random_state=0).fit(rows[:200])
    before = vae.model_
    assert vae.recalibrate(rows[200:]) is vae
    scale = np.asarray(vae.model_.noise.scale)
    np.testing.assert_allclose(
        vae.noise_variance_, scale**2 * float(before.noise.variance()), rtol=1e-5
    )
    vae.save(tmp_path / "model.wp")
    again = wp.load(tmp_path / "model.wp")
    np.testing.assert_array_equal(again.model_.noise.scale, scale)
    np.testing.assert_array_equal(again.elbo(rows[:9]), vae.elbo(rows[:9]))
    np.testing.assert_array_equal(again.sample(5), vae.sample(5))
    assert str(vae.variance_split(rows[200:])).count("pPCA")
    assert vae.calibration(rows[200:], given="prior", n_draws=9).given == "prior"
    vae.partial_fit(rows[:200])
    np.testing.assert_array_equal(vae.model_.noise.scale, scale)
    vae.fit(rows[:200])
    assert isinstance(vae.model_.noise, noise.Gaussian)
