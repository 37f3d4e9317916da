"""Rate, distortion and information, against a linear-Gaussian model that has formulas for all."""

import dataclasses

import jax
import numpy as np
import pytest

from linear_gaussian import exact_model, rows_of
from linear_oracles import LOG_2PI, spectrum_of
from variants import slow_beside
from wellposed import DataError, evaluation
from wellposed.evaluation import Estimate, RateDistortionCurve, RatePoint
from wellposed.models import optimum

N, D, K, VARIANCE = 4_000, 5, 2, 0.3
KEY = jax.random.key(0)
SCALES = np.linspace(2.0, 1.0, K) ** 2


def exact(spread: float):
    """R, D, I and H on the model's own data, from variances; q is ``spread`` times too wide."""
    posterior = VARIANCE / (SCALES + VARIANCE)
    own, means = spread**2 * posterior, 1 - posterior
    rate = 0.5 * (own + means - 1 - np.log(own)).sum()
    # Residual: the noise outside the span, what shrinking leaves within it, and q's own spread.
    left = (D - K) * VARIANCE + (VARIANCE * posterior).sum() + (SCALES * own).sum()
    distortion = 0.5 * (D * (LOG_2PI + np.log(VARIANCE)) + left / VARIANCE)
    information = 0.5 * np.log((own + means) / own).sum()
    total = np.concatenate([SCALES + VARIANCE, np.full(D - K, VARIANCE)])
    entropy = 0.5 * (D * (1 + LOG_2PI) + np.log(total).sum())
    return rate, distortion, information, entropy


def measured(spread: float = 1.0, n: int = N, seed: int = 1, **options):
    model, density = exact_model(D, K, VARIANCE, spread=spread)
    rows = rows_of(density, n, seed=seed)
    return evaluation.rate_distortion(
        model, rows, key=KEY, log_density=density.logpdf(rows), **options
    )


def near(found: Estimate, value: float) -> bool:
    return abs(found.value - value) < 4 * found.standard_error


@pytest.mark.parametrize("spread", slow_beside([1.0, 1.6, 0.4], [1.6]))
def test_each_part_is_its_formula(spread, x64):
    rate, distortion, information, entropy = exact(spread)
    found = measured(spread)
    assert near(found.rate, rate)
    assert near(found.distortion, distortion)
    assert near(found.elbo, -(rate + distortion))
    assert near(found.entropy, entropy)
    assert near(found.least_information, entropy - distortion)
    low, high = found.information
    assert low.value - 4 * low.standard_error < information
    assert information < high.value + 4 * high.standard_error
    assert high.value - low.value < 0.15
    assert 0 < low.standard_error < 0.1
    mismatch = [end.value for end in found.mismatch]
    assert mismatch[0] < rate - information + 0.05
    assert rate - information < mismatch[1] + 0.05
    assert entropy - distortion <= information + 1e-9 <= rate + 2e-9
    assert found.is_consistent
    assert "H − D ≤ I ≤ R holds" in str(found)


def test_the_information_is_never_said_to_exceed_the_rate(x64):
    """Where few rows leave the upper end open."""
    found = measured(0.02, n=30)
    assert found.information[1].value > found.rate.value
    assert found.information_range == (found.information[0].value, found.rate.value)


def test_an_exact_posterior_closes_the_sandwich(x64):
    """Then R + D = H: both ends are the information."""
    rate, distortion, information, entropy = exact(1.0)
    assert rate == pytest.approx(information)
    assert entropy - distortion == pytest.approx(information)


def test_the_elbo_is_the_sum_and_that_of_the_other_scores(x64):
    model, density = exact_model(D, K, VARIANCE, spread=1.6)
    rows = rows_of(density, 100)
    found = evaluation.rate_distortion(model, rows, key=KEY, n_samples=4)
    assert found.elbo.value == pytest.approx(-found.rate.value - found.distortion.value)
    terms = evaluation.elbo(model, rows, n_samples=4, key=KEY)
    assert found.elbo.value == pytest.approx(float(np.mean(terms.elbo)))
    assert found.entropy is None
    assert found.is_consistent is None
    assert "unknown" in str(found)


