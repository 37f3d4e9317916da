"""The ELBO without a maximum: against quadrature, theory and another computation."""

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import minimize_scalar
from scipy.stats import norm

from wellposed import experiments
from wellposed._errors import DataError, SettingError

TWO = np.array([[0.0, 0.0, 0.0], [1.0, 1.0, 0.0]])


def log_normal(square: float, variance: float, d: int = 3) -> float:
    return -0.5 * d * math.log(2 * math.pi * variance) - 0.5 * square / variance


def over_latent(of_inside: float, of_outside: float, weight, centre: float, scale: float) -> float:
    """Integrate what is constant inside [−1, 1] and outside over z, weighted."""

    def area(low: float, high: float) -> float:
        return quad(weight, low, high, epsabs=1e-14, epsrel=1e-12, limit=400)[0]

    far = abs(centre) + 40 * scale
    within = area(-1, 0) + area(0, 1)
    return of_inside * within + of_outside * (area(-far, -1) + area(1, far))


@pytest.mark.parametrize("epsilon", [1e-1, 1e-3, 1e-6])
def test_log_likelihood_is_the_integral_over_the_prior(epsilon):
    found = experiments.divergence(TWO, variances=np.array([epsilon]), outside_variance=0.7)
    expected = [
        math.log(
            over_latent(
                math.exp(log_normal(square, epsilon)),
                math.exp(log_normal(square, 0.7)),
                norm.pdf,
                0.0,
                1.0,
            )
        )
        for square in (0.0, 2.0)
    ]
    assert found.log_likelihood[0] == pytest.approx(np.mean(expected), rel=1e-9)


@pytest.mark.parametrize("epsilon", [1e-1, 1e-3, 1e-6])
def test_elbo_is_the_integral_over_q_less_the_kl(epsilon):
    found = experiments.divergence(
        TWO, variances=np.array([epsilon]), outside_variance=0.7, scales=(0.5, 0.3)
    )
    t = math.sqrt(2 * math.log(2.0 / epsilon))
    expected = []
    for square, q in ((0.0, norm(0.0, 0.5)), (2.0, norm(1 + 0.3 * t, 0.3))):
        likelihood = over_latent(
            log_normal(square, epsilon), log_normal(square, 0.7), q.pdf, *q.stats()
        )
        kl = q.expect(lambda z, q=q: q.logpdf(z) - norm.logpdf(z))
        expected.append(likelihood - kl)
    assert found.elbo[0] == pytest.approx(np.mean(expected), rel=1e-5)


@pytest.mark.parametrize("epsilon", [1e-4, 1e-64])
def test_the_scale_that_follows_epsilon_is_the_best(epsilon):
    t = math.sqrt(2 * math.log(2.0 / epsilon))
    settings = {"variances": np.array([epsilon]), "outside_variance": 1.0}

    def cost(log_scale: float) -> float:
        pair = (1 / t, math.exp(log_scale))
        return -experiments.divergence(TWO, scales=pair, **settings).elbo[0]

    search = minimize_scalar(cost, bounds=(-6, 1), method="bounded")
    assert experiments.divergence(TWO, **settings).elbo[0] == pytest.approx(-search.fun, abs=0.002)


def test_the_growth_is_half_d_times_the_share(digits):
    """The log likelihood grows by the slope exactly; the ELBO loses log t in rates, no more."""
    ends = np.array([1e-32, 1e-64])
    found = experiments.divergence(digits[:25], variances=ends)
    assert found.slope == 0.5 * 64 / 25
    rise = math.log(1e32)
    assert np.diff(found.log_likelihood)[0] / rise == pytest.approx(found.slope, rel=1e-9)
    squares = ((digits[:25] - digits[0].astype(float)) ** 2).sum(axis=1)
    t = np.sqrt(2 * np.log(squares[1:].mean() / ends))
    lost = found.slope * rise - np.diff(found.elbo)[0]
    assert lost == pytest.approx(np.diff(np.log(t))[0], abs=0.05)
    assert 0.3 < lost < 0.4


def test_the_figures_of_another_computation_in_three_dimensions():
    """Sums over two data that were not recorded: within 0.6 nats, their slopes within 1 %."""
    variances = np.array([1e-2, 1e-8, 1e-16, 1e-32, 1e-64])
    recorded = np.array([-2.5, 14.9, 38.8, 87.0, 184.2])
    found = experiments.divergence(
        TWO, variances=variances, outside_variance=1.0, scales=(0.5, 0.3)
    )
    ours = 2 * found.elbo
    np.testing.assert_allclose(ours, recorded, atol=0.6)
    np.testing.assert_allclose(np.diff(ours)[1:], np.diff(recorded)[1:], rtol=0.01)


