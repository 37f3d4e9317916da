"""Audits of models whose noise variance, ELBO and collapse are known exactly."""

import dataclasses
import math

import jax.numpy as jnp
import numpy as np
import pytest

import wellposed as wp
from linear_gaussian import exact_model, rows_of
from wellposed.evaluation import audit, implied_noise_variance
from wellposed.evaluation.audits.foreign_vae import ForeignVAE
from wellposed.numerics import LOG_2PI


@dataclasses.dataclass(frozen=True)
class Linear:
    """The exact VAE of N(mean, W Wᵀ + σ²I) with orthogonal columns of W, in numpy."""

    loadings: np.ndarray  # (d, k)
    mean: np.ndarray
    variance: float

    @property
    def precision(self):
        return (self.loadings**2).sum(axis=0) + self.variance

    def encode(self, rows):
        mean = (rows - self.mean) @ self.loadings / self.precision
        return mean, np.tile(np.sqrt(self.variance / self.precision), (len(rows), 1))

    def decode(self, latents):
        return latents @ self.loadings.T + self.mean

    def scaled(self, c):
        """Return the model of c·x: c multiplies W, mean and σ."""
        return Linear(c * self.loadings, c * self.mean, c**2 * self.variance)


def linear(variance=0.3):
    model, density = exact_model(variance=variance)
    weight, bias = np.asarray(model.decoder.weight), np.asarray(model.decoder.bias)
    return Linear(weight.T.astype(float), bias.astype(float), variance), density


def ppca(rows, k):
    """Return the pPCA of the rows as a VAE, and its mean log density.

    References: Tipping & Bishop (1999): σ² is the mean of the discarded eigenvalues, and what
    the quadratic forms sum to is the number of features.
    """
    values, vectors = np.linalg.eigh(np.cov(rows.T, bias=True))
    kept, d = values[-k:], len(values)
    variance = values[:-k].mean()
    log_det = np.log(kept).sum() + (d - k) * math.log(variance)
    model = Linear(vectors[:, -k:] * np.sqrt(kept - variance), rows.mean(axis=0), variance)
    return model, -0.5 * (d * LOG_2PI + log_det + d)


def audited(model, rows, **settings):
    settings = {"noise_variance": model.variance, **settings}
    return audit(encode=model.encode, decode=model.decode, X=rows, **settings)


def test_a_known_variance_is_recovered():
    model, density = linear(0.3)
    found = audited(model, rows_of(density, 20_000), noise_variance=5.0)
    assert found.optimal_error < 0.003
    assert found.optimal_noise_variance == pytest.approx(0.3, abs=4 * found.optimal_error)
    assert found.noise_variance == 5.0


@pytest.mark.parametrize("make", [np.float32, np.asarray, jnp.asarray])
def test_a_learned_variance_may_be_an_array_of_no_dimensions(make):
    model, density = linear()
    found = audited(model, rows_of(density, 10), noise_variance=make(0.25))
    assert found.noise_variance == 0.25
    assert isinstance(found.noise_variance, float)


def test_the_error_of_the_optimal_variance_is_its_scatter():
    model, density = linear(0.3)
    found = [audited(model, rows_of(density, 200, seed), n_samples=2) for seed in range(60)]
    scatter = np.std([f.optimal_noise_variance for f in found])
    assert np.mean([f.optimal_error for f in found]) == pytest.approx(scatter, rel=0.25)
    scatter = np.std([f.trained.elbo for f in found])
    assert np.mean([f.trained.standard_error for f in found]) == pytest.approx(scatter, rel=0.25)


def test_the_elbo_at_the_true_variance_is_log_p():
    model, density = linear()
    rows = rows_of(density, 2_000)
    found = audited(model, rows, n_samples=50)
    assert found.trained.monte_carlo_error < 0.01
    assert found.trained.elbo == pytest.approx(
        density.logpdf(rows).mean(), abs=4 * found.trained.monte_carlo_error
    )


