"""Each continuous law against another's formula, its parameters worked out here."""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from continuous_families import D, make_noise, moments_for, raw_of
from scipy import stats
from scipy.special import expit

import wellposed as wp
from once import once
from wellposed.noise import Beta, ContinuousBernoulli, LowRankGaussian, StudentT, TruncatedNormal

FLOOR = 0.1 / math.sqrt(12)
DEVIATION = np.sqrt([1.0, 4.0, 0.5, 2.0])
Y = np.array([-1.0, 0.2, 1.5, 4.0])
UNIT_Y = np.array([0.02, 0.3, 0.77, 0.99])


def softplus(v):
    return np.log1p(np.exp(np.asarray(v) + math.log(math.e - 1)))


def each_of(p, y):
    return p.feature_log_prob(y)


def log_probs(p, y):
    """Log density of each feature alone."""
    return np.asarray(once(each_of, p, jnp.asarray(y)))


def factor_of(raw) -> np.ndarray:
    """The factor of a scale that depends on z, from a tenth to ten."""
    raw = np.asarray(raw)
    return np.exp(raw / np.sqrt(1 + (raw / math.log(10)) ** 2))


def test_laplace_is_scipys(x64):
    noise = make_noise("laplace-conditional")
    raw = raw_of(noise)
    scale = FLOOR + (0.5 * DEVIATION - FLOOR) * factor_of(raw[D:])
    expected = stats.laplace.logpdf(Y, raw[:D], scale / math.sqrt(2))
    np.testing.assert_allclose(log_probs(noise(raw), Y), expected, rtol=1e-6)


def test_student_t_is_scipys_and_its_scale_is_the_ts_own(x64):
    noise = make_noise("student-t-conditional")
    raw = raw_of(noise)
    start = 0.5 * DEVIATION * math.sqrt(6 / 8)
    scale = FLOOR + (start - FLOOR) * factor_of(raw[D : 2 * D])
    degrees = 2.1 + 5.9 * softplus(raw[2 * D :])
    law = stats.t(degrees, raw[:D], scale)
    p = noise(raw)
    np.testing.assert_allclose(log_probs(p, Y), law.logpdf(Y), rtol=1e-6)
    np.testing.assert_allclose(p.cdf(jnp.asarray(Y)), law.cdf(Y), rtol=1e-5)
    np.testing.assert_allclose(p.variance, scale**2 * degrees / (degrees - 2), rtol=1e-6)


@pytest.mark.parametrize("degrees", [2.5, 30.0, 1e3, 1e5, 1e6])
def test_student_t_keeps_its_digits_in_float32(degrees):
    """A difference of log Γ loses 0.02 nats at 10⁵ degrees, and rises above the bound."""
    noise = StudentT(1.0, degrees=degrees)
    y = np.array([0.0, 0.5, 3.0, -8.0])
    p = noise(jnp.zeros(D))
    law = stats.t(degrees)
    np.testing.assert_allclose(log_probs(p, y), law.logpdf(y), rtol=2e-6, atol=4e-6)
    np.testing.assert_allclose(p.cdf(jnp.asarray(y)), law.cdf(y), atol=1e-6)


def test_student_t_variance_is_known_where_its_degrees_are():
    noise = StudentT(0.5, degrees=5.0)
    assert float(noise.variance()) == pytest.approx(0.5 * 5 / 3)
    assert StudentT(0.5, degrees="conditional").variance() is None


@pytest.mark.parametrize("scale", [0.005, 0.1, 1.0, 3.0])
def test_truncated_normal_is_scipys(scale, x64):
    noise = TruncatedNormal(scale**2)
    raw = jnp.array([-9.0, -1.0, 0.5, 6.0])
    loc = expit(np.asarray(raw))
    law = stats.truncnorm(-loc / scale, (1 - loc) / scale, loc, scale)
    p = noise(raw)
    near = np.clip(loc + scale * np.array([0.5, -0.3, 1.0, -2.0]), 0, 1)
    np.testing.assert_allclose(log_probs(p, near), law.logpdf(near), rtol=1e-9)
    np.testing.assert_allclose(p.mean, law.mean(), rtol=1e-9)
    np.testing.assert_allclose(p.variance, law.var(), rtol=1e-7)


