"""The importance-weighted bound: against quadrature, and between the ELBO and log p(x)."""

import jax
import numpy as np
import pytest

import wellposed as wp
from linear_gaussian import exact_model, rows_of
from wellposed import evaluation
from wellposed.evaluation.likelihood import importance_weights

KEY = jax.random.key(0)
SPREAD = 1.6


def expected(n_importance: int) -> float:
    """L_K − log p(x) for one latent: log w = log r + (1 − r²)ε²/2, by Gauss-Hermite products."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    weights = weights / weights.sum()
    log_w = np.log(SPREAD) + 0.5 * (1 - SPREAD**2) * nodes**2
    grids = np.meshgrid(*[log_w] * n_importance, indexing="ij")
    mass = np.prod(np.meshgrid(*[weights] * n_importance, indexing="ij"), axis=0)
    return float((mass * (np.logaddexp.reduce(grids) - np.log(n_importance))).sum())


@pytest.mark.parametrize("n_importance", [1, 2, 3])
@pytest.mark.usefixtures("x64")
def test_the_bound_is_that_of_quadrature(n_importance):
    model, density = exact_model(k=1, spread=SPREAD)
    rows = rows_of(density, 200)
    found = evaluation.iwae(model, rows, n_importance=n_importance, n_samples=200, key=KEY)
    excess = found.value - density.logpdf(rows)
    stated = np.sqrt((found.standard_error**2).sum()) / len(rows)
    assert excess.mean() == pytest.approx(expected(n_importance), abs=4 * stated)
    assert stated == pytest.approx(excess.std(ddof=1) / np.sqrt(len(rows)), rel=0.2)


@pytest.mark.parametrize(
    "at_once", [pytest.param(4096, marks=pytest.mark.slow), 64], ids=["one-block", "blocks"]
)
def test_bounds_rise_with_k_from_the_elbo_to_log_p(at_once, monkeypatch):
    monkeypatch.setattr(importance_weights, "MOST", at_once)
    model, density = exact_model(spread=SPREAD)
    rows = rows_of(density, 300).astype(np.float32)
    elbo = evaluation.elbo(model, rows, n_samples=64, key=KEY).elbo
    bounds = [
        evaluation.iwae(model, rows, n_importance=k, n_samples=16, key=jax.random.key(k)).value
        for k in (1, 4, 100)
    ]
    exact = density.logpdf(rows)
    assert bounds[0].mean() == pytest.approx(elbo.mean(), abs=0.1)
    means = [b.mean() for b in bounds]
    assert means[0] + 0.2 < means[1]
    assert means[1] + 0.05 < means[2] < exact.mean() + 0.01


@pytest.mark.usefixtures("x64")
def test_an_exact_posterior_makes_every_bound_log_p():
    model, density = exact_model()
    rows = rows_of(density, 5)
    found = evaluation.iwae(model, rows, n_importance=7, n_samples=1, key=KEY)
    np.testing.assert_allclose(found.value, density.logpdf(rows), rtol=1e-10)
    assert np.isnan(found.standard_error).all()


def test_numbers_below_one_are_refused():
    model, density = exact_model()
    with pytest.raises(wp.SettingError, match="n_importance"):
        evaluation.iwae(model, rows_of(density, 2), n_importance=0, key=KEY)
    with pytest.raises(wp.SettingError, match="n_samples"):
        evaluation.iwae(model, rows_of(density, 2), n_importance=2, n_samples=0, key=KEY)
