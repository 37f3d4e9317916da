"""Tables whose columns are of different kinds."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm, poisson

import wellposed as wp
from textbook import textbook_vae
from wellposed.noise import (
    BetaBinomial,
    Categorical,
    Columns,
    DiscretizedGaussian,
    Gaussian,
    Poisson,
)
from wellposed.transforms import Moments

MEAN = np.array([5.0, 0.4, -3.0, 2.0])
VARIANCE = np.array([4.0, 0.24, 9.0, 2.5])
TYPES = {0: "shared", 2: "shared", 1: "bernoulli", 3: Poisson()}


def moments(varies=(True,) * 4) -> Moments:
    varies = jnp.asarray(varies)
    return Moments(
        mean=jnp.asarray(MEAN),
        variance=jnp.where(varies, jnp.asarray(VARIANCE), 0.0),
        resolution=jnp.array([0.1, 1.0, 0.2, 1.0]),
        varies=varies,
        n=100,
        highs=jnp.array([9.0, 1.0, 3.0, 6.0]),
    )


def test_the_density_is_that_of_the_parts_in_data_units(x64):
    """Worked out here: σ is shared by the standardised columns, and dx = s dy."""
    noise = Columns(TYPES).initialise(moments())
    raw, y = jnp.array([0.3, -0.4, 0.1, 0.2]), np.array([6.0, 1.0, -1.0, 4.0])
    p = noise(raw)
    sigma, s = float(jnp.sqrt(noise.groups[0].variance())), np.sqrt(VARIANCE)
    odds = np.log(40.5 / 60.5) - 0.4
    expected = (
        norm.logpdf(y[0], MEAN[0] + s[0] * 0.3, s[0] * sigma)
        + norm.logpdf(y[2], MEAN[2] + s[2] * 0.1, s[2] * sigma)
        - np.log1p(np.exp(-odds))
        + poisson.logpmf(4, 2.0 * np.exp(0.2))
    )
    # Moments are float32 where made outside: seven digits.
    assert float(p.log_prob(jnp.asarray(y))) == pytest.approx(expected, rel=1e-6)
    assert sigma == pytest.approx(0.5, rel=1e-6)
    assert p.event_shape == (4,)


def test_mean_variance_and_quantiles_are_in_data_units(x64):
    noise = Columns(TYPES).initialise(moments())
    p = noise(jnp.zeros(4))
    np.testing.assert_allclose(p.mean, [5.0, 40.5 / 101, -3.0, 2.0], rtol=1e-6)
    np.testing.assert_allclose(np.asarray(p.variance)[[0, 2]], VARIANCE[[0, 2]] / 4, rtol=1e-6)
    assert float(p.variance[3]) == pytest.approx(2.0)
    np.testing.assert_allclose(
        p.coupled(jnp.asarray(1.0)), [6.0, 1.0, -1.5, poisson.ppf(norm.cdf(1), 2)], rtol=1e-6
    )
    y = jnp.array([5.0, 0.0, -3.0, 2.0])
    np.testing.assert_allclose(p.cdf(y), [0.5, 60.5 / 101, 0.5, poisson.cdf(2, 2)], rtol=1e-6)
    np.testing.assert_allclose(p.icdf(jnp.asarray(0.5)), [5.0, 0.0, -3.0, 2.0], rtol=1e-6)


def test_draws_have_the_moments():
    p = Columns(TYPES).initialise(moments())(jnp.array([0.3, -0.4, 0.1, 0.2]))
    drawn = np.asarray(jax.jit(lambda key: p.sample(key, (4000,)))(jax.random.key(0)))
    deviation = np.sqrt(np.asarray(p.variance))
    assert np.all(np.abs(drawn.mean(axis=0) - p.mean) < 4 * deviation / np.sqrt(4000))
    np.testing.assert_allclose(drawn.std(axis=0), deviation, rtol=0.1)
    assert set(np.unique(drawn[:, 1])) == {0.0, 1.0}


def test_equal_noise_is_one_group_and_different_noise_is_not():
    assert len(Columns(TYPES).groups) == 3
    assert len(Columns([0.5, 0.5, 0.25]).groups) == 2
    assert len(Columns([BetaBinomial(5), BetaBinomial(5), BetaBinomial(6)]).groups) == 2
    given_and_named = Columns(["shared", Gaussian("shared"), "feature"])
    assert given_and_named.group_of == (0, 0, 1)


def test_the_bound_is_the_parts_and_is_never_exceeded():
    noise = Columns(TYPES).initialise(moments())
    floor = min(0.1 / 2, 0.2 / 3) / np.sqrt(12)  # the smaller of the standardised columns
    expected = 2 * norm.logpdf(0, 0, floor) - np.log(2 * 3)
    assert noise.log_density_bound(4) == pytest.approx(expected, rel=1e-5)
    for seed in range(10):
        p = noise(1e4 * jax.random.normal(jax.random.key(seed), (4,)))
        value = float(p.log_prob(jnp.array([5.0, 1.0, -3.0, 2.0])))
        assert np.isfinite(value)
        assert value <= expected


def test_raw_outputs_are_shared_out_by_blocks():
    """The most that any part needs; a part reads its first ones."""
    noise = Columns(["conditional", "bernoulli", "shared", Categorical(7)]).initialise(moments())
    assert noise.n_raw == 7
    raw = jnp.arange(28.0) / 10
    p, y = noise(raw), jnp.array([5.0, 1.0, -3.0, 2.0])
    np.testing.assert_allclose(p.parts[0].mean, raw[:1])
    np.testing.assert_allclose(p.parts[3].each.of.logits, raw[3::4][None])
    unread = np.setdiff1d(np.arange(28), [0, 4, 1, 2, *range(3, 28, 4)])
    for j in range(28):
        moved = noise(raw.at[j].add(1.0)).log_prob(y)
        assert (float(moved) == float(p.log_prob(y))) == (j in unread), j


def test_levels_are_those_of_the_parts_own_columns():
    noise = Columns(["shared", "bernoulli", "shared", "beta-binomial"]).initialise(moments())
    assert noise.groups[2].support == wp.transforms.levels(7)


def test_what_is_learned_refitted_and_on_the_floor_is_the_parts():
    noise = Columns({0: "shared", 2: "feature", 1: "bernoulli", 3: 0.5}).initialise(moments())
    assert len(noise.parameters()) == 2
    assert noise.variance() is None  # Bernoulli's depends on z
    real = Columns(["feature", "feature", "shared", 0.5]).initialise(moments())
    assert real.has_exact_refit
    squares = jnp.array([1.0, 1e-12, 2.0, 3.0])
    refitted = real.refit(squares)
    variance = np.asarray(refitted.variance())
    np.testing.assert_allclose(variance[[0, 2]], [1.0, 2.0], rtol=1e-4)
    assert variance[3] == pytest.approx(0.5 * 2.5)
    assert refitted.on_floor(refitted.variance()) == (1,)


@pytest.mark.parametrize("types", [TYPES, ["shared", "beta-binomial", 0.5, "negative-binomial"]])
@pytest.mark.parametrize("constant", range(4))
def test_a_constant_column_is_modelled_as_one(types, constant):
    """Also where it is the only one of its kind."""
    varies = np.arange(4) != constant
    of = moments(varies)
    noise = Columns(types).initialise(
        Moments(jnp.round(of.mean), of.variance, of.resolution, of.varies, n=100, highs=of.highs)
    )
    p = noise(jnp.zeros(noise.n_raw * 4))
    assert np.isfinite(p.log_prob(jnp.array([5.0, 0.0, -3.0, 2.0])))
    assert np.isfinite(p.mean).all()
    assert np.isfinite(noise.encoder_input(jnp.array([5.0, 0.0, -3.0, 2.0]))).all()
    assert float(p.mean[constant]) == pytest.approx(np.round(MEAN)[constant], abs=0.1)


FRAME = pd.DataFrame(
    {
        "age": np.random.default_rng(0).normal(40, 10, 60),
        "sex": np.random.default_rng(1).integers(0, 2, 60),
        "visits": np.random.default_rng(2).poisson(3, 60),
    }
)


@pytest.mark.parametrize(
    ("types", "words"),
    [
        ({"age": "shared", "sex": "bernoulli"}, "'visits' of 3 have none"),
        ({"age": "shared", "sex": "bernoulli", "visit": "poisson"}, "'visits'"),
        ({"age": "shared", "sex": "bernoulli", 7: "poisson"}, "from 0 to 2"),
        ({"age": "shared", 0: 0.5, "sex": "bernoulli", 2: "poisson"}, "'age' have more"),
        (["shared", "bernoulli"], "'visits' of 3 have none"),
    ],
)
def test_every_column_has_one_noise(types, words):
    with pytest.raises(wp.SettingError, match=words):
        textbook_vae(1, noise=Columns(types), max_epochs=1).fit(FRAME)


def test_names_need_a_frame():
    with pytest.raises(wp.SettingError, match="data frame"):
        textbook_vae(1, noise=Columns({"age": "shared"}), max_epochs=1).fit(FRAME.to_numpy())


@pytest.mark.parametrize(
    ("types", "words"),
    [
        ("shared", "noise for each column"),
        ({}, "noise for each column"),
        ({"a": "sharde"}, "'shared'"),
        ({1.5: "shared"}, "name or position"),
        ([Columns([0.5])], "within"),
    ],
)
def test_settings_out_of_range_are_refused(types, words):
    with pytest.raises(wp.SettingError, match=words):
        Columns(types)


def test_each_column_is_checked_against_its_own_support():
    types = {"age": "shared", "sex": "bernoulli", "visits": "poisson"}
    wrong = FRAME.assign(sex=FRAME["sex"] + 1)
    with pytest.raises(
        wp.DataError, match=r"Bernoulli \(columns 'sex'\) needs whole numbers 0 to 1"
    ):
        textbook_vae(1, noise=Columns(types), max_epochs=1).fit(wrong)
    with pytest.raises(wp.DataError, match=r"Poisson \(columns 'visits'\)"):
        textbook_vae(1, noise=Columns(types), max_epochs=1).fit(
            FRAME.assign(visits=FRAME["age"] / 7)
        )
    with pytest.raises(wp.SettingError, match="each column in its own units"):
        textbook_vae(1, noise=Columns(types), transform="standardize", max_epochs=1).fit(FRAME)


@pytest.mark.filterwarnings("ignore::wellposed.TrainingWarning")
@pytest.mark.slow
def test_a_frame_is_fitted_by_names_and_survives_its_file(tmp_path):
    types = {"visits": "poisson", "sex": "bernoulli", "age": "shared"}
    vae = textbook_vae(
        1, noise=Columns(types), hidden=(8,), max_epochs=3, random_state=0, patience=None
    )
    vae.fit(FRAME)
    score = vae.score_samples(FRAME, n_samples=4)
    vae.save(tmp_path / "table.wp")
    loaded = wp.load(tmp_path / "table.wp")
    np.testing.assert_array_equal(loaded.score_samples(FRAME, n_samples=4), score)
    drawn = loaded.sample(50)
    assert np.array_equal(drawn[:, 1:], np.round(drawn[:, 1:]))
    assert set(np.unique(drawn[:, 1])) <= {0.0, 1.0}
    assert 20 < drawn[:, 0].mean() < 60


@pytest.mark.filterwarnings("ignore::wellposed.TrainingWarning")
@pytest.mark.parametrize(
    "quality",
    [
        pytest.param(Categorical(9), id="cat", marks=pytest.mark.slow),
        pytest.param(BetaBinomial(9), id="bb", marks=pytest.mark.slow),
        pytest.param(DiscretizedGaussian(9), id="dg"),
    ],
)
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::wellposed.DataHint")
def test_wine_and_its_quality(quality, shared_data):
    """Eleven measurements and a mark out of ten, in data units throughout."""
    rows = wp.datasets.read(shared_data("uci/wine-quality-red.txt")).values
    vae = textbook_vae(
        2,
        noise=Columns(["feature"] * 11 + [quality]),
        hidden=(16,),
        max_epochs=60,
        random_state=0,
        patience=None,
    ).fit(rows)
    assert np.isfinite(vae.score(rows[:200]))
    drawn, mean = vae.sample(500), vae.reconstruct(rows[:200])
    marks = drawn[:, 11]
    assert np.array_equal(marks, np.round(marks))
    assert marks.min() >= 0
    assert marks.max() <= 8
    spread = rows.std(axis=0)
    assert np.all(np.abs(mean.mean(axis=0) - rows.mean(axis=0)) < spread)
    assert np.all(np.abs(drawn[:, :11].mean(axis=0) - rows[:, :11].mean(axis=0)) < spread[:11])


def categories() -> Columns:
    """An amount and two columns of three levels, from four rows."""
    sample = np.array([[0.0, 2, 1], [1.0, 0, 1], [4.0, 2, 0], [3.0, 2, 2]])
    whole = Moments(
        mean=sample.mean(axis=0),
        variance=sample.var(axis=0),
        resolution=np.ones(3),
        varies=np.ones(3, bool),
        n=4,
        highs=sample.max(axis=0),
        lows=sample.min(axis=0),
        sample=sample,
    )
    return Columns({0: "shared", 1: Categorical(3), 2: Categorical(3)}).initialise(whole)


def test_the_encoder_sees_an_indicator_of_each_level():
    """Positions have an order that levels have not."""
    noise, row = categories(), jnp.array([1.0, 0.0, 2.0])
    assert noise.input_columns(3).tolist() == [0, 1, 2, 1, 1, 1, 2, 2, 2]
    assert noise.encoder_width(3) == 9
    seen = noise.encoder_input(row)
    assert seen[3:].tolist() == [1, 0, 0, 0, 0, 1]
    assert seen[0] == pytest.approx((1 - 2) / np.sqrt(2.5))


def test_an_indicator_of_a_missing_level_is_zero():
    noise = wp.noise.Ignorable(categories())
    noise = eqx.tree_at(lambda n: n.typical, noise, jnp.zeros(3), is_leaf=lambda x: x is None)
    assert noise.input_columns(3).tolist() == [0, 1, 2, 1, 1, 1, 2, 2, 2, 0, 1, 2]
    seen = noise.encoder_input(jnp.array([1.0, jnp.nan, 2.0]))
    assert seen[3:9].tolist() == [0, 0, 0, 0, 0, 1]
    assert seen[9:].tolist() == [0, -1, 0]


def test_raw_zeros_are_the_shares_of_the_levels():
    """Half a row more of each level: (3 + ½)/(4 + 3/2) for the level of three rows."""
    density = categories()(jnp.zeros(9))
    levels = density.parts[1].each.of.probs
    np.testing.assert_allclose(levels[0], np.array([1.5, 0.5, 3.5]) / 5.5, rtol=1e-6)
    np.testing.assert_allclose(levels[1], np.array([1.5, 2.5, 1.5]) / 5.5, rtol=1e-6)


def test_the_residuals_of_levels_are_uncorrelated_with_unit_variance_but_for_their_sum(x64):
    """E[r rᵀ] = I − √p √pᵀ, summed over the levels; the real column has (y − μ)/σ."""
    density = categories()(jnp.linspace(-1.0, 1.0, 9))
    p = np.asarray(density.parts[1].each.of.probs)[0]
    found = [np.asarray(density.pearson_residuals(jnp.array([2.0, v, 0.0]))) for v in range(3)]
    second = sum(p[v] * np.outer(found[v][1:4], found[v][1:4]) for v in range(3))
    np.testing.assert_allclose(second, np.eye(3) - np.sqrt(np.outer(p, p)), atol=1e-12)
    standard = (2.0 - density.mean[0]) / np.sqrt(density.variance[0])
    assert found[0][0] == pytest.approx(float(standard))
