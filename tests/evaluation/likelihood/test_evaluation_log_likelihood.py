"""Estimates of log p(x): what they say of their own error."""

import jax
import numpy as np
import pytest

import wellposed as wp
from linear_gaussian import exact_model, rows_of
from wellposed import evaluation
from wellposed.evaluation.likelihood import importance_weights

KEY = jax.random.key(0)


@pytest.mark.parametrize(
    "at_once", [pytest.param(4096, marks=pytest.mark.slow), 64], ids=["one-block", "blocks"]
)
def test_standard_errors_cover_the_scatter_however_the_draws_are_cut(at_once, monkeypatch):
    """Blocks that shared their draws would scatter more than they say."""
    monkeypatch.setattr(importance_weights, "MOST", at_once)
    model, density = exact_model(spread=1.5)
    rows = rows_of(density, 20).astype(np.float32)
    found = [
        evaluation.log_likelihood(
            model, rows, n_samples=400, key=jax.random.key(seed), proposal="encoder"
        )
        for seed in range(60)
    ]
    scatter = np.std([f.value for f in found], axis=0).mean()
    stated = np.mean([f.standard_error for f in found])
    assert stated == pytest.approx(scatter, rel=0.2)


def test_one_draw_states_no_error():
    model, density = exact_model(spread=1.5)
    found = evaluation.log_likelihood(model, rows_of(density, 3), n_samples=1, key=KEY)
    assert np.isnan(found.standard_error).all()
    np.testing.assert_allclose(found.effective_sample_size, 1.0)
    with pytest.raises(wp.SettingError, match="n_samples"):
        evaluation.log_likelihood(model, rows_of(density, 3), n_samples=0, key=KEY)


def test_the_rates_of_the_latents_sum_to_the_kl():
    model, density = exact_model()
    rows = rows_of(density, 30)
    found = evaluation.rates(model, rows, key=KEY)
    assert found.shape == (30, 2)
    kl = evaluation.elbo(model, rows, n_samples=1, key=KEY).kl
    np.testing.assert_allclose(found.sum(axis=1), kl, rtol=1e-5)
