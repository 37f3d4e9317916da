"""CRPS and calibration where they are known in closed form."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import wellposed as wp
from linear_gaussian import exact_model, rows_of, with_bias
from wellposed import evaluation
from wellposed._errors import DataError, SettingError
from wellposed.evaluation.predictive.crps import crps_of, fair_crps
from wellposed.evaluation.predictive.imputation_chain import complete

KEY = jax.random.key(0)
LEVELS = np.array([0.5, 0.8, 0.9, 0.95])
# E|X − X'| of a standard normal is 2/√π; its CRPS at a draw of its own half of that.
OWN = 1 / np.sqrt(np.pi)


def within(found, exact, errors=4.0):
    assert np.abs(found.value - exact).max() < errors * found.standard_error.max()


# -- CRPS ------------------------------------------------------------------------------------


@pytest.mark.parametrize("s", [2, 3, 50])
def test_the_score_is_the_sum_over_all_pairs(s, x64):
    rng = np.random.default_rng(0)
    draws, x = rng.normal(size=(s, 4)).round(1), rng.normal(size=4).round(1)
    pairs = np.abs(draws[:, None] - draws[None]).sum(axis=(0, 1)) / (s * (s - 1))
    expected = np.abs(draws - x).mean(axis=0) - pairs / 2
    np.testing.assert_allclose(fair_crps(x, jnp.asarray(draws)), expected, atol=1e-12)


@pytest.mark.parametrize("s", [2, 20])
def test_a_normals_score_has_its_closed_form_whatever_the_number_of_draws(s):
    """Gneiting & Raftery (2007): σ[ω(2Φ(ω) − 1) + 2φ(ω) − 1/√π], ω = (x − μ)/σ."""
    from scipy.stats import norm

    omega = np.array([-1.5, 0.0, 0.7])
    exact = omega * (2 * norm.cdf(omega) - 1) + 2 * norm.pdf(omega) - OWN
    draws = jax.random.normal(KEY, (40_000, s, 3))
    scores = np.asarray(jax.jit(jax.vmap(fair_crps, (None, 0)))(jnp.asarray(omega), draws))
    error = scores.std(axis=0) / np.sqrt(len(scores))
    assert (np.abs(scores.mean(axis=0) - exact) < 4 * error).all()


def test_a_large_offset_costs_no_digits():
    draws = 1000 + np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    near = fair_crps(jnp.zeros(3), jnp.asarray(draws - 1000))
    np.testing.assert_allclose(fair_crps(jnp.full(3, 1000.0), jnp.asarray(draws)), near, rtol=1e-4)


def test_climatology_is_the_score_of_the_other_rows():
    rows = np.random.default_rng(1).gamma(2.0, size=(40, 3)).round(1)
    others = [np.delete(rows, i, axis=0) for i in range(40)]
    with jax.enable_x64(True):
        each = [fair_crps(jnp.asarray(rows[i]), jnp.asarray(others[i])) for i in range(40)]
    found = crps_of(rows, np.asarray(each), np.ones((40, 3), bool), np.ones(3))
    np.testing.assert_allclose(found.reference, np.mean(each, axis=0), rtol=1e-10)
    np.testing.assert_allclose(found.value, found.reference, rtol=1e-10)
    assert found.skill.value == pytest.approx(0, abs=1e-10)


def test_errors_are_the_scatter_over_data():
    """Half of the entries judged; a score that depends on the row."""
    found = []
    for seed in range(300):
        rng = np.random.default_rng(seed)
        rows = rng.normal(size=(60, 2))
        judged = rng.random((60, 2)) < 0.5
        found.append(crps_of(rows, 0.3 * np.abs(rows), judged, np.ones(2)))
    for name in ("value", "reference"):
        error = "standard_error" if name == "value" else "reference_error"
        scatter = np.std([getattr(f, name) for f in found], axis=0)
        np.testing.assert_allclose(
            np.mean([getattr(f, error) for f in found], axis=0), scatter, rtol=0.15
        )
    for name in ("mean", "mean_reference", "skill"):
        values = [getattr(f, name) for f in found]
        stated = np.mean([v.standard_error for v in values])
        assert stated == pytest.approx(np.std([v.value for v in values]), rel=0.2)


# -- the three statements --------------------------------------------------------------------


def test_reconstructions_of_a_solved_model_are_calibrated():
    model, density = exact_model()
    found = evaluation.calibration(model, rows_of(density, 2000), key=KEY)
    close(found)
    within(found.crps, np.sqrt(0.3) * OWN)
    assert "calibrated, as far as 2000 rows" in str(found)


def close(found):
    held = found.coverage
    assert np.abs(held.coverage - LEVELS).max() < 4 * held.standard_error.max()
    assert np.abs((held.histogram - 1) / held.histogram_error).max() < 4


def test_the_prior_of_a_solved_model_has_climatologys_score():
    model, density = exact_model()
    found = evaluation.calibration(model, rows_of(density, 2000), key=KEY, given="prior")
    close(found)
    exact = np.sqrt(np.diag(density.cov)) * OWN
    assert (np.abs(found.crps.value - exact) < 4 * found.crps.standard_error).all()
    assert (np.abs(found.crps.reference - exact) < 4 * found.crps.reference_error).all()
    assert abs(found.crps.skill.value) < 4 * found.crps.skill.standard_error + 1e-3


def conditional(density, hidden, x):
    """Mean and covariance of some features given the others, by the textbook."""
    mean, cov, given = density.mean, density.cov, ~hidden
    gain = cov[np.ix_(hidden, given)] @ np.linalg.inv(cov[np.ix_(given, given)])
    return (
        mean[hidden] + gain @ (x[given] - mean[given]),
        cov[np.ix_(hidden, hidden)] - gain @ cov[np.ix_(given, hidden)],
    )


@pytest.mark.parametrize(
    ("spread", "shift"),
    [*(pytest.param(s, 0.0, marks=pytest.mark.slow) for s in (1.0, 1.6)), (1.3, 0.3)],
)
def test_hidden_features_have_the_exact_conditional_whatever_the_encoder(spread, shift, x64):
    model, density = exact_model(spread=spread)
    model = with_bias(model, shift)
    density = type(density)(density.mean + shift, density.cov)
    hidden = np.array([True, False, False, True, False])
    x = rows_of(density, 1)
    found = eqx.filter_jit(complete)(
        model, jnp.asarray(x), jnp.asarray(hidden), n_draws=44_000, key=KEY
    )
    mean, cov = conditional(density, hidden, x)
    drawn = np.asarray(found.draws)
    np.testing.assert_array_equal(drawn[:, ~hidden], np.broadcast_to(x[~hidden], (44_000, 3)))
    assert np.abs(drawn[:, hidden].mean(axis=0) - mean).max() < 0.02
    assert np.abs(np.cov(drawn[:, hidden].T) - cov).max() < 0.03
    assert 0.1 < float(found.acceptance) <= 1


@pytest.mark.slow
def test_hidden_features_of_a_solved_model_are_calibrated():
    model, density = exact_model(spread=1.3)
    rows = rows_of(density, 1200)
    found = evaluation.calibration(model, rows, key=KEY, given="features", share=0.4)
    close(found)
    assert found.n_hidden == 2
    assert found.mixing == pytest.approx(1.0, abs=0.03)
    deviations = []
    for i in range(5):
        for j in range(i):
            hidden = np.isin(np.arange(5), (i, j))
            _, cov = conditional(density, hidden, density.mean)
            of_pair = np.full(5, np.nan)
            of_pair[hidden] = np.sqrt(np.diag(cov))
            deviations.append(of_pair)
    exact = np.nanmean(deviations, axis=0) * OWN
    assert (np.abs(found.crps.value - exact) < 4.5 * found.crps.standard_error).all()


@pytest.mark.slow
def test_a_model_without_the_datas_dependence_fails_on_hidden_features():
    """Marginals right, dependence of the other sign."""
    model, density = exact_model()
    rows = rows_of(density, 800) - density.mean
    flipped = rows * np.array([1, -1, 1, -1, 1]) + density.mean
    assert evaluation.calibration(model, flipped, key=KEY, given="prior").verdict.count("as far as")
    found = evaluation.calibration(model, flipped, key=KEY, given="features")
    assert found.coverage.coverage[2] < 0.85
    assert "too narrow" in found.verdict
    assert found.crps.skill.value < 0


def test_a_narrow_noise_is_told_from_a_wide_one():
    model, density = exact_model()
    rows = rows_of(density, 500)
    for factor, words in ((0.5, "too narrow"), (2.0, "too wide")):
        noise = wp.noise.Rescaled(model.noise, factor)
        other = eqx.tree_at(lambda m: m.noise, model, noise)
        assert words in evaluation.calibration(other, rows, key=KEY).verdict


@pytest.mark.slow
def test_constants_are_neither_hidden_nor_judged():
    model, density = exact_model()
    rows = rows_of(density, 300)
    rows[:, 2] = 50.0
    found = evaluation.calibration(model, rows, key=KEY, given="features", n_draws=11)
    assert np.isnan(found.crps.value[2])
    assert found.coverage.n_features == 4
    assert np.isfinite(found.crps.mean.value)
    assert np.isnan(found.mixing)  # one draw a chain tells nothing of it


def test_bad_settings_are_refused():
    model, density = exact_model()
    rows = rows_of(density, 5)
    with pytest.raises(SettingError, match="n_draws must be a whole number from 2"):
        evaluation.calibration(model, rows, key=KEY, n_draws=1)
    with pytest.raises(SettingError, match="'features'"):
        evaluation.calibration(model, rows, key=KEY, given="feature")
    for share in (0, 1.0, True, "half"):
        with pytest.raises(SettingError, match="share must be"):
            evaluation.calibration(model, rows, key=KEY, given="features", share=share)
    rows[:, 1:] = 1.0
    with pytest.raises(DataError, match="two features that vary"):
        evaluation.calibration(model, rows, key=KEY, given="features")


def test_dependent_noise_is_refused_for_hidden_features():
    model, density = exact_model()
    noise = wp.noise.LowRankGaussian(1, 0.3)
    decoder = wp.nn.Linear(jnp.zeros((2, 10)), jnp.zeros(10))
    model = eqx.tree_at(lambda m: (m.noise, m.decoder), model, (noise, decoder))
    with pytest.raises(SettingError, match="got LowRankGaussian"):
        evaluation.calibration(model, rows_of(density, 5), key=KEY, given="features")