@pytest.mark.parametrize("variance", [0.05, 2.0])
def test_the_elbo_at_another_variance_is_its_closed_form(variance):
    """Lucas, Tucker, Grosse & Norouzi (2019): all of it, with q and W held."""
    model, density = linear()
    rows = rows_of(density, 2_000)
    d, (mean, deviation) = rows.shape[1], model.encode(rows)
    error = ((rows - model.decode(mean)) ** 2).sum(1)
    error = error + (deviation**2 * (model.loadings**2).sum(0)).sum(1)
    kl = (0.5 * (mean**2 + deviation**2 - 1) - np.log(deviation)).sum(1)
    exact = -0.5 * d * (LOG_2PI + math.log(variance)) - error / (2 * variance) - kl
    found = audited(model, rows, noise_variance=variance, n_samples=50)
    assert found.trained.elbo == pytest.approx(
        exact.mean(), abs=4 * found.trained.monte_carlo_error
    )
    assert found.trained.elbo < found.optimal.elbo
    best = -0.5 * d * (LOG_2PI + math.log(error.mean() / d) + 1) - kl.mean()
    assert found.optimal.elbo == pytest.approx(best, abs=4 * found.optimal.monte_carlo_error)
    np.testing.assert_allclose(found.rates.sum(), kl.mean(), rtol=1e-5)


def test_the_monte_carlo_error_is_the_scatter_over_seeds_and_falls_with_draws():
    model, density = linear()
    rows = rows_of(density, 50)
    found = [audited(model, rows, n_samples=3, random_state=seed) for seed in range(100)]
    scatter = np.std([f.trained.elbo for f in found])
    assert np.mean([f.trained.monte_carlo_error for f in found]) == pytest.approx(scatter, rel=0.25)
    many = audited(model, rows, n_samples=300).trained
    assert many.monte_carlo_error == pytest.approx(scatter / 10, rel=0.3)
    one = audited(model, rows, n_samples=1).trained
    assert math.isnan(one.monte_carlo_error)
    assert one.standard_error > 0


def test_at_the_optimum_of_ppca_the_variance_is_ppcas():
    rows = np.random.default_rng(0).normal(size=(3_000, 7)) @ np.diag([5, 4, 3, 2, 1, 0.5, 0.1])
    model, exact = ppca(rows, 3)
    found = audited(model, rows, n_samples=100)
    tolerance = 4 * found.optimal.monte_carlo_error * 2 * model.variance / rows.shape[1]
    assert found.optimal_noise_variance == pytest.approx(model.variance, abs=tolerance)
    assert tolerance < 0.01 * model.variance
    assert found.optimal.elbo == pytest.approx(exact, abs=4 * found.optimal.monte_carlo_error)
    assert found.forecast.n_active == 3
    assert not found.collapse.collapsed.any()
    assert found.advice == (
        "Nothing to change: σ² is within a tenth of its optimum, no latent has collapsed.",
    )


def test_bits_do_not_change_with_units_where_the_resolution_does():
    model, density = linear()
    rows, c = rows_of(density, 500), 255.0
    d = rows.shape[1]
    one, other = audited(model, rows), audited(model.scaled(c), c * rows)
    assert other.trained.elbo == pytest.approx(one.trained.elbo - d * math.log(c), rel=1e-6)
    bits = one.trained.bits_per_dimension
    assert bits == pytest.approx(-one.trained.elbo / (d * math.log(2)), rel=1e-12)
    assert other.trained.bits_per_dimension == pytest.approx(bits + math.log2(c), rel=1e-6)
    fine = audited(model, rows, resolution=0.1).optimal
    coarse = audited(model.scaled(c), c * rows, resolution=np.full(d, 0.1 * c)).optimal
    assert fine.bits_per_dimension == pytest.approx(coarse.bits_per_dimension, rel=1e-6)
    assert fine.bits_per_dimension == pytest.approx(
        one.optimal.bits_per_dimension + math.log2(10), rel=1e-12
    )
    uneven = audited(model, rows, resolution=np.arange(1.0, d + 1)).optimal
    assert uneven.bits_per_dimension == pytest.approx(
        one.optimal.bits_per_dimension - np.log2(np.arange(1.0, d + 1)).mean(), rel=1e-12
    )