def test_the_errors_are_the_spread_over_data_sets(x64):
    """H − D is paired: its error is not that of its parts."""
    runs = [measured(1.6, 300, seed) for seed in range(40)]
    names = ("rate", "distortion", "elbo", "entropy", "least_information")
    each = [[getattr(run, name) for run in runs] for name in names]
    each += [[run.information[i] for run in runs] for i in (0, 1)]
    for estimates in each:
        spread = np.std([one.value for one in estimates], ddof=1)
        stated = np.mean([one.standard_error for one in estimates])
        assert 0.6 < stated / spread < 1.6
    apart = np.hypot(runs[0].distortion.standard_error, runs[0].entropy.standard_error)
    assert runs[0].least_information.standard_error < 0.7 * apart


def test_a_false_entropy_is_found_out(x64):
    model, density = exact_model(D, K, VARIANCE)
    rows = rows_of(density, 1_000)
    found = evaluation.rate_distortion(model, rows, key=KEY, log_density=density.logpdf(rows) - 3.0)
    assert found.is_consistent is False
    assert "FAILS" in str(found)


@pytest.mark.parametrize("given", [np.zeros(3), np.zeros((4, 1)), np.array([0, 0, 0, np.nan])])
def test_a_log_density_of_another_form_is_refused(given):
    model, density = exact_model()
    with pytest.raises(DataError, match="4 finite numbers"):
        evaluation.rate_distortion(model, rows_of(density, 4), key=KEY, log_density=given)


# -- the curve --------------------------------------------------------------------------------


def exact_curve(betas) -> RateDistortionCurve:
    """The linear VAE's optima at one σ², on the data whose covariance they are optimal for."""
    spectrum = spectrum_of([5.0, 3.0, 1.5, 0.4, 0.2])
    none = Estimate(0.0, 0.0)
    points = []
    for beta in betas:
        point = optimum(spectrum, 3, noise_variance=0.5, beta=beta)
        rate = point.rates.sum()
        found = evaluation.RateDistortion(
            n_rows=1_000,
            rate=Estimate(rate, 0.0),
            distortion=Estimate(-point.elbo - rate, 0.0),
            elbo=Estimate(point.elbo, 0.0),
            information=(none, none),
            mismatch=(none, none),
        )
        points.append(RatePoint(beta, None, found))
    return RateDistortionCurve("beta", tuple(points))


def test_the_slope_of_the_optimal_curve_is_beta():
    """Wang & Ziyin's optimum: R = ½ Σ log λ/βσ², and D rises by βσ²/2σ² a latent and nat."""
    betas = np.geomspace(0.05, 20, 60)
    curve = exact_curve(betas)
    living = curve.rate[:-1] > 1e-9
    slopes = curve.slopes
    assert (slopes[living] >= betas[:-1][living] - 1e-9).all()
    assert (slopes[living] <= betas[1:][living] + 1e-9).all()
    assert np.isnan(slopes[~living]).all()
    assert (np.diff(curve.rate) <= 1e-12).all()
    assert (np.diff(curve.distortion) >= -1e-12).all()
    assert living.sum() > 40
    assert curve.best.value == betas[np.abs(np.log(betas)).argmin()]


def test_the_curve_is_a_table():
    curve = exact_curve([0.5, 1.0])
    frame = curve.frame()
    assert list(frame["beta"]) == [0.5, 1.0]
    np.testing.assert_array_equal(frame["rate"], curve.rate)
    assert {"distortion_error", "elbo", "information_low", "mismatch_high_error"} <= set(frame)
    assert "interrupted" not in str(curve)
    assert "interrupted" in str(dataclasses.replace(curve, complete=False))
    assert len(str(curve).splitlines()) == 3
