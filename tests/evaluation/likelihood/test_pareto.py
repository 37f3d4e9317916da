"""The shape of a tail of weights: against known shapes, and the published formulas written out."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import genpareto

from linear_gaussian import exact_model, rows_of
from wellposed import evaluation
from wellposed.evaluation.likelihood import importance_weights
from wellposed.evaluation.likelihood.pareto_k import pareto_k, tail_size

compiled = jax.jit(pareto_k, static_argnums=1)


def shape_of(log_w) -> float:
    s = len(log_w)
    largest = np.sort(np.asarray(log_w))[::-1][: tail_size(s) + 1]
    return float(compiled(jnp.asarray(largest), s))


def as_published(log_w) -> float:
    """Zhang & Stephens (2009), eqs. 5-7, and Vehtari et al.'s prior, on plain weights."""
    s = len(log_w)
    m = int(min(0.2 * s, np.ceil(3 * np.sqrt(s))))
    w = np.sort(np.exp(log_w))
    x = w[-m:] - w[-m - 1]
    n_grid = 30 + int(np.sqrt(m))
    theta = [
        1 / x[-1] + (1 - np.sqrt(n_grid / (j - 0.5))) / (3 * x[int(m / 4 + 0.5) - 1])
        for j in range(1, n_grid + 1)
    ]
    k = [-np.mean(np.log1p(-t * x)) for t in theta]
    profile = np.array([m * (np.log(t / k) + k - 1) for t, k in zip(theta, k, strict=True)])
    weight = [1 / np.exp(profile - one).sum() for one in profile]
    best = np.mean(np.log1p(-np.dot(weight, theta) * x))
    return (m * best + 5) / (m + 10)


@pytest.mark.parametrize("s", [25, pytest.param(128, marks=pytest.mark.slow), 5000])
@pytest.mark.usefixtures("x64")
def test_the_shape_is_that_of_the_published_formulas(s):
    rng = np.random.default_rng(s)
    for spread in (0.1, 1.0, 3.0):
        log_w = spread * rng.normal(size=s)
        assert shape_of(log_w) == pytest.approx(as_published(log_w), abs=1e-8)


@pytest.mark.parametrize("shape", [-0.5, 0.0, 0.5, 1.0, 2.0])
@pytest.mark.usefixtures("x64")
def test_a_generalised_pareto_tail_gives_its_own_shape(shape):
    rng = np.random.default_rng(0)
    found = [shape_of(np.log1p(genpareto(shape).rvs(100_000, random_state=rng))) for _ in range(10)]
    error = (1 + abs(shape)) / np.sqrt(tail_size(100_000) * 10)
    assert np.mean(found) == pytest.approx(shape, abs=4 * error + 0.02)


def test_shapes_are_finite_from_rounding_noise_to_thousands_of_nats():
    rng = np.random.default_rng(0)
    noise = rng.normal(size=5_000).astype(np.float32)
    rounding = [shape_of(np.float32(offset) + 1e-6 * noise) for offset in (0, -1_000)]
    assert max(rounding) < 0.7
    assert np.isfinite(shape_of(np.zeros(100, np.float32)))
    wide = [shape_of(spread * noise) for spread in (5, 100, 3_000)]
    assert np.isfinite(wide).all()
    assert (np.diff(wide) > 0).all()
    assert wide[0] > 0.7
    assert np.isnan(shape_of(np.zeros(24, np.float32)))


@pytest.mark.parametrize("at_once", [4096, 64], ids=["one-block", "blocks"])
@pytest.mark.parametrize("spread", [0.5, 0.8])
def test_weights_of_too_narrow_an_encoder_have_the_shape_of_theory(spread, at_once, monkeypatch):
    """With r times the posterior's width, w = exp((1 − r²)|ε|²/2): for two latents, exactly Pareto.

    Its shape is 1 − r², however the draws were cut.
    """
    monkeypatch.setattr(importance_weights, "MOST", at_once)
    model, density = exact_model(spread=spread)
    rows = rows_of(density, 100).astype(np.float32)
    found = evaluation.log_likelihood(
        model, rows, n_samples=2_000, key=jax.random.key(0), proposal="encoder"
    )
    error = float(found.pareto_k.std(ddof=1)) / 10
    assert found.pareto_k.mean() == pytest.approx(1 - spread**2, abs=4 * error + 0.03)
    np.testing.assert_array_equal(found.untrusted, found.pareto_k > 0.7)


def test_the_record_says_what_to_believe():
    for spread, said in ((1.1, "standard errors are reliable"), (0.2, 'method="auto"')):
        model, density = exact_model(spread=spread)
        rows = rows_of(density, 20).astype(np.float32)
        found = evaluation.log_likelihood(
            model, rows, n_samples=2_000, key=jax.random.key(0), proposal="encoder"
        )
        text = str(found)
        assert said in text
        assert f"mean {found.value.mean(dtype=np.float64):.6g} ±" in text
        assert f"{found.untrusted.mean():.1%} of 20 rows" in text