@pytest.mark.parametrize("batch_size", [1, 7, 1_000])
def test_the_batch_size_changes_nothing(batch_size):
    model, density = linear()
    rows = rows_of(density, 50)
    wanted = audited(model, rows).optimal
    got = audited(model, rows, batch_size=batch_size).optimal
    assert got.elbo == pytest.approx(wanted.elbo, rel=1e-12)
    other = audited(model, rows, random_state=np.random.default_rng(9)).optimal
    assert other.elbo != wanted.elbo


def test_callables_see_no_more_than_a_batch_in_the_types_they_know():
    model, density = linear()
    seen = []

    def encode(rows):
        seen.append((len(rows), rows.dtype))
        return tuple(part.astype(np.float32) for part in model.encode(rows))

    def decode(latents):
        seen.append((len(latents), latents.dtype))
        return model.decode(latents)

    rows = rows_of(density, 50).astype(np.float32)
    audit(encode=encode, decode=decode, X=rows, noise_variance=0.3, batch_size=16)
    assert max(n for n, _ in seen) == 16
    assert {kind for _, kind in seen} == {np.dtype("float32")}


@pytest.mark.parametrize(
    ("name", "scale"), [("variance", np.square), ("log_variance", lambda s: 2 * np.log(s))]
)
def test_scales_of_the_encoder_by_other_names(name, scale):
    model, density = linear()
    rows = rows_of(density, 50)

    def encode(x):
        mean, deviation = model.encode(x)
        return [mean, scale(deviation)]

    got = audit(encode=encode, decode=model.decode, X=rows, noise_variance=0.3, encoder_scale=name)
    assert got.trained.elbo == pytest.approx(audited(model, rows).trained.elbo, rel=1e-6)


def test_images_keep_their_shape():
    model, density = linear()
    rows = rows_of(density, 50)
    got = audit(
        encode=lambda x: model.encode(x.reshape(len(x), -1)),
        decode=lambda z: model.decode(z).reshape(-1, 1, 5),
        X=rows.reshape(-1, 1, 5),
        noise_variance=0.3,
    )
    assert got.trained.elbo == audited(model, rows).trained.elbo
    assert got.n_features == 5


SPECTRUM = np.array([4.0, 2.0, 1.0, 0.5, 0.1, 0.1])


def trained_at(variance, k=4, n=4_000):
    """Return rows of SPECTRUM and the linear VAE that is optimal at a given σ²."""
    rows = np.random.default_rng(0).normal(size=(n, 6)) * np.sqrt(SPECTRUM)
    values, vectors = np.linalg.eigh(np.cov(rows.T, bias=True))
    values, vectors = values[::-1], vectors[:, ::-1]
    kept = np.sqrt(np.maximum(values[:k] - variance, 0))
    return rows, Linear(vectors[:, :k] * kept, rows.mean(0), variance)


def test_too_large_a_variance_is_named_with_the_latents_that_it_prices_out():
    """At σ² = 1.5 a linear VAE keeps the directions of variance 4 and 2, and no other."""
    rows, model = trained_at(1.5)
    loss = implied_noise_variance(reduction="mean", n_features=6, kl_weight=0.5)
    assert loss.noise_variance == 1.5
    found = audited(model, rows, noise_variance=loss)
    assert found.collapse.collapsed.tolist() == [False, False, True, True]
    assert found.collapse.active_units.tolist() == [True, True, False, False]
    assert found.forecast.n_active == 2
    assert found.forecast_at_optimum.n_active == 3
    np.testing.assert_allclose(
        found.rates, [0.5 * math.log(4 / 1.5), 0.5 * math.log(2 / 1.5), 0, 0], atol=0.05
    )
    # What is left is σ² of the two kept directions, and the variance of the others.
    best = (1.5 + 1.5 + 1 + 0.5 + 0.1 + 0.1) / 6
    assert found.optimal_noise_variance == pytest.approx(best, rel=0.02)
    first, second = found.advice
    assert "too large" in first
    assert f"kl_weight = {found.optimal_noise_variance / 3:.3g}" in first
    assert "2 of 4 latents have collapsed (2, 3): σ² is too large for them" in second
    # Following it: the ELBO rises, and latents come back.
    after = audited(*reversed(trained_at(found.optimal_noise_variance)))
    assert after.trained.elbo > found.optimal.elbo > found.trained.elbo
    assert after.collapse.collapsed.sum() == 1


