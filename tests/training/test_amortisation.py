"""What the encoder loses, against models in which the best q, and log p(x), are formulas."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import wellposed as wp
from linear_gaussian import exact_model, rows_of
from wellposed import evaluation, training
from wellposed.numerics import inverse_positive

KEY = jax.random.key(3)
VARIANCE, K = 0.3, 2
PRECISION = np.linspace(2.0, 1.0, K) ** 2 + VARIANCE  # times σ²: the true posterior is σ²/this


def shifted(model, shift: float):
    """The encoder's means moved by ``shift`` true posterior standard deviations."""
    move = shift * np.sqrt(VARIANCE / PRECISION)
    bias = model.encoder.bias.at[:K].add(move)
    return eqx.tree_at(lambda m: m.encoder.bias, model, bias)


def rotated(model, angle: float = 0.7):
    """Turn the latents, which leaves p(x) and makes the true posterior a correlated Gaussian.

    The best diagonal q has its mean, and the inverse diagonal of its precision; the encoder here
    has that mean and the variances of the axes before the turn.
    """
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    weight = np.asarray(model.encoder.weight).copy()
    bias = np.asarray(model.encoder.bias).copy()
    weight[:, :K], bias[:K] = weight[:, :K] @ turn.T, turn @ bias[:K]
    return eqx.tree_at(
        lambda m: (m.encoder.weight, m.encoder.bias, m.decoder.weight),
        model,
        (jnp.asarray(weight), jnp.asarray(bias), jnp.asarray(turn @ model.decoder.weight)),
    ), turn


@pytest.mark.parametrize(("spread", "shift"), [(2.0, 0.0), (0.2, 0.0), (1.0, 3.0), (1.5, -1.0)])
def test_the_gap_of_a_wrong_encoder_is_its_divergence_from_the_posterior(spread, shift, x64):
    model, density = exact_model(variance=VARIANCE, spread=spread)
    model = shifted(model, shift)
    rows = rows_of(density, 40)
    exact = K * (0.5 * (spread**2 + shift**2 - 1) - np.log(spread))
    found = training.amortisation_gap(model, rows, key=KEY)
    assert found.improved.all()
    errors = (found.gap - exact) / found.standard_error
    assert np.abs(found.gap - exact).max() < 5 * found.standard_error.max() + 0.01
    assert np.abs(errors.mean()) < 1  # no bias that the errors hide
    np.testing.assert_allclose(found.optimised, density.logpdf(rows), atol=0.02)
    assert found.mean.value == pytest.approx(exact, abs=0.01 + 4 * found.mean.standard_error)


def test_an_exact_encoder_loses_nothing_and_no_gap_is_negative(x64):
    """Whatever the climb did, on rows where it is no better the encoder's q is kept."""
    model, density = exact_model(variance=VARIANCE)
    for steps in (0, 5, 100):
        found = training.amortisation_gap(model, rows_of(density, 100), key=KEY, n_steps=steps)
        assert found.mean.value > -3 * found.mean.standard_error - 1e-9
        assert abs(found.mean.value) < 0.002
        kept = found.improved == 0
        assert np.all(found.gap[kept] == 0)
        assert np.all(found.standard_error[kept] == 0)


def test_choosing_the_better_of_two_equals_wins_nothing():
    """Between two q of nearly one ELBO the choice is by chance, and its draws are not counted.

    One step from the optimum; few draws, so that a maximum over the same ones would be positive.
    """
    model, density = exact_model(variance=VARIANCE, spread=1.02)
    rows = rows_of(density, 400).astype(np.float32)
    found = training.amortisation_gap(model, rows, key=KEY, n_steps=1, n_samples=2)
    assert 0.2 < found.improved.mean() < 1
    assert abs(found.mean.value) < 3 * found.mean.standard_error + 0.002