@pytest.mark.parametrize("scales", [None, (0.5, 0.3), (0.1, 1.0)])
def test_the_elbo_is_below_the_log_likelihood_and_the_floored_below_its_bound(scales):
    found = experiments.divergence(scales=scales)
    assert (found.elbo <= found.log_likelihood).all()
    assert (found.floored_elbo <= found.floored_log_likelihood).all()
    assert (found.floored_log_likelihood <= found.bound).all()
    assert found.bound == pytest.approx(-32 * math.log(2 * math.pi / 12), rel=1e-12)


def test_the_free_elbo_passes_the_bound_and_the_floored_settles():
    found = experiments.divergence()
    assert found.elbo[-1] > found.bound + 200
    assert np.ptp(found.floored_elbo[-10:]) < 1e-6


def test_one_datum_alone_has_a_floored_likelihood_close_to_its_bound():
    """All but one of the rows are x₁, the ball holds nearly all of the prior."""
    rows = np.concatenate([np.zeros((999, 2)), np.ones((1, 2))])
    found = experiments.divergence(rows, radius=4.0, variances=np.array([1e-40]))
    assert found.floored_log_likelihood[0] == pytest.approx(found.bound, abs=0.05)


def test_rows_must_differ_and_variances_be_positive():
    with pytest.raises(DataError, match="differ"):
        experiments.divergence(np.ones((3, 2)))
    with pytest.raises(SettingError, match="variances must be a finite number > 0"):
        experiments.divergence(variances=np.array([0.0]))
    with pytest.raises(DataError, match="finite table"):
        experiments.divergence(np.array([1.0, 2.0]))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"datum": 2}, "datum must be a whole number from -2 to 1; got 2"),
        ({"datum": 0.0}, "datum must be a whole number"),
        ({"variances": []}, "variances must be a finite number > 0"),
        ({"floor": 0}, "floor must be a finite number > 0"),
        ({"radius": math.inf}, "radius must be a finite number > 0"),
        ({"radius": [1.0, 2.0]}, "radius must be a finite number > 0"),
        ({"outside_variance": 0}, "outside_variance must be a finite number > 0.*got 0"),
        ({"scales": (-1, 1)}, "scales must be 2 numbers, each a finite number > 0"),
        ({"scales": (1, 1, 1)}, "scales must be 2 numbers, each a finite number > 0"),
        ({"scales": 1.0}, "scales must be 2 numbers, each a finite number > 0"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(SettingError, match=message):
        experiments.divergence(TWO, **settings)


def test_one_variance_is_a_row_of_one():
    found = experiments.divergence(TWO, variances=1e-3, datum=-1)
    expected = experiments.divergence(TWO, variances=[1e-3, 1e-4], datum=1)
    assert found.elbo.shape == (1,)
    assert found.elbo[0] == expected.elbo[0]


def test_a_ball_that_holds_all_of_the_prior_leaves_its_tail():
    """At r = 40 the mass outside underflows: log P(|z| > r) ≈ −r²/2 − log(r√(π/2))."""
    one = experiments.divergence(TWO, variances=1e-64, radius=40.0, outside_variance=1.0)
    tail = -800 - math.log(40 * math.sqrt(math.pi / 2))
    other = tail + log_normal(2.0, 1.0)
    assert one.log_likelihood[0] == pytest.approx((log_normal(0, 1e-64) + other) / 2, abs=1e-3)


def test_training_needs_a_feature_that_varies():
    with pytest.raises(DataError, match="constant"):
        experiments.trained_divergence([[1.0, 2.0]])


@pytest.mark.slow
def test_training_passes_the_bound_without_a_floor_only():
    found = experiments.trained_divergence(max_epochs=800)
    assert found.passed is not None
    assert found.free.max() > found.bound >= found.floored.max()
    assert found.free[found.passed - 1] > found.bound
    assert (found.free[: found.passed - 1] <= found.bound).all()
    assert found.smallest_floored_scale >= 0.999 / math.sqrt(12)
    assert found.smallest_free_scale < 0.1 / math.sqrt(12)
    # 47 of the 64 pixels vary in the ten digits.
    assert found.bound == pytest.approx(-23.5 * math.log(2 * math.pi / 12), rel=1e-5)