def test_too_small_a_variance():
    rows, model = trained_at(0.001)
    found = audited(model, rows, noise_variance=0.001)
    assert "too small" in found.advice[0]
    assert found.optimal.elbo > found.trained.elbo
    assert not found.collapse.collapsed.any()


def test_collapse_that_is_not_the_variances_doing():
    rows, model = trained_at(0.1)
    loadings = model.loadings.copy()
    loadings[:, 0] = 0.0  # the direction of variance 4 has a latent that sleeps
    found = audited(Linear(loadings, model.mean, 0.1), rows)
    assert found.collapse.collapsed.tolist() == [True, False, False, False]
    assert any("not σ² but training" in said for said in found.advice)


def test_latents_that_no_variance_would_wake():
    """Four directions above the noise and five latents: one carries nothing.

    In a sample the largest eigenvalue of the noise is above σ², by chance: no latent can live on
    that.
    """
    loadings = np.eye(6, 5) * np.sqrt(SPECTRUM - 0.1)[:5]
    model = Linear(loadings, np.zeros(6), 0.1)
    found = audited(model, rows_like(model, 40_000), n_samples=2, noise_variance=0.098)
    assert found.collapse.collapsed.tolist() == [False] * 4 + [True]
    assert found.forecast.n_active == 5
    found = dataclasses.replace(found, forecast_at_optimum=found.forecast)
    (said,) = found.advice
    assert "as in a linear model, which keeps 4: 4 latents are enough" in said
    assert "kept by a linear model: 4 at the σ² of training, 4 at the optimal σ²" in str(found)


def test_a_variance_that_is_too_large_but_prices_nothing_out():
    """At 0.2, and at the optimum of the networks trained there, four directions exceed it."""
    rows, model = trained_at(0.2, k=5)
    found = audited(model, rows)
    assert found.collapse.collapsed.tolist() == [False] * 4 + [True]
    first, second = found.advice
    assert "too large" in first
    assert "as in a linear model, which keeps 4" in second


def rows_like(model, n):
    rng = np.random.default_rng(1)
    latents = rng.normal(size=(n, model.loadings.shape[1]))
    noise = rng.normal(size=(n, len(model.mean)))
    return model.decode(latents) + math.sqrt(model.variance) * noise


def test_active_units_and_collapse_are_two_criteria():
    """A latent with a wide, wandering mean of small rate is an active unit, and neither word is
    the other's: Var E[z|x] = 0.015 costs 0.0075 nats."""
    model, density = linear()

    def encode(rows):
        mean, deviation = model.encode(rows)
        faint = 0.125 * np.sign(rows[:, :1] - model.mean[0])
        return np.hstack([mean, faint]), np.hstack([deviation, np.full((len(rows), 1), 0.999)])

    def decode(latents):
        return model.decode(latents[:, :2])

    found = audit(encode=encode, decode=decode, X=rows_of(density, 500), noise_variance=0.3)
    assert found.collapse.collapsed.tolist() == [False, False, True]
    assert found.collapse.active_units.tolist() == [True, True, True]
    said = str(found)
    assert "1 of 3 (2)" in said
    assert "3 of 3" in said


