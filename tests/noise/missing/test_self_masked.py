"""Density of observed entries and of the mask, against quadrature by scipy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpyro.distributions import Laplace, Normal
from scipy import integrate, stats
from scipy.special import expit, log_expit

from once import over
from wellposed import SettingError
from wellposed.noise import (
    Bernoulli,
    Gaussian,
    Ignorable,
    LowRankGaussian,
    Quantile,
    SelfMasking,
    StudentT,
)
from wellposed.noise.missing import Observed, SelfMasked
from wellposed.noise.parts import Features
from wellposed.transforms import Moments

# a, b, location and scale of p(y | z); the fifth gap is rare, the last slope is steep.
CASES = np.array(
    [
        (0.0, -1.0, 0.3, 1.0),
        (1.0, 0.5, -0.5, 0.7),
        (-2.0, 1.0, 1.0, 1.5),
        (3.0, 0.0, 0.2, 0.1),
        (3.0, -9.0, 0.0, 1.0),
        (6.0, -2.0, -1.0, 1.0),
    ]
)
D = len(CASES)
GAPS = np.full(D, np.nan)
LAWS = {"normal": (Normal, stats.norm), "laplace": (Laplace, stats.laplace)}


def density(law=Normal, masked=True, **fields):
    slope, bias, location, scale = (jnp.asarray(column) for column in CASES.T)
    parts = {"slope": slope, "bias": bias, **fields}
    of = Features(law(location, scale))
    return SelfMasked(of, jnp.zeros(D), parts["slope"], parts["bias"], jnp.full(D, masked))


def integral(f, law, case):
    """∫ f(y) p(y) π(y) dy of a column, by adaptive quadrature."""
    a, b, location, scale = case

    def integrand(t):
        y = location + scale * t
        return f(y) * law.pdf(t) * expit(a * y + b)

    pieces = [(-40, -3), (-3, 0), (0, 3), (3, 40)]
    return sum(integrate.quad(integrand, *piece, epsabs=1e-15, limit=400)[0] for piece in pieces)


def moments(d):
    one = jnp.ones(d)
    return Moments(0 * one, one, 0.01 * one, one > 0, n=100)


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize(("name", "error"), [("normal", 1e-4), ("laplace", 1e-3)])
def test_the_log_probability_of_a_gap_is_that_of_adaptive_quadrature(name, error):
    law, exact_law = LAWS[name]
    found = density(law).feature_log_prob(jnp.asarray(GAPS))
    exact = [np.log(integral(lambda y: 1.0, exact_law, case)) for case in CASES]
    np.testing.assert_allclose(found, exact, atol=error)


@pytest.mark.usefixtures("x64")
def test_the_mean_of_a_gap_is_that_of_adaptive_quadrature():
    found = density().conditional_mean(jnp.asarray(GAPS))
    exact = [
        integral(lambda y: y, stats.norm, case) / integral(lambda y: 1.0, stats.norm, case)
        for case in CASES
    ]
    np.testing.assert_allclose(found, exact, atol=1e-4)


@pytest.mark.usefixtures("x64")
def test_an_observed_entry_has_its_density_and_the_probability_of_being_seen():
    x = np.random.default_rng(0).normal(size=D)
    a, b, location, scale = CASES.T
    exact = stats.norm(location, scale).logpdf(x) + log_expit(-(a * x + b))
    np.testing.assert_allclose(density().feature_log_prob(jnp.asarray(x)), exact, rtol=1e-12)


@pytest.mark.usefixtures("x64")
def test_observed_and_missing_integrate_to_one():
    """∫ p(y)(1 − π(y)) dy + p(gap) = 1 in each column."""
    own = density()
    gap = np.exp(own.feature_log_prob(jnp.asarray(GAPS)))
    y = np.linspace(-12, 12, 200_001)
    each = over(lambda one: own.feature_log_prob(jnp.full(D, one)), jnp.asarray(y))
    seen = np.trapezoid(np.exp(each), y, axis=0)
    np.testing.assert_allclose(seen + gap, 1.0, atol=1e-5)


@pytest.mark.usefixtures("x64")
def test_without_a_slope_it_is_the_ignorable_density_and_a_bernoulli_mask():
    x = np.where(np.arange(D) % 2, np.nan, 0.5)
    bias = np.linspace(-2, 1, D)
    own = density(slope=jnp.zeros(D), bias=jnp.asarray(bias))
    mask = np.where(np.isnan(x), log_expit(bias), log_expit(-bias)).sum()
    ignorable = Observed(own.of, own.typical)
    gappy = jnp.asarray(x)
    assert own.log_prob(gappy) == pytest.approx(float(ignorable.log_prob(gappy)) + mask, abs=1e-12)
    np.testing.assert_allclose(
        own.conditional_mean(gappy), ignorable.conditional_mean(gappy), atol=1e-12
    )


@pytest.mark.usefixtures("x64")
def test_columns_without_a_mechanism_are_ignorable():
    own, x = density(masked=False), jnp.where(jnp.arange(D) < 3, jnp.nan, 0.5)
    ignorable = Observed(own.of, own.typical)
    assert own.log_prob(x) == ignorable.log_prob(x)
    np.testing.assert_array_equal(own.conditional_mean(x), ignorable.conditional_mean(x))


@pytest.mark.usefixtures("x64")
def test_draws_of_a_gap_have_the_moments_of_quadrature():
    own, n = density(), 40_000
    keys = jax.random.split(jax.random.key(0), n)
    draws = np.asarray(over(lambda key: own.complete(jnp.asarray(GAPS), key=key), keys))
    for j, case in enumerate(CASES):
        total, mean, square = (
            integral(lambda y, power=power: y**power, stats.norm, case) for power in range(3)
        )
        mean, square = mean / total, square / total
        deviation = np.sqrt(square - mean**2)
        assert abs(draws[:, j].mean() - mean) < 5 * deviation / np.sqrt(n)
        # A step of π within a cell of a quarter of a standard deviation is drawn flat.
        assert draws[:, j].std() == pytest.approx(deviation, rel=0.02)


@pytest.mark.parametrize(("direction", "sign"), [("high", 1), ("low", -1)])
def test_a_direction_keeps_its_sign(direction, sign):
    noise = SelfMasking(Gaussian("feature"), direction).initialise(moments(3))
    for raw in (-30.0, 0.0, 30.0):
        object.__setattr__(noise, "slope", jnp.full(3, raw))
        assert (sign * noise.slopes() >= 0).all()


def test_it_starts_at_the_share_that_is_missing():
    gaps = np.arange(40).reshape(20, 2) % 8 == 0
    noise = SelfMasking(Gaussian("feature")).initialise(moments(2)).of_gaps(gaps)
    assert noise.masked.tolist() == [True, False]
    np.testing.assert_allclose(expit(noise.bias), (gaps.sum(axis=0) + 0.5) / 21, rtol=1e-5)
    assert (noise.slopes() == 0).all()
    assert (
        len(noise.parameters()) == len(Gaussian("feature").initialise(moments(2)).parameters()) + 2
    )


@pytest.mark.parametrize("of", [Gaussian("conditional"), StudentT("feature"), Quantile()])
def test_the_gradient_of_a_datum_with_gaps_is_finite(of):
    noise = SelfMasking(of).initialise(moments(3)).of_gaps(np.eye(3) > 0)
    x = jnp.array([0.5, jnp.nan, 3.0])
    gradient = jax.jit(jax.grad(lambda raw: noise(raw).log_prob(x)))(jnp.zeros(3 * noise.n_raw))
    assert bool(jnp.isfinite(gradient).all())
    assert bool((gradient[1] != 0).all() if gradient[1].ndim else True)


def test_unfit_noise_and_directions_are_refused():
    with pytest.raises(SettingError, match="not on the real line"):
        SelfMasking(Bernoulli())
    with pytest.raises(SettingError, match="made of noise of whole data"):
        SelfMasking(Ignorable(Gaussian()))
    with pytest.raises(SettingError, match="high, learned, low"):
        SelfMasking(Gaussian(), "up")  # type: ignore[arg-type]
    noise = SelfMasking(LowRankGaussian(1)).initialise(moments(3))
    with pytest.raises(SettingError, match="not independent"):
        noise(jnp.zeros(3 * noise.n_raw))