def test_a_very_wide_normal_is_uniform_on_the_interval():
    """In float32: where variance and normaliser are differences of near equals."""
    p = TruncatedNormal(1e6)(jnp.array([-20.0, -1.0, 0.0, 20.0]))
    np.testing.assert_allclose(log_probs(p, UNIT_Y), 0.0, atol=2e-6)
    np.testing.assert_allclose(p.mean, 0.5, atol=1e-5)
    np.testing.assert_allclose(p.variance, 1 / 12, rtol=1e-5)
    np.testing.assert_allclose(p.icdf(jnp.asarray(UNIT_Y)), UNIT_Y, atol=1e-6)


@pytest.mark.parametrize("kappa", [0.01, 3.0, 50.0, 4000.0])
def test_beta_is_scipys(kappa, x64):
    raw = jnp.array([-4.0, -0.5, 1.0, 30.0])
    mode = expit(np.asarray(raw))
    law = stats.beta(1 + kappa * mode, 1 + kappa * (1 - mode))
    p = Beta(kappa)(raw)
    np.testing.assert_allclose(log_probs(p, UNIT_Y), law.logpdf(UNIT_Y), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(p.mean, law.mean(), rtol=1e-10)
    np.testing.assert_allclose(p.variance, law.var(), rtol=1e-9)


def test_no_beta_of_shapes_above_one_is_higher_than_one_plus_its_concentration():
    """The bound, over a grid by scipy: the peak is log(1 + κ) with the mode at an end, less inside.

    The density at the mode is log(1 + κ) + s(κ) − s(κm) − s(κ(1 − m)), with a concave s.
    """
    kappa = np.geomspace(1e-3, 1e6, 200)[:, None]
    mode = np.concatenate([np.geomspace(1e-12, 0.5, 200), 1 - np.geomspace(1e-12, 0.5, 200)])
    peak = stats.beta.logpdf(mode, 1 + kappa * mode, 1 + kappa * (1 - mode))
    assert (peak <= np.log1p(kappa) + 1e-7 * (1 + kappa**0.5)).all()
    edge = stats.beta.logpdf(0.0, 1.0, 1 + kappa[:, 0])
    np.testing.assert_allclose(edge, np.log1p(kappa[:, 0]), rtol=1e-9)


@pytest.mark.parametrize("size", [1.0, 1e2, 1e4])
def test_beta_is_finite_at_exact_zeros_and_ones(size):
    noise = make_noise("beta-conditional")

    def total(raw, y):
        return noise(raw).log_prob(y)

    both = jax.jit(jax.value_and_grad(total))
    for seed in range(4):
        raw = raw_of(noise, seed=seed, size=size)
        for end in (0.0, 1.0):
            value, gradient = both(raw, jnp.full(D, end))
            assert np.isfinite(value)
            assert np.isfinite(gradient).all()


def test_beta_starts_with_half_the_datas_deviation_where_its_shapes_allow():
    noise = make_noise("beta-feature")
    p = noise(jnp.zeros(D))
    moments = moments_for(noise)
    np.testing.assert_allclose(p.mean, moments.mean, atol=1e-3)
    np.testing.assert_allclose(p.variance[:2], 0.25 * moments.variance[:2], rtol=0.02)


def test_continuous_bernoulli_is_the_papers(x64):
    """C(λ) λ^y (1 − λ)^{1−y}, C = 2 artanh(1 − 2λ)/(1 − 2λ); Loaiza-Ganem & Cunningham, eq. 6."""
    raw = jnp.array([-12.0, -0.6, 0.7, 9.0])
    rate = expit(np.asarray(raw))
    constant = 2 * np.arctanh(1 - 2 * rate) / (1 - 2 * rate)
    expected = np.log(constant) + UNIT_Y * np.log(rate) + (1 - UNIT_Y) * np.log1p(-rate)
    p = ContinuousBernoulli()(raw)
    np.testing.assert_allclose(log_probs(p, UNIT_Y), expected, rtol=1e-8)
    mean = rate / (2 * rate - 1) + 1 / (2 * np.arctanh(1 - 2 * rate))
    np.testing.assert_allclose(p.mean, mean, rtol=1e-8)


def test_continuous_bernoulli_near_a_half_is_the_papers_series(x64):
    """log C = log 2 + (4/3)(λ − ½)² + (104/45)(λ − ½)⁴ around λ = ½."""
    rate = np.array([0.5, 0.5 + 1e-9, 0.501, 0.493])
    eta = np.log(rate) - np.log1p(-rate)
    constant = math.log(2) + 4 / 3 * (rate - 0.5) ** 2 + 104 / 45 * (rate - 0.5) ** 4
    expected = constant + UNIT_Y * np.log(rate) + (1 - UNIT_Y) * np.log1p(-rate)
    p = ContinuousBernoulli()(jnp.asarray(eta))
    np.testing.assert_allclose(log_probs(p, UNIT_Y), expected, atol=1e-12)


@pytest.mark.parametrize("around", [0.5, -0.5])
def test_continuous_bernoulli_has_no_seam_where_its_series_end(around, x64):
    def facts(eta):
        p = ContinuousBernoulli()(jnp.full(D, eta))
        y = jnp.asarray(UNIT_Y)
        slope = jax.jit(jax.grad(lambda e: ContinuousBernoulli()(jnp.full(D, e)).log_prob(y)))(eta)
        return np.concatenate([p.mean, p.variance, log_probs(p, UNIT_Y), [slope]])

    step = 1e-9
    below, above = facts(around - step), facts(around + step)
    np.testing.assert_allclose(below, above, rtol=1e-8, atol=1e-8)


def test_continuous_bernoulli_has_a_gradient_at_exactly_a_half():
    def total(eta):
        return ContinuousBernoulli()(eta).log_prob(jnp.asarray(UNIT_Y, jnp.float32))

    np.testing.assert_allclose(jax.jit(jax.grad(total))(jnp.zeros(D)), UNIT_Y - 0.5, rtol=1e-5)


def test_low_rank_is_scipys(x64):
    noise = make_noise("low-rank-conditional")
    raw = raw_of(noise, seed=2)
    scale = FLOOR + (0.5 * DEVIATION - FLOOR) * factor_of(raw[3 * D :])
    factor = np.asarray(raw[D : 3 * D]).reshape(2, D) * 0.5 * DEVIATION / math.sqrt(2)
    covariance = factor.T @ factor + np.diag(scale**2)
    expected = stats.multivariate_normal(raw[:D], covariance).logpdf(Y)
    p = noise(raw)
    assert float(p.log_prob(jnp.asarray(Y))) == pytest.approx(expected, rel=1e-6)
    np.testing.assert_allclose(p.variance, np.diag(covariance), rtol=1e-6)


def test_low_rank_draws_have_the_covariance():
    noise = make_noise("low-rank-shared")
    raw = raw_of(noise, seed=2)
    p = noise(raw)
    drawn = np.asarray(p.sample(jax.random.key(0), (40_000,)))
    covariance = p.factor.T @ p.factor + jnp.diag(p.scale**2)
    np.testing.assert_allclose(np.cov(drawn.T), covariance, atol=0.05)


def test_low_rank_factors_leave_a_feature_that_never_varies_alone():
    noise = make_noise("low-rank-feature", varies=[True, True, False, True])
    p = noise(raw_of(noise, size=30.0))
    np.testing.assert_array_equal(p.factor[:, 2], 0.0)
    assert float(p.constants.density.scale[2]) == pytest.approx(FLOOR, rel=1e-5)


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: StudentT(degrees=2.0), "degrees must be a finite number > 2"),
        (lambda: StudentT(degrees="features"), "'feature'"),
        (lambda: StudentT(least_degrees=2.0), "least_degrees"),
        (lambda: Beta(0.0), "concentration must be a finite number > 0"),
        (lambda: Beta("conditonal"), "'conditional'"),
        (lambda: ContinuousBernoulli(floor=-1.0), "floor must be a finite number ≥ 0"),
        (lambda: LowRankGaussian(0), "rank must be a whole number"),
        (lambda: wp.noise.Quantile((0.5, 0.5)), "increasing"),
        (lambda: wp.noise.Quantile((0.0, 0.5)), "levels"),
        (lambda: wp.noise.Quantile(scale=-1.0), "scale must be a finite number > 0"),
        (lambda: TruncatedNormal(0.0), "noise variance must be a finite number > 0"),
    ],
)
def test_settings_out_of_range_are_refused_with_their_rule(make, match):
    with pytest.raises(wp.SettingError, match=match):
        make()


def test_a_floor_given_is_the_one_used():
    noise = Beta("feature", floor=0.01).initialise(moments_for(Beta()))
    assert noise.log_density_bound(D) == pytest.approx(D * math.log(101.0), rel=1e-6)
    noise = ContinuousBernoulli(floor=0.01).initialise(moments_for(Beta()))
    assert noise.log_density_bound(D) == pytest.approx(D * math.log(100.0), rel=1e-6)
    noise = eqx.tree_at(lambda n: n.eta, noise, jnp.full(D, 1e6))
    end = float(noise(jnp.zeros(D)).log_prob(jnp.ones(D)))
    assert end == pytest.approx(D * math.log(100.0), rel=1e-4)