def test_a_loss_without_a_likelihood():
    model, density = linear()
    loss = implied_noise_variance(reduction="sum", kl_weight=0.0)
    found = audited(model, rows_of(density, 200), noise_variance=loss)
    assert found.trained is None
    assert found.forecast is None
    assert found.noise_variance == 0
    assert "no likelihood" in found.advice[0]
    assert f"kl_weight = {2 * found.optimal_noise_variance:.3g}" in found.advice[0]
    assert "no density" in str(found)


def test_a_stated_variance_that_is_not_the_one_trained_at():
    model, density = linear()
    loss = implied_noise_variance(
        reduction="sum", noise_variance=0.6, kl_reduction="mean", n_latents=2
    )
    found = audited(model, rows_of(density, 2_000), noise_variance=loss)
    (said,) = found.advice
    assert "states σ² = 0.6 and weighs its KL by 0.5" in said
    assert "score at σ² = 0.3" in said


def test_a_variance_below_the_rounding_of_the_data():
    model, density = linear(0.01)
    rows = rows_of(density, 500)
    assert any("rounding" in said for said in audited(model, rows, resolution=1.0).advice)
    # 0.3/√12 is below σ = 0.1.
    assert not any("rounding" in said for said in audited(model, rows, resolution=0.3).advice)


def test_a_decoder_in_other_units_is_named():
    model, density = linear()
    rows = 255 * rows_of(density, 200)
    found = audit(
        encode=lambda x: model.encode(x / 255), decode=model.decode, X=rows, noise_variance=0.3
    )
    assert "worse than the mean of the data" in found.advice[0]
    assert "units of X" in found.advice[0]


def test_the_report():
    rows, model = trained_at(1.5)
    loss = implied_noise_variance(reduction="sum", kl_weight=3.0)
    found = audited(model, rows, noise_variance=loss)
    said = str(found)
    assert "4000 rows, 6 features, 8 draws" in said
    assert "ELBO at σ² = 1.5" in said
    assert "kept by a linear model: 2 at the σ² of training, 3 at the optimal σ²" in said
    for name, score in (("of training", found.trained), ("optimal", found.optimal)):
        (line,) = [line for line in said.splitlines() if line.startswith(f"{name} ")]
        for part in (
            f" {score.noise_variance:.4g} ",
            f" {score.elbo:.2f} ± {score.standard_error:.2f} ",
            f" {score.bits_per_dimension:.3f}",
        ):
            assert part in line
    assert all(f"- {sentence}" in said for sentence in found.advice)


ROWS = rows_of(linear()[1], 20)
GOOD = {"encode": linear()[0].encode, "decode": linear()[0].decode, "X": ROWS}


def encode_as(change):
    return {"encode": lambda x: change(*GOOD["encode"](x))}


def decode_as(change):
    return {"decode": lambda z: change(GOOD["decode"](z))}


def with_nan(values):
    values[-1, 0] = np.nan
    return values


