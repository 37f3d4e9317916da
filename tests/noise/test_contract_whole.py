"""What every family on whole numbers promises, by enumeration of its support."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import whole_battery as battery
from scipy import stats
from scipy.special import expit, softmax
from whole_families import FAMILIES, LEVELS, ON_LEVELS, D, initialise, moments, raw_of

import wellposed as wp
from textbook import textbook_vae
from variants import slow_beside
from wellposed.estimators._prepare import prepare
from wellposed.noise import (
    Bernoulli,
    BetaBinomial,
    Categorical,
    DiscretizedGaussian,
    DiscretizedLogistic,
    NegativeBinomial,
    Poisson,
)

# The others differ from these in where one scale comes from; each compiles programs of its own.
TYPICAL = (
    "bernoulli",
    "beta-binomial",
    "categorical",
    "discretized-logistic",
    "negative-binomial, conditional",
    "poisson",
)


# Of the module's scope, so that the tests of one family follow each other, on one worker.
@pytest.fixture(params=slow_beside(FAMILIES, TYPICAL), scope="module")
def name(request) -> str:
    return request.param


@pytest.mark.parametrize(
    "varies",
    [
        pytest.param((True,) * D, id="all", marks=pytest.mark.slow),
        pytest.param((True, False, True, True), id="some"),
    ],
)
def test_probabilities_are_those_of_the_moments_and_quantiles(name, varies):
    """They sum to one, and mean, variance, cdf and quantiles are theirs."""
    values, of = battery.values_of(initialise(name)), battery.table(name, varies)
    np.testing.assert_allclose(of.mass.sum(axis=0), 1.0, atol=1e-9)
    mean = values @ of.mass
    np.testing.assert_allclose(of.mean, mean, rtol=1e-6)
    np.testing.assert_allclose(
        of.variance, np.einsum("vd,vd->d", (values[:, None] - mean) ** 2, of.mass), rtol=1e-5
    )
    cdf = np.cumsum(of.mass, axis=0)
    np.testing.assert_allclose(of.cdf, cdf, atol=1e-8)
    assert np.all(of.cdf_below == 0)
    for q, found in zip(battery.QUANTILES, of.quantiles, strict=True):
        np.testing.assert_array_equal(found, [np.searchsorted(cdf[:, j], q) for j in range(D)])


def test_a_row_is_the_product_of_its_features(name):
    of = battery.table(name)
    assert of.event_shape == (D,)
    assert float(of.row) == pytest.approx(float(of.row_each.sum()), rel=1e-12)


def softplus(v):
    return np.logaddexp(0, np.asarray(v) + math.log(math.e - 1))


def cut(cdf, location, scale, values):
    """P(v) from a cdf, tails at the edges."""
    v = values.reshape(-1, 1, 1)
    high = np.where(v == values[-1], 1.0, cdf((v + 0.5 - location) / scale))
    return high - np.where(v == 0, 0.0, cdf((v - 0.5 - location) / scale))


def test_probabilities_agree_with_scipy(name):
    """From the raw outputs by formulas written out here: a density agrees with itself anyway."""
    with jax.enable_x64(True):
        noise = initialise(name)
        raw, values = raw_of(noise), battery.values_of(noise)
    blocks, of = np.asarray(raw).reshape(noise.n_raw, D), moments()
    mean, variance = np.asarray(of.mean), np.asarray(of.variance)
    v = values[:, None]
    if name == "bernoulli":
        ones = np.array([0.1, 0.5, 0.7, 0.95]) * 200
        odds = np.log((ones + 0.5) / (200 - ones + 0.5))
        expected = stats.bernoulli.pmf(v, expit(odds + blocks[0]))
    elif name == "categorical":
        expected = softmax(blocks, axis=0)
    elif name == "beta-binomial":
        share = (mean / 16 * 200 + 0.5) / 201
        wider = variance / (16 * share * (1 - share))
        total = np.clip((16 - wider) / (wider - 1), 0.1, 1e3) * np.exp(blocks[1])
        chance = expit(np.log(share / (1 - share)) + blocks[0])
        expected = stats.betabinom.pmf(v, 16, total * chance + 1e-6, total * (1 - chance) + 1e-6)
    elif name == "poisson":
        expected = stats.poisson.pmf(v, mean * np.exp(blocks[0]))
    elif name.startswith("negative-binomial"):
        r = np.clip(mean**2 / np.maximum(variance - mean, 1e-12), 0.05, 1e4)
        r = np.median(r) if "shared" in name else r
        r = 1e-3 + r * (np.exp(blocks[1]) if "conditional" in name else 1.0)
        expected = stats.nbinom.pmf(v, r, r / (r + mean * np.exp(blocks[0])))
    else:
        expected = _cut_mixture(name, blocks, mean, variance, values)
    # Moments are float32: starts are given to seven digits.
    np.testing.assert_allclose(battery.table(name).mass, expected, rtol=3e-5, atol=1e-9)


def _cut_mixture(name, blocks, mean, variance, values):
    m = 3 if "three" in name else 5 if "five" in name else 1
    deviation = np.sqrt(variance)
    offsets = np.linspace(-1, 1, m)[:, None] if m > 1 else 0.0
    location = mean + deviation * (blocks[:m] + offsets)
    if "given" in name:
        scale = math.sqrt(2.0)
    elif "one a feature" in name:
        scale = 0.5 * deviation
    elif name in ("discretized-logistic", "discretized-gaussian, conditional") or m == 5:
        scale = 0.04 + (0.5 * deviation - 0.04) * softplus(blocks[m : 2 * m])
    else:
        scale = 0.5 * math.sqrt(variance.mean())
    weights = softmax(blocks[-m:], axis=0) if m > 1 else np.ones((1, D))
    if "logistic" in name:
        each = cut(stats.logistic.cdf, location, scale * math.sqrt(3) / math.pi, values)
    else:
        each = cut(stats.norm.cdf, location, scale, values)
    return (weights * each).sum(axis=1)


@pytest.mark.parametrize(
    "varies",
    [
        pytest.param((True,) * D, id="all", marks=pytest.mark.slow),
        pytest.param((False, True, True, True), id="some"),
    ],
)
def test_draws_follow_the_probabilities(name, varies):
    values = battery.values_of(initialise(name))
    drawn, mass = battery.draws(name, varies)
    assert drawn.dtype == np.float32
    expected = mass * len(drawn)
    for j in range(D):
        seen = np.bincount(drawn[:, j].astype(int), minlength=len(values))[: len(values)]
        common = expected[:, j] >= 5
        counts = np.append(seen[common], len(drawn) - seen[common].sum())
        shares = np.append(expected[common, j], len(drawn) - expected[common, j].sum())
        if shares[-1] < 5:  # too rare to be judged alone
            counts, shares = counts[:-1], shares[:-1]
        if len(counts) > 1:
            shares *= counts.sum() / shares.sum()
            assert stats.chisquare(counts, shares).pvalue > 1e-4, j


@pytest.mark.parametrize("size", battery.SIZES)
def test_nothing_is_surer_than_certain_and_gradients_are_finite(name, size):
    noise, of = initialise(name), battery.responses(name)
    assert noise.log_density_bound(D) == 0.0
    for value, slope in zip(of.values[size], of.slopes[size], strict=True):
        assert np.isfinite(value).all()
        assert np.isfinite(slope).all()
        assert float(value.max()) <= 0.0
    for array in noise.parameters():
        assert np.isfinite(array).all()


def test_moments_quantiles_and_draws_are_finite_at_extremes(name):
    for found in battery.responses(name).facts:
        assert np.isfinite(found).all()
        assert (found >= -1e-3).all()


def test_a_fresh_decoder_starts_at_the_datas_mean(name):
    mean, variance, _ = battery.fresh(initialise(name), np.ones((500, D)))
    if name == "categorical":  # moments say nothing of categories
        np.testing.assert_allclose(mean, 8.0, rtol=1e-5)
        return
    of = moments(binary=name == "bernoulli")
    away = np.abs(mean - np.asarray(of.mean)) / np.sqrt(np.asarray(of.variance))
    # One σ for all is wide for the first feature, and what it cuts off at zero moves the mean.
    assert np.all(away[1:] < 0.3)
    assert away[0] < 0.6
    if name in ("beta-binomial", "negative-binomial"):
        np.testing.assert_allclose(variance[1:], of.variance[1:], rtol=0.05)


def test_what_the_encoder_sees_is_of_the_size_of_one(name):
    noise = initialise(name)
    of = moments(binary=name == "bernoulli")
    rng = np.random.default_rng(0)
    y = np.clip(np.round(rng.normal(of.mean, np.sqrt(of.variance), (500, D))), 0, of.high)
    *_, shown = battery.fresh(noise, y)
    assert 0.3 < float(np.sqrt(np.mean(shown**2))) < 3


def test_nothing_is_refitted_and_nothing_has_a_floor(name):
    noise = initialise(name)
    assert not noise.has_exact_refit
    assert noise.refit(jnp.ones(D)) is noise
    assert noise.on_floor(jnp.zeros(D)) == ()


@pytest.mark.parametrize("family", ON_LEVELS)
def test_no_levels_given_means_those_of_the_data(family):
    if family == "bernoulli":
        return
    assert FAMILIES[family]().support == wp.transforms.COUNTS
    assert initialise(family).support == wp.transforms.levels(LEVELS)


GREY = np.random.default_rng(0).uniform(size=(40, 3)).astype(np.float32)
WHOLE = np.random.default_rng(0).integers(0, 9, size=(40, 3))
REFUSED = [
    (Bernoulli(), GREY, "ContinuousBernoulli"),
    (Bernoulli(), WHOLE, r"BetaBinomial\(levels=9\)"),
    (BetaBinomial(8), WHOLE, "levels=9"),
    (Categorical(8), WHOLE, "levels=9"),
    (DiscretizedGaussian(8), WHOLE, "levels=9"),
    (DiscretizedLogistic(8), WHOLE, "levels=9"),
    (DiscretizedLogistic(), GREY, "fractions"),
    (Poisson(), WHOLE - 1, "Negative numbers"),
    (NegativeBinomial(), WHOLE + GREY, "fractions"),
    ("beta-binomial", WHOLE - 3, "Negative numbers"),
]


@pytest.mark.parametrize(("noise", "data", "words"), REFUSED)
def test_data_off_the_support_are_refused_with_the_remedy(noise, data, words):
    with pytest.raises(wp.DataError, match=words):
        textbook_vae(1, noise=noise, max_epochs=1).fit(data)


def test_levels_are_fixed_by_the_fit():
    vae = textbook_vae(1, noise="discretized-logistic", hidden=(4,), random_state=0)
    vae.model_ = prepare(vae, WHOLE).model  # at its start
    with pytest.raises(wp.DataError, match="levels=10 or more"):
        vae.score_samples(WHOLE + 1)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Categorical(1), "levels"),
        (lambda: BetaBinomial(2.5), "levels"),
        (lambda: DiscretizedLogistic(17, mixture=6), "mixture"),
        (lambda: DiscretizedLogistic(17, mixture=True), "mixture"),
        (lambda: DiscretizedGaussian(17, variance=1e-6), "0.0016"),
        (lambda: DiscretizedGaussian(17, variance="sharde"), "'shared'"),
        (lambda: NegativeBinomial(dispersion="fearure"), "'feature'"),
        (lambda: NegativeBinomial(True, "feature"), "library"),
    ],
)
def test_settings_out_of_range_are_refused(make, words):
    with pytest.raises(wp.SettingError, match=words):
        make()


@pytest.mark.filterwarnings("ignore::wellposed.ConstantFeatureWarning")
@pytest.mark.filterwarnings("ignore::wellposed.TrainingWarning")
@pytest.mark.parametrize(
    "family",
    [
        "bernoulli",
        pytest.param("discretized-logistic, five", marks=pytest.mark.slow),
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in FAMILIES
            if "," not in name and name != "bernoulli"
        ),
    ],
)
def test_a_fit_survives_its_file(family, digits, tmp_path):
    """Digits of 17 levels, constants among them; bounds equal to the bit."""
    data = digits[:200] > 7 if family == "bernoulli" else digits[:200]
    vae = textbook_vae(
        2, noise=FAMILIES[family](), hidden=(16,), max_epochs=2, random_state=0, patience=None
    ).fit(data)
    bound = vae.elbo(data[:20], n_samples=4)
    assert np.isfinite(bound).all()
    vae.save(tmp_path / "fit.wp")
    loaded = wp.load(tmp_path / "fit.wp")
    np.testing.assert_array_equal(loaded.elbo(data[:20], n_samples=4), bound)
    drawn = loaded.sample(5)
    assert np.array_equal(drawn, np.round(drawn))
    assert drawn.min() >= 0
    if math.isfinite(loaded.model_.noise.support.high):
        assert drawn.max() <= loaded.model_.noise.support.high
    assert np.isfinite(loaded.sample(5, how="coupled")).all()