def test_the_two_gaps_of_a_correlated_posterior_are_formulas(x64):
    """Approximation: half of log ∏ Λ_ii − log det Λ; amortisation: two diagonal Gaussians apart."""
    base, density = exact_model(variance=VARIANCE)
    model, turn = rotated(base)
    precision = turn @ np.diag(PRECISION / VARIANCE) @ turn.T
    approximation = 0.5 * (np.log(np.diag(precision)).sum() - np.linalg.slogdet(precision)[1])
    ratio = (VARIANCE / PRECISION) * np.diag(precision)
    amortisation = 0.5 * (ratio - 1 - np.log(ratio)).sum()
    rows = rows_of(density, 60)
    found = training.amortisation_gap(model, rows, key=KEY)
    gaps = training.inference_gaps(found, density.logpdf(rows))
    for part, exact in (
        (gaps.amortisation, amortisation),
        (gaps.approximation, approximation),
        (gaps.total, amortisation + approximation),
    ):
        assert exact > 0.04
        assert part.value == pytest.approx(exact, abs=0.005 + 4 * part.standard_error)
    assert gaps.total.value == pytest.approx(gaps.amortisation.value + gaps.approximation.value)
    assert "60 rows" in str(gaps)


def test_the_stated_errors_are_the_spread_over_draws():
    """Of one row, whose gap differs from key to key by the draws alone."""
    model, density = exact_model(variance=VARIANCE, spread=2.0)
    row = rows_of(density, 1).astype(np.float32)
    runs = [
        training.amortisation_gap(model, row[None], key=jax.random.key(s), n_samples=64)
        for s in range(40)
    ]
    spread = np.std([run.gap[0] for run in runs], ddof=1)
    stated = np.mean([run.standard_error[0] for run in runs])
    assert 0.7 < stated / spread < 1.4
    assert runs[0].mean.standard_error == runs[0].standard_error[0]


def test_a_latent_known_to_a_thousandth_is_reached_too(x64):
    """Steps are in q's own standard deviations."""
    model, density = exact_model(variance=1e-6)
    raw = np.asarray(model.encoder.bias[K:])
    scale = 3 * np.sqrt(1e-6 / (np.linspace(2.0, 1.0, K) ** 2 + 1e-6))
    model = eqx.tree_at(
        lambda m: m.encoder.bias,
        model,
        model.encoder.bias.at[K:].set(inverse_positive(jnp.asarray(scale))),
    )
    assert raw.shape == scale.shape
    found = training.amortisation_gap(model, rows_of(density, 100), key=KEY, n_samples=1_024)
    exact = K * (0.5 * (9 - 1) - np.log(3))
    assert found.mean.standard_error < 0.005 * exact
    assert found.mean.value == pytest.approx(exact, abs=4 * found.mean.standard_error)


def test_the_encoders_elbo_is_that_of_the_other_scores(x64):
    """The same transform's key: noise that dequantises is one."""
    model, density = exact_model(variance=VARIANCE, spread=1.5)
    rows = rows_of(density, 20)
    found = training.amortisation_gap(model, rows, key=KEY, n_steps=0, n_samples=2_000)
    terms = evaluation.elbo(model, rows, n_samples=2_000, key=KEY)
    np.testing.assert_allclose(found.encoder, terms.elbo, atol=0.3)
    assert np.abs(np.mean(found.encoder - terms.elbo)) < 0.05
    assert not found.improved.any()


def test_numbers_out_of_range_are_refused():
    model, density = exact_model()
    rows = rows_of(density, 3)
    with pytest.raises(wp.SettingError, match=r"n_samples must be .* from 2 to .*; got 1"):
        training.amortisation_gap(model, rows, key=KEY, n_samples=1)
    with pytest.raises(wp.SettingError, match="n_steps"):
        training.amortisation_gap(model, rows, key=KEY, n_steps=-1)
    found = training.amortisation_gap(model, rows, key=KEY, n_steps=1, n_samples=2)
    with pytest.raises(wp.DataError, match="3 finite numbers"):
        training.inference_gaps(found, np.zeros(2))
    with pytest.raises(wp.DataError, match="finite"):
        training.inference_gaps(found, np.full(3, np.nan))
