"""The library works where a user has JAX refuse promotion of ranks and of types."""

import jax
import numpy as np
import pytest

import wellposed as wp
from textbook import textbook_vae
from variants import slow_beside
from wellposed.noise import CausalGaussian, CausalLogistic, Columns

LEVELS = np.random.default_rng(0).integers(0, 5, size=(48, 9))
REAL = LEVELS + np.random.default_rng(1).normal(size=LEVELS.shape)
UNIT = np.random.default_rng(2).beta(2.0, 3.0, size=(48, 9))
AMOUNTS = np.exp(REAL / 4)
NOISES = {
    "0.5": (0.5, REAL),
    "shared": ("shared", REAL),
    "feature": ("feature", REAL),
    "conditional": ("conditional", REAL),
    "laplace": ("laplace", REAL),
    "student-t": ("student-t", REAL),
    "quantile": ("quantile", REAL),
    "low-rank": ("low-rank", REAL),
    "causal-gaussian": (CausalGaussian(window=3), REAL),
    "truncated-normal": ("truncated-normal", UNIT),
    "beta": ("beta", UNIT),
    "continuous-bernoulli": ("continuous-bernoulli", UNIT),
    "log-normal": ("log-normal", AMOUNTS),
    "gamma": ("gamma", AMOUNTS),
    "zero-inflated": ("zero-inflated", AMOUNTS * (LEVELS > 0)),
    "bernoulli": ("bernoulli", LEVELS > 1),
    "beta-binomial": ("beta-binomial", LEVELS),
    "categorical": ("categorical", LEVELS),
    "discretized-gaussian": ("discretized-gaussian", LEVELS),
    "discretized-logistic": ("discretized-logistic", LEVELS),
    "causal-logistic": (CausalLogistic(window=3), LEVELS),
    "poisson": ("poisson", LEVELS),
    "negative-binomial": ("negative-binomial", LEVELS),
    "columns": (Columns(["poisson"] * 4 + ["shared"] * 3 + ["feature"] * 2), LEVELS),
}
# Of the ways of the code; the others are slow.
TYPICAL = {"shared", "zero-inflated"}


@pytest.fixture(autouse=True)
def strict():
    with jax.numpy_rank_promotion("raise"), jax.numpy_dtype_promotion("strict"):
        yield


@pytest.mark.filterwarnings("ignore::wellposed.TrainingWarning")
@pytest.mark.parametrize("name", slow_beside(NOISES, TYPICAL))
def test_a_model_is_fitted_scored_and_drawn_from(name):
    noise, rows = NOISES[name]
    images = {"image_shape": (3, 3)} if name.startswith("causal") else {}
    vae = textbook_vae(2, noise=noise, hidden=(4,), max_epochs=1, random_state=0, **images).fit(
        rows
    )
    assert np.isfinite(vae.score_samples(rows[:5], n_samples=4)).all()
    assert np.isfinite(vae.elbo(rows[:5], n_samples=4)).all()
    assert vae.transform(rows[:5]).shape == (5, 2)
    assert vae.reconstruct(rows[:5]).shape == (5, 9)
    for how in ("ancestral", "mean", "coupled"):
        assert np.isfinite(vae.sample(3, how=how, random_state=0)).all()


@pytest.mark.parametrize("make", [wp.PPCA, wp.FactorAnalysis, wp.MixturePPCA, wp.LinearVAE])
def test_an_exact_model_is_fitted_scored_and_drawn_from(make):
    model = make(2).fit(REAL)
    assert np.isfinite(model.score_samples(REAL)).all()
    assert np.isfinite(model.sample(3, random_state=0)).all()
