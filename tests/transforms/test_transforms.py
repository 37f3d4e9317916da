"""Transforms: bijections with the right Jacobian, on their domain only."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.special
from scipy.stats import kstest

import wellposed as wp
from once import over
from wellposed import transforms
from wellposed.transforms import (
    AbstractTransform,
    ByColumn,
    Identity,
    Log,
    Log1p,
    Logit,
    Standardize,
    Unit,
    in_words,
    summarise,
)

RNG = np.random.default_rng(0)
TABLE = RNG.normal(3.0, [0.1, 1.0, 50.0, 2.0], size=(200, 4))
UNIT = RNG.uniform(size=(200, 4))
LEVELS = RNG.integers(0, 256, size=(200, 4)).astype(np.uint8)

CASES = {
    "identity": (Identity(), TABLE),
    "standardize": (Standardize(), TABLE),
    "standardize-shared": (Standardize(shared=True), TABLE),
    "logit-unit": (Logit(levels=None), UNIT),
    "logit-levels": (Logit(levels=256), LEVELS),
    "logit-auto": (Logit(), LEVELS),
    "unit-unit": (Unit(levels=None), UNIT),
    "unit-levels": (Unit(levels=256), LEVELS),
    "unit-auto": (Unit(), LEVELS),
}


@pytest.fixture(params=CASES.values(), ids=CASES)
def case(request, x64):
    transform, rows = request.param
    return transform.fit(summarise(rows)), jnp.asarray(rows, jnp.float64)


def test_inverse_returns_the_datum(case):
    transform, rows = case
    keys = jax.random.split(jax.random.key(0), len(rows))
    there = over(lambda x, k: transform.forward(x, key=k).value, rows, keys)
    np.testing.assert_allclose(over(transform.inverse, there), rows, rtol=1e-9)


def test_log_det_is_that_of_the_jacobian(case):
    transform, rows = case
    key = jax.random.key(1)
    for x in rows[:5]:
        jacobian = jax.jacobian(lambda v: transform.forward(v, key=key).value)(x)
        expected = np.linalg.slogdet(jacobian)[1]
        assert float(transform.forward(x, key=key).log_det) == pytest.approx(expected, rel=1e-9)


def test_no_log_det_exceeds_its_bound(case):
    transform, rows = case
    keys = jax.random.split(jax.random.key(0), len(rows))
    found = over(lambda x, k: transform.forward(x, key=k).log_det, rows, keys)
    assert found.max() <= transform.log_det_bound(rows.shape[1]) + 1e-9


def test_moments_are_those_of_the_data_in_model_units(case):
    """Sixteen draws of the dequantisation against the one that ``moments`` takes."""
    transform, rows = case
    moments = transform.moments(summarise(np.asarray(rows)), key=jax.random.key(5))
    many = jnp.tile(rows, (16, 1))
    keys = jax.random.split(jax.random.key(0), len(many))
    y = over(lambda x, k: transform.forward(x, key=k).value, many, keys)
    quantised = isinstance(transform, (Logit, Unit)) and transform.levels is not None
    tolerance = 0.1 if quantised else 1e-9
    np.testing.assert_allclose(moments.variance, y.var(axis=0), rtol=tolerance)
    deviation = np.sqrt(moments.variance)
    np.testing.assert_allclose(moments.mean, y.mean(axis=0), atol=tolerance * deviation.max())
    assert bool(moments.varies.all())


def test_the_resolution_in_model_units_is_the_least_that_a_step_of_the_data_makes(case):
    transform, rows = case
    summary = summarise(np.asarray(rows))
    step, key = jnp.asarray(summary.resolution), jax.random.key(2)
    moments = transform.moments(summary, key=key)
    low, high = jnp.asarray(summary.low), jnp.asarray(summary.high) - step

    def made(share):
        x = low + share * (high - low)
        start, end = (transform.forward(v, key=key).value for v in (x, x + step))
        return end - start

    least = over(made, jnp.linspace(0, 1, 999)).min(axis=0)
    np.testing.assert_allclose(moments.resolution, least, rtol=1e-3)


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.float64])
def test_the_logit_keeps_the_digits_at_both_ends(dtype, x64):
    """0 and 1 are alpha = 1e-6 inside; naively, float32 has one digit of 1 − p left there."""
    transform = Logit(levels=None)
    ends = [transform.forward(jnp.full(3, x, dtype), key=jax.random.key(0)) for x in (0.0, 1.0)]
    expected = np.log(1e-6) - np.log1p(-1e-6)
    for end, sign in zip(ends, (1, -1), strict=True):
        assert end.value.dtype == dtype
        np.testing.assert_allclose(end.value, sign * expected, rtol=1e-6)
        assert float(end.log_det) == pytest.approx(transform.log_det_bound(3), rel=1e-6)


def test_dequantisation_is_uniform_over_the_level_and_independent_between_pixels(x64):
    transform = Logit(levels=16).fit(summarise(LEVELS // 16))
    keys = jax.random.split(jax.random.key(0), 20_000)
    x = jnp.array([0.0, 7.0, 15.0])
    y = over(lambda k: transform.forward(x, key=k).value, keys)
    u = 16 * (jax.nn.sigmoid(y) - 1e-6) / (1 - 2e-6) - x
    for column in np.asarray(u).T:
        assert kstest(column, "uniform").pvalue > 1e-4
    np.testing.assert_allclose(np.corrcoef(np.asarray(u).T), np.eye(3), atol=0.03)


def test_whatever_the_decoder_says_a_draw_is_a_level():
    y = jnp.array([-60.0, -14.0, 0.0, 14.0, 60.0])
    assert Logit(levels=256).inverse(y).tolist() == [0.0, 0.0, 128.0, 255.0, 255.0]
    np.testing.assert_allclose(Logit(levels=None).inverse(y), [0, 0, 0.5, 1, 1], atol=1e-5)


def test_a_resolution_given_is_the_one_used():
    assert summarise(TABLE, 0.25).resolution.tolist() == [0.25] * 4
    assert summarise(LEVELS, np.arange(4.0)).resolution.tolist() == [0.0, 1.0, 2.0, 3.0]


def test_standardize_gives_unit_variance_each_or_on_average():
    rows = jnp.asarray(TABLE, jnp.float32)
    key = jax.random.key(0)
    for shared in (False, True):
        transform = Standardize(shared).fit(summarise(TABLE))
        y = over(lambda x, t=transform: t.forward(x, key=key).value, rows)
        variance = np.asarray(y, np.float64).var(axis=0)
        if not shared:
            np.testing.assert_allclose(variance, 1.0, rtol=1e-4)
        assert variance.mean() == pytest.approx(1.0, rel=1e-4)
        assert np.abs(y.mean(axis=0)).max() < 1e-3


def test_a_scale_is_never_below_the_rounding():
    """One pixel lit once in a thousand rows: not thirty standard deviations out."""
    rows = np.zeros((1_000, 2), np.uint8)
    rows[:, 0] = RNG.integers(0, 17, 1_000)
    rows[0, 1] = 1
    transform = Standardize().fit(summarise(rows))
    y = transform.forward(jnp.asarray(rows[0], jnp.float32), key=jax.random.key(0)).value
    assert abs(float(y[1])) == pytest.approx(np.sqrt(12), rel=2e-3)


def test_a_constant_feature_comes_back_as_its_constant():
    rows = TABLE.copy()
    rows[:, 2] = 7.0
    transform = Standardize().fit(summarise(rows))
    assert float(transform.inverse(jnp.array([0.0, 0.0, 99.0, 0.0]))[2]) == 7.0
    forward = transform.forward(jnp.asarray(rows[0], jnp.float32), key=jax.random.key(0))
    assert float(forward.value[2]) == 0.0
    assert np.isfinite(forward.log_det)


def test_the_resolution_is_the_smallest_gap():
    rows = np.column_stack([RNG.integers(0, 50, 300) * 0.25, RNG.integers(0, 9, 300) * 3.0])
    rows[0], rows[1] = 0.0, [0.25, 3.0]
    np.testing.assert_allclose(summarise(rows).resolution, [0.25, 3.0])


def test_one_value_split_by_rounding_is_not_a_step():
    rows = np.array([[0.1 + 0.2], [0.3], [0.7], [1.1]])
    assert summarise(rows).resolution[0] == pytest.approx(0.4)


def test_integers_have_resolution_one_and_constants_borrow_theirs():
    assert summarise(LEVELS).resolution.tolist() == [1.0] * 4
    rows = np.column_stack([np.arange(10) * 0.5, np.full(10, 3.0)])
    assert summarise(rows).resolution.tolist() == [0.5, 0.5]


def test_moments_do_not_cancel():
    rows = 1e8 + RNG.normal(size=(500, 1))
    assert summarise(rows).variance[0] == pytest.approx(rows.var(), rel=1e-6)


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.float32, np.float64])
def test_moments_are_those_of_float64(dtype):
    rows = RNG.integers(0, 200, size=(3_000, 3)).astype(dtype)
    found, exact = summarise(rows), rows.astype(np.float64)
    np.testing.assert_allclose(found.mean, exact.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(found.variance, exact.var(axis=0), rtol=1e-5)


def test_logit_auto_reads_the_levels_or_the_unit_interval():
    assert Logit().fit(summarise(LEVELS)).levels == int(LEVELS.max()) + 1
    assert Logit().fit(summarise(UNIT)).levels is None


@pytest.mark.parametrize(
    ("transform", "rows", "words"),
    [
        (Logit(levels=None), TABLE, "needs data in"),
        (Logit(levels=16), LEVELS, "needs data in"),
        (Logit(levels=256), UNIT * 200, "whole numbers"),
        (Identity(), None, "vary"),
    ],
)
def test_data_off_the_domain_are_refused(transform, rows, words):
    rows = np.ones((5, 3)) if rows is None else rows
    with pytest.raises(wp.DataError, match=words):
        transform.fit(summarise(rows))


@pytest.mark.parametrize("alpha", [0.0, 0.5, -1.0, float("nan")])
def test_alpha_is_checked(alpha):
    with pytest.raises(wp.SettingError, match="alpha"):
        Logit(alpha=alpha)


@pytest.mark.slow
def test_the_published_jacobian_of_mnist(shared_data):
    """Mean log-Jacobian to pixel units, alpha 1e-6: 272.6 ± 0.2 nats on the test set.

    One draw of the dequantisation scatters by 0.25 nats, so sixteen are averaged; the mean over
    u is also known in closed form, since the integral of log p is p log p − p.
    """
    images = wp.datasets.read(shared_data("mnist") / "t10k-images-idx3-ubyte.gz").values
    alpha, levels, draws = 1e-6, 256, 16
    transform = Logit(levels=levels, alpha=alpha).fit(summarise(images))
    rows = jnp.asarray(images)

    @jax.jit
    def mean_log_det(key):
        def log_det(inputs):
            return transform.forward(inputs[0].astype(jnp.float32), key=inputs[1]).log_det

        keys = jax.random.split(key, len(rows))
        return jax.lax.map(log_det, (rows, keys), batch_size=500).mean()

    found = np.mean([float(mean_log_det(jax.random.key(seed))) for seed in range(draws)])
    slope = (1 - 2 * alpha) / levels
    edges = alpha + slope * np.arange(levels + 1)
    antiderivative = edges * np.log(edges) - edges
    mean_log = np.diff(antiderivative) / slope
    expected_of_level = np.log(slope) - mean_log - mean_log[::-1]
    counts = np.bincount(images.reshape(-1), minlength=levels)
    exact = counts @ expected_of_level / len(images)
    assert exact == pytest.approx(272.6, abs=0.2)
    assert found == pytest.approx(exact, abs=4 * 0.25 / np.sqrt(draws))


_SPREAD = np.subtract(*np.quantile(TABLE, [0.75, 0.25], axis=0)) / 1.3489795
WORDS = {
    "none: model units are the units of the data": (Identity(), TABLE, lambda x: x),
    "each feature minus its mean, over its standard deviation": (
        Standardize(),
        TABLE,
        lambda x: (x - x.mean(axis=0)) / x.std(axis=0),
    ),
    "each feature minus its mean, all over one standard deviation": (
        Standardize(shared=True),
        TABLE,
        lambda x: (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0).mean()),
    ),
    "each feature minus its median, over its spread": (
        Standardize(robust=True),
        TABLE,
        lambda x: (x - np.median(x, axis=0)) / _SPREAD,
    ),
    "log x of each feature x, minus its mean, over its standard deviation": (
        Log(),
        UNIT,
        lambda x: (np.log(x) - np.log(x).mean(axis=0)) / np.log(x).std(axis=0),
    ),
    "log(1 + x) of each feature x, minus its mean, over its standard deviation": (
        Log1p(),
        UNIT,
        lambda x: (np.log1p(x) - np.log1p(x).mean(axis=0)) / np.log1p(x).std(axis=0),
    ),
    "log(p/(1 − p)) of each feature x, with p = x kept 1e-06 from 0 and 1": (
        Logit(),
        UNIT,
        lambda x: scipy.special.logit(1e-6 + (1 - 2e-6) * x),
    ),
    "log(p/(1 − p)) of each feature x, with p = (x + u)/256, u uniform in [0, 1),": (
        Logit(256),
        LEVELS,
        None,
    ),
    "(x + u)/256, u uniform in [0, 1), of each feature x": (Unit(256), LEVELS, None),
    "0: log(1 + x) of each feature x, minus": (ByColumn({0: "log1p"}), UNIT, None),
}


@pytest.mark.parametrize("words", WORDS)
def test_the_words_are_what_the_transform_does(words, x64):
    transform, rows, formula = WORDS[words]
    fitted = transform.fit(summarise(rows))
    assert in_words(fitted).startswith(words)
    if formula is not None:
        found = over(lambda x: fitted.forward(x, key=jax.random.key(0)).value, jnp.asarray(rows))
        np.testing.assert_allclose(found, formula(rows), rtol=1e-5, atol=1e-7)


def test_every_transform_has_words():
    found = [getattr(transforms, name) for name in transforms.__all__]
    classes = {each for each in found if isinstance(each, type)}
    own = {each for each in classes if issubclass(each, AbstractTransform)} - {AbstractTransform}
    assert own == {type(transform) for transform, _, _ in WORDS.values()}