CHANCE = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (encode_as(lambda m, s: m), "encode must return a pair.*got a ndarray.*Leave out"),
        (encode_as(lambda m, s: (m, s, m)), "encode must return a pair.*got a tuple of 3"),
        (encode_as(lambda m, s: (m, s[:, :1])), r"got \(20, 2\) and \(20, 1\)"),
        (encode_as(lambda m, s: (m, s[0])), r"got \(20, 2\) and \(2,\).*repeat a scale"),
        (encode_as(lambda m, s: (m[:3], s[:3])), r"two arrays of shape \(20, latents\)"),
        (encode_as(lambda m, s: (m, np.log(s))), 'positive; encode.*encoder_scale="log_variance"'),
        (encode_as(lambda m, s: (with_nan(m), s)), "encode must return finite numbers; 1 of 40"),
        (encode_as(lambda m, s: (m + CHANCE.normal(size=m.shape), s)), "same output.*not draws"),
        (encode_as(lambda m, s: (m - m.mean(axis=0), s)), "encode must give.*batch statistics"),
        (encode_as(lambda m, s: (list("ab"), s)), "encode must return what numpy can read"),
        (decode_as(lambda x: (x, x)), r"decode must return one array.*tuple of 2.*\[0\]"),
        (decode_as(lambda x: x[:, :4]), r"\(20, 5\); got \(20, 4\). Reshape"),
        (decode_as(with_nan), "decode must return finite numbers; 1 of 100"),
        (decode_as(lambda x: x + CHANCE.normal(size=x.shape)), "decode must give.*model.eval"),
        (
            decode_as(lambda x: np.exp(x) / np.exp(x).sum(1, keepdims=True)),
            "units of X; its rows are probabilities.*expected value",
        ),
        ({"X": ROWS[0]}, r"X must be an array of real numbers.*got shape \(5,\)"),
        ({"X": ROWS[:1]}, "n ≥ 2"),
        ({"X": ROWS.astype(str)}, "real numbers"),
        ({"X": with_nan(ROWS.copy())}, "X must be finite; 1 of 100"),
    ],
)
def test_data_and_answers_that_break_a_rule(broken, message):
    with pytest.raises(wp.DataError, match=message):
        audit(**{**GOOD, "noise_variance": 0.3, **broken})


def test_log_variances_that_leave_the_range_of_floats():
    broken = encode_as(lambda m, s: (m, np.full_like(s, 2_000.0)))
    with pytest.raises(wp.DataError, match=r"positive and finite.*2000.*encoder_scale"):
        audit(**{**GOOD, **broken}, noise_variance=0.3, encoder_scale="log_variance")


def test_a_perfect_reconstruction_leaves_no_variance():
    identity = {
        "encode": lambda x: (x, np.full_like(x, 1e-9)),
        "decode": lambda z: z,
    }
    with pytest.raises(wp.DataError, match=r"must leave some variance.*fewer latents"):
        audit(**identity, X=ROWS, noise_variance=0.3)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"noise_variance": 0.0}, "noise_variance must be a finite number > 0; got 0.0"),
        ({"noise_variance": math.inf}, "noise_variance must be"),
        ({"noise_variance": "shared"}, "got 'shared'"),
        ({"encoder_scale": "logvar"}, "encoder_scale must be one of.*log_variance"),
        ({"encode": "model"}, "encode must be a function.*got 'model'"),
        ({"n_samples": 0}, "n_samples must be a whole number from 1.*got 0"),
        ({"batch_size": 2.0}, "batch_size must be a whole number"),
        ({"resolution": 0.0}, "resolution must be a positive number.*got 0.0"),
        ({"resolution": np.ones(3)}, "one for each of the 5 features"),
        ({"resolution": math.inf}, "resolution must be"),
        ({"resolution": "auto"}, "resolution must be"),
        ({"random_state": "now"}, "random_state must be"),
        ({"random_state": -1}, "random_state must be"),
    ],
)
def test_settings_out_of_range(setting, message):
    with pytest.raises(wp.SettingError, match=message):
        audit(**{**GOOD, "noise_variance": 0.3, **setting})


def test_an_error_inside_a_callable_says_which_and_on_what():
    def decode(latents):
        raise RuntimeError("mat1 and mat2 must have the same dtype")

    with pytest.raises(RuntimeError, match="mat1") as caught:
        audit(**{**GOOD, "decode": decode}, noise_variance=0.3)
    assert caught.value.__notes__ == ["raised in decode, called with an array of (20, 2), float64"]


def test_rounding_between_batches_is_not_chance():
    """Answers of a float32 network differ in their last digits with the size of the batch."""

    def encode(rows):
        mean = GOOD["encode"](rows)[0] * [1.0, 0.0]
        return mean + 1e-6 * len(rows) / 20, np.full_like(mean, 1e-5)

    ForeignVAE(encode, lambda z: GOOD["decode"](z) + 1e-6 * len(z) / 20).check(ROWS)
