"""Noise of values that are recorded at limits, against tails of scipy and quadrature."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from once import once, over
from wellposed import DamagedFileError, DataError, Schema, SettingError
from wellposed.noise import (
    Bernoulli,
    Beta,
    Censored,
    Columns,
    Gamma,
    Gaussian,
    Ignorable,
    Laplace,
    LogNormal,
    LowRankGaussian,
    Rescaled,
    SelfMasking,
    StudentT,
    ZeroInflated,
)
from wellposed.noise.missing import Limits
from wellposed.numerics import log_laplace_below, log_normal_below
from wellposed.serialise import describe, rebuild
from wellposed.transforms import Logit, Moments, Standardize, summarise

D = 3
RNG = np.random.default_rng(0)
SIGMA = 0.7
RAW = jnp.asarray(RNG.normal(size=D))
FAR = [-1e12, -200.0, -30.0, -8.0, -1.0, -1e-3, 0.0, 0.5, 3.0, 30.0]


def moments(d=D):
    ones = np.ones(d)
    return Moments(np.zeros(d), ones, 0.1 * ones, np.ones(d, bool), n=50)


def censored(low=None, high=None, of=None):
    return Censored(Gaussian(SIGMA**2) if of is None else of, low, high).initialise(moments())


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("t", FAR)
@pytest.mark.usefixtures("x64")
def test_tails_are_those_of_scipy_and_have_finite_gradients(t, dtype):
    exact = {
        log_normal_below: stats.norm.logcdf(t),
        log_laplace_below: t - np.log(2) if t < 0 else np.log1p(-np.exp(-t) / 2),
    }
    for tail, expected in exact.items():
        found, slope = jax.value_and_grad(tail, argnums=(0, 1))(
            jnp.asarray(2 * t, dtype), jnp.asarray(2.0, dtype)
        )
        assert found.dtype == dtype
        assert float(found) == pytest.approx(
            expected, rel=20 * float(np.finfo(dtype).eps), abs=float(np.finfo(dtype).tiny)
        )
        assert np.isfinite(slope).all()


@pytest.mark.usefixtures("x64")
def test_the_slope_of_the_normal_tail_is_the_hazard():
    t = jnp.array([-30.0, -3.0, 0.0, 2.0])
    found = over(jax.grad(lambda t: log_normal_below(t, jnp.ones(()))), t)
    np.testing.assert_allclose(found, np.exp(stats.norm.logpdf(t) - stats.norm.logcdf(t)), 1e-12)


DEGREES = pytest.mark.parametrize("degrees", [2.5, 4.0, 10.0, 200.0])


def assert_student_tails(degrees, rtol):
    t = np.array([-1e10, -1e3, -30.0, -3.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0])
    noise = StudentT(4.0, degrees=degrees)  # of scale 2

    def tails(location):
        density = noise(location)
        at = jnp.full(len(t), 7.0)
        return density.log_cdf(at), density.log_sf(2 * location - at)

    location = jnp.asarray(7.0 - 2 * t)
    exact = stats.t.logcdf(t, degrees)
    known = exact > -700  # scipy's is −∞ beyond

    def total(location):
        found = tails(location)
        return sum(part.sum() for part in found), found

    (_, both), slope = jax.jit(jax.value_and_grad(total, has_aux=True))(location)
    for found in both:
        np.testing.assert_allclose(found[known], exact[known], rtol=rtol)
    assert np.isfinite(slope).all()


@DEGREES
@pytest.mark.usefixtures("x64")
def test_tails_of_a_student_t_are_those_of_scipy(degrees):
    assert_student_tails(degrees, 1e-9)


@DEGREES
def test_tails_of_a_student_t_are_those_of_scipy_in_float32(degrees):
    assert_student_tails(degrees, 5e-6)


@pytest.mark.usefixtures("x64")
def test_cells_at_a_limit_have_the_probability_of_the_tail():
    density = censored(low=[-1.0, None, None], high={1: 0.5})(RAW)
    found = density.feature_log_prob(jnp.array([-1.0, 0.5, 0.2]))
    mean = np.asarray(RAW)
    expected = [
        stats.norm.logcdf(-1.0, mean[0], SIGMA),
        stats.norm.logsf(0.5, mean[1], SIGMA),
        stats.norm.logpdf(0.2, mean[2], SIGMA),
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    np.testing.assert_allclose(density.log_prob(jnp.array([-1.0, 0.5, 0.2])), sum(expected))


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("limits", [(-3.0, 3.0), (-1e9, 1e9), (-np.inf, np.inf), (None, None)])
def test_without_cells_at_a_limit_it_is_the_plain_noise(limits):
    x = jnp.array([-2.9, 0.0, 2.9])
    plain, found = Gaussian(SIGMA**2)(RAW), censored(*limits)(RAW)
    assert float(found.log_prob(x)) == float(plain.log_prob(x))
    np.testing.assert_array_equal(found.mean, plain.mean)
    np.testing.assert_array_equal(found.variance, plain.variance)


OF = {
    "laplace": lambda: Laplace(0.5),
    "student": lambda: StudentT(0.5, degrees=5.0),
    "rescaled": lambda: Rescaled(Gaussian(0.2), [1.0, 2.0, 3.0]),
}


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("of", OF)
def test_density_and_probabilities_add_up_to_one(of):
    """∫ p + P(low) + P(high), by the trapezoidal rule with 200,001 nodes."""
    low, high = -1.0, 1.5
    density = censored(low, high, OF[of]())(RAW)
    x = np.linspace(low, high, 200_001)
    inside = over(lambda v: density.of.feature_log_prob(jnp.full(D, v)), jnp.asarray(x))
    ends = sum(jnp.exp(density.feature_log_prob(jnp.full(D, v))) for v in (low, high))
    np.testing.assert_allclose(np.trapezoid(np.exp(inside), x, axis=0) + ends, 1.0, atol=1e-9)


def test_the_gradient_is_finite_thirty_deviations_out():
    noise = censored(low=0.0)

    def loss(raw):
        return noise(raw).log_prob(jnp.zeros(D))

    raw = jnp.array([30 * SIGMA, -30 * SIGMA, 1e6])
    slope = np.asarray(jax.jit(jax.grad(loss))(raw))
    assert np.isfinite(slope).all()
    assert slope[0] == pytest.approx(-30 / SIGMA, rel=2e-3)  # the hazard is t + 1/t
    assert slope[1] == 0.0


@pytest.mark.usefixtures("x64")
def test_draws_are_recorded_at_the_limit_as_often_as_it_is_likely():
    density = censored(low=-0.2, high=[None, 0.5, None])(RAW)
    n = 20_000
    drawn = np.asarray(once(density.sample, jax.random.key(0), (n,)))
    assert drawn.min() == -0.2
    assert drawn[:, 1].max() == 0.5
    at_low = stats.norm.cdf(-0.2, RAW, SIGMA)
    error = np.sqrt(at_low * (1 - at_low) / n)
    assert (np.abs((drawn == -0.2).mean(axis=0) - at_low) < 5 * error).all()
    np.testing.assert_allclose(density.cdf(jnp.full(D, -0.2)), at_low, rtol=1e-9)
    assert density.cdf(jnp.full(D, -0.3)).tolist() == [0, 0, 0]
    assert float(density.cdf(jnp.full(D, 0.5))[1]) == 1.0
    assert (np.asarray(density.icdf(jnp.full(D, 1e-6))) == -0.2).all()
    assert (np.asarray(density.coupled(jnp.array(-9.0))) == -0.2).all()


@pytest.mark.usefixtures("x64")
def test_columns_of_several_kinds_have_limits_where_their_noise_has_tails():
    of = Columns(["feature", "log-normal", "bernoulli"])
    noise = Censored(of, low={0: -1.0, 1: 0.5}, high={1: 4.0})
    rows = np.column_stack(
        [RNG.normal(size=80), np.exp(RNG.normal(size=80)), RNG.integers(2, size=80)]
    )
    rows = np.clip(rows, [-1.0, 0.5, 0], [9.0, 4.0, 1])
    start = Moments(rows.mean(0), rows.var(0), np.full(3, 0.1), np.ones(3, bool), 80, sample=rows)
    raw = jnp.asarray(RNG.normal(size=noise.n_raw * D))
    plain, found = of.initialise(start)(raw), noise.initialise(start)(raw)
    x = jnp.array([0.3, 1.0, 1.0])
    np.testing.assert_array_equal(found.feature_log_prob(x), plain.feature_log_prob(x))
    at_low = found.feature_log_prob(jnp.array([-1.0, 0.5, 0.0]))
    np.testing.assert_allclose(
        at_low[:2], np.log(plain.cdf(jnp.array([-1.0, 0.5, 0.0])))[:2], 1e-10
    )
    at_high = found.feature_log_prob(jnp.array([0.3, 4.0, 0.0]))
    expected = np.log1p(-plain.cdf(jnp.array([0.3, 4.0, 0.0]))[1])
    np.testing.assert_allclose(at_high[1], expected, 1e-10)
    with pytest.raises(SettingError, match="columns 2"):
        Censored(of, low={2: 0.5}).initialise(start)(raw)


@pytest.mark.usefixtures("x64")
def test_a_cell_may_be_missing_and_another_at_its_limit():
    noise = Ignorable(Censored(Gaussian(SIGMA**2), low=0.0)).initialise(moments())
    found = noise(RAW).log_prob(jnp.array([0.0, jnp.nan, 0.4]))
    mean = np.asarray(RAW)
    expected = stats.norm.logcdf(0.0, mean[0], SIGMA) + stats.norm.logpdf(0.4, mean[2], SIGMA)
    assert float(found) == pytest.approx(expected, rel=1e-12)
    assert noise.at_limit(jnp.array([0.0, jnp.nan, 0.4])).tolist() == [True, False, False]
    assert isinstance(noise.whole, Gaussian)
    around = noise.around(Gaussian(2.0))
    assert isinstance(around.noise, Censored)
    assert float(around.noise.noise.variance()) == 2.0


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("unit", [1.0, 1e-6, 1e6])
def test_limits_are_in_data_units_and_no_density_exceeds_the_bound(unit):
    """Units in which a density is below one: there a probability is the larger of the two."""
    rows = unit * (10 + RNG.normal(size=(200, D)))
    rows = np.maximum(rows, 10 * unit)
    summary = summarise(rows, 0.01 * unit)
    transform = Standardize().fit(summary)
    start = transform.moments(summary, key=jax.random.key(0))
    noise = Censored("feature", low=10 * unit).initialise(start).in_units_of(transform, start)
    y = transform.forward(jnp.asarray(rows[:5]), key=jax.random.key(0)).value
    np.testing.assert_array_equal(over(noise.at_limit, y), rows[:5] == 10 * unit)
    bound = noise.log_density_bound(D) + transform.log_det_bound(D)
    # A mean far below the limit: a probability of one of all features.
    assert float(noise(jnp.full(D, -100.0)).log_prob(jnp.asarray(noise.low_end.value))) <= bound
    assert bound >= 0.0


def test_limits_of_another_number_or_order_are_refused():
    with pytest.raises(SettingError, match="one limit for each of 3 columns; got 2"):
        censored(low=[0.0, 1.0])
    with pytest.raises(SettingError, match="low must be below high; column 1 has 2 and 1"):
        censored(low=[None, 2.0, None], high=1.0)
    with pytest.raises(SettingError, match="low must be below high; column 'b' has 1 and 1"):
        Censored(1.0, low={"b": 1.0}, high=1.0).locate(2, ["a", "b"])
    with pytest.raises(SettingError, match="'c'"):
        Censored(1.0, low={"c": 1.0}).locate(2, ["a", "b"])
    for wrong in ("0", [["a"]], True, [0.0, "x"], np.inf):
        with pytest.raises(SettingError, match="low must"):
            Censored(1.0, low=wrong)  # type: ignore[arg-type]


def test_values_beyond_a_limit_are_refused_with_row_column_and_remedy():
    rows = np.array([[0.0, 1.0], [0.5, -0.25]])
    noise = Censored(1.0, low=[None, 0.0], high=2.0)
    noise.check_limits(np.abs(rows))
    with pytest.raises(DataError, match=r"'b' has -0.25 in row 1, below low=0. Set such values"):
        noise.check_limits(rows, ["a", "b"])
    with pytest.raises(DataError, match=r"column 0 has 2\.5 in row 0, above high=2"):
        noise.check_limits(np.array([[2.5, 1.0]]))


@pytest.mark.parametrize(
    ("noise", "message"),
    [
        (LowRankGaussian(1, 0.5), "independent features"),
        (Beta(8.0), "tails are exact"),
        (Bernoulli(), "tails are exact"),
    ],
)
def test_noise_without_tails_or_with_dependent_features_is_refused(noise, message):
    ready = Censored(noise, low=0.0).initialise(moments())
    with pytest.raises(SettingError, match=message):
        ready(jnp.zeros(ready.n_raw * D))


def test_limits_are_outermost_but_for_gaps():
    for make in (lambda n: Censored(n, low=0.0), lambda n: Rescaled(n, 2.0), SelfMasking):
        with pytest.raises(SettingError, match=r"limits|Limits"):
            make(Censored(Gaussian(), low=0.0))
    with pytest.raises(SettingError, match="whole data"):
        Censored(Ignorable(Gaussian()), low=0.0)


def test_a_transform_that_adds_noise_is_refused():
    rows = RNG.integers(8, size=(50, D)).astype(float)
    summary = summarise(rows)
    logit = Logit(levels=8).fit(summary)
    start = logit.moments(summary, key=jax.random.key(0))
    with pytest.raises(SettingError, match="stay at their limit"):
        Censored("feature", high=7.0).initialise(start).in_units_of(logit, start)


def test_log_normal_tails_are_those_of_the_logarithm():
    noise = LogNormal(0.25)
    ready = Censored(noise, low=1e-20).initialise(moments())
    density = ready(jnp.zeros(ready.n_raw * D))
    location = np.log(np.asarray(density.of.icdf(0.5)))
    expected = stats.norm.logcdf(np.log(1e-20), location, 0.5)
    np.testing.assert_allclose(density.feature_log_prob(jnp.full(D, 1e-20)), expected, rtol=1e-5)


@pytest.mark.usefixtures("x64")
def test_zeros_are_below_a_limit_of_amounts():
    ready = Censored(ZeroInflated(LogNormal(0.25)), low=0.3, high=5.0).initialise(moments())
    density = ready(jnp.asarray(RNG.normal(size=ready.n_raw * D)))
    low, high = jnp.full(D, 0.3), jnp.full(D, 5.0)
    expected = np.log(density.of.cdf(low))
    np.testing.assert_allclose(density.feature_log_prob(low), expected, rtol=1e-9)
    expected = np.log1p(-density.of.cdf(high))
    np.testing.assert_allclose(density.feature_log_prob(high), expected, rtol=1e-6)
    gamma = Censored(ZeroInflated(Gamma(4.0)), low=0.3).initialise(moments())
    with pytest.raises(SettingError, match="tails are exact"):
        gamma(jnp.zeros(gamma.n_raw * D))


def test_limits_of_single_columns_become_those_of_the_table():
    frame = pd.DataFrame({"lead": [0.5, 0.7, 3.1, 0.5], "site": list("abab"), "age": range(4)})
    schema = Schema.of(frame).replace("age", kind="real")
    assert isinstance(schema.make_noise(), Columns)
    noise = schema.replace("lead", noise=Censored("conditional", low=0.5)).make_noise()
    assert isinstance(noise, Censored)
    assert noise.low.values == (0.5, None, None)
    assert noise.high.none
    assert isinstance(noise.noise, Columns)
    with pytest.raises(SettingError, match=r"Censored\(Columns"):
        Columns(["shared", Censored("shared", low=0.0)])


def test_no_file_holds_limits_within_limits_or_keys_without_values():
    inner = Censored(Gaussian(), low=0.0)
    nested = eqx.tree_at(lambda n: n.noise, Censored(Gaussian(), low=1.0), inner)
    for wrong in (nested, Limits((1.0,), ("a", "b"), False), Limits((1.0, 2.0), None, True)):
        tensors = {}
        described = describe(wrong, tensors, "noise")
        with pytest.raises(DamagedFileError, match=r"limits|Limits"):
            rebuild(described, tensors, {})
    tensors = {}
    described = describe(Censored(Gaussian(), low={"a": 0.0}), tensors, "noise")
    assert rebuild(described, tensors, {}).low == Limits((0.0,), ("a",), False)
