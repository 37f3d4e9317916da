"""What every family on whole numbers promises, by enumeration of its support."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats
from scipy.special import expit, softmax

import wellposed as wp
from variants import slow_beside
from wellposed.noise import (
    Bernoulli,
    BetaBinomial,
    Categorical,
    DiscretizedGaussian,
    DiscretizedLogistic,
    NegativeBinomial,
    Poisson,
)
from wellposed.transforms import Moments

LEVELS, D = 17, 4

FAMILIES = {
    "bernoulli": Bernoulli,
    "beta-binomial": BetaBinomial,
    "categorical": Categorical,
    "discretized-gaussian": DiscretizedGaussian,
    "discretized-gaussian, one a feature": lambda: DiscretizedGaussian(variance="feature"),
    "discretized-gaussian, conditional": lambda: DiscretizedGaussian(variance="conditional"),
    "discretized-gaussian, three": lambda: DiscretizedGaussian(mixture=3),
    "discretized-logistic": DiscretizedLogistic,
    "discretized-logistic, shared": lambda: DiscretizedLogistic(variance="shared"),
    "discretized-logistic, given": lambda: DiscretizedLogistic(variance=2.0),
    "discretized-logistic, five": lambda: DiscretizedLogistic(mixture=5),
    "negative-binomial": NegativeBinomial,
    "negative-binomial, shared": lambda: NegativeBinomial(dispersion="shared"),
    "negative-binomial, conditional": lambda: NegativeBinomial(dispersion="conditional"),
    "poisson": Poisson,
}
ON_LEVELS = [name for name in FAMILIES if "discretized" in name or "be" in name[:2]]


def moments(varies=(True,) * D, binary: bool = False) -> Moments:
    varies = jnp.asarray(varies)
    mean = jnp.array([0.5, 3.0, 8.0, 14.0])
    variance = jnp.array([0.7, 4.0, 20.0, 16.0])
    if binary:
        mean = jnp.array([0.1, 0.5, 0.7, 0.95])
        variance = mean * (1 - mean)
    return Moments(
        mean=jnp.where(varies, mean, jnp.round(mean)),
        variance=jnp.where(varies, variance, 0.0),
        resolution=jnp.ones(D),
        varies=varies,
        n=200,
        highs=jnp.full(D, 1.0 if binary else LEVELS - 1.0),
    )


def fitted(name: str, **of_moments):
    return FAMILIES[name]().initialise(moments(binary=name == "bernoulli", **of_moments))


def raw_of(noise, seed: int = 0, size: float = 0.7) -> jax.Array:
    return size * jax.random.normal(jax.random.key(seed), (noise.n_raw * D,))


def values_of(noise) -> np.ndarray:
    """Every level; of counts, all but a tail of 1e-9."""
    return np.arange(noise.support.high + 1 if math.isfinite(noise.support.high) else 1500)


def masses(p, values: np.ndarray) -> np.ndarray:
    """P(v) of each feature, shape (values, d)."""
    each = jax.vmap(lambda v: p.each.log_prob(jnp.full(D, v)))(jnp.asarray(values, float))
    return np.exp(np.asarray(each, np.float64))


# The others differ from these in where one scale comes from; each compiles programs of its own.
TYPICAL = (
    "bernoulli",
    "beta-binomial",
    "categorical",
    "discretized-logistic",
    "discretized-gaussian, three",
    "negative-binomial, conditional",
    "poisson",
)


@pytest.fixture(params=slow_beside(FAMILIES, TYPICAL))
def name(request) -> str:
    return request.param


@pytest.mark.parametrize(
    "varies",
    [
        pytest.param((True,) * D, id="all", marks=pytest.mark.slow),
        pytest.param((True, False, True, True), id="some"),
    ],
)
def test_probabilities_are_those_of_the_moments_and_quantiles(name, varies, x64):
    """They sum to one, and mean, variance, cdf and quantiles are theirs."""
    noise = fitted(name, varies=varies)
    p, values = noise(raw_of(noise)), values_of(noise)
    mass = masses(p, values)
    np.testing.assert_allclose(mass.sum(axis=0), 1.0, atol=1e-9)
    mean = values @ mass
    np.testing.assert_allclose(p.mean, mean, rtol=1e-6)
    np.testing.assert_allclose(
        p.variance, np.einsum("vd,vd->d", (values[:, None] - mean) ** 2, mass), rtol=1e-5
    )
    cdf = np.cumsum(mass, axis=0)
    ours = jax.vmap(lambda v: p.cdf(jnp.full(D, v)))(jnp.asarray(values, float))
    np.testing.assert_allclose(ours, cdf, atol=1e-8)
    assert np.all(np.asarray(p.cdf(jnp.full(D, -1.0))) == 0)
    for q in (1e-4, 0.2, 0.5, 0.77, 0.999):
        found = np.asarray(p.icdf(jnp.asarray(q)))
        np.testing.assert_array_equal(found, [np.searchsorted(cdf[:, j], q) for j in range(D)])


def test_a_row_is_the_product_of_its_features(name, x64):
    noise = fitted(name)
    p, y = noise(raw_of(noise)), jnp.array([0.0, 1.0, 1.0, 0.0])
    assert p.event_shape == (D,)
    assert float(p.log_prob(y)) == pytest.approx(float(p.each.log_prob(y).sum()), rel=1e-12)


def softplus(v):
    return np.logaddexp(0, np.asarray(v) + math.log(math.e - 1))


def cut(cdf, location, scale, values):
    """P(v) from a cdf, tails at the edges."""
    v = values.reshape(-1, 1, 1)
    high = np.where(v == values[-1], 1.0, cdf((v + 0.5 - location) / scale))
    return high - np.where(v == 0, 0.0, cdf((v - 0.5 - location) / scale))


def test_probabilities_agree_with_scipy(name, x64):
    """From the raw outputs by formulas written out here: a density agrees with itself anyway."""
    noise = fitted(name)
    raw, values = raw_of(noise), values_of(noise)
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
    np.testing.assert_allclose(masses(noise(raw), values), expected, rtol=3e-5, atol=1e-9)


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
    noise = fitted(name, varies=varies)
    p, values = noise(raw_of(noise)), values_of(noise)
    drawn = jax.jit(jax.vmap(p.sample))(jax.random.split(jax.random.key(1), 20_000))
    assert drawn.dtype == jnp.float32
    expected = masses(p, values) * len(drawn)
    for j in range(D):
        seen = np.bincount(np.asarray(drawn[:, j], int), minlength=len(values))[: len(values)]
        common = expected[:, j] >= 5
        counts = np.append(seen[common], len(drawn) - seen[common].sum())
        shares = np.append(expected[common, j], len(drawn) - expected[common, j].sum())
        if shares[-1] < 5:  # too rare to be judged alone
            counts, shares = counts[:-1], shares[:-1]
        if len(counts) > 1:
            shares *= counts.sum() / shares.sum()
            assert stats.chisquare(counts, shares).pvalue > 1e-4, j


@pytest.mark.parametrize("size", [1.0, 30.0, 1e4])
def test_nothing_is_surer_than_certain_and_gradients_are_finite(name, size):
    noise = fitted(name)
    assert noise.log_density_bound(D) == 0.0
    top = noise.support.high if math.isfinite(noise.support.high) else 1e5
    signs = jax.random.rademacher(jax.random.key(2), (24, noise.n_raw * D))
    raws = size * jnp.concatenate([signs, jax.random.normal(jax.random.key(3), signs.shape)])
    learned = noise.learned()

    def log_prob(raw, y):
        return noise(raw).log_prob(y)

    both = jax.jit(jax.vmap(jax.value_and_grad(log_prob), (0, None)))
    for y in (0.0, 1.0, top // 2, top):
        value, slope = both(raws, jnp.full(D, y))
        assert np.isfinite(value).all()
        assert np.isfinite(slope).all()
        assert float(value.max()) <= 0.0
    for array in learned:
        assert jnp.isfinite(array).all()


def test_moments_quantiles_and_draws_are_finite_at_extremes(name):
    noise = fitted(name)

    @jax.jit
    def everything(raw):
        p = noise(raw)
        return p.mean, p.variance, p.sample(jax.random.key(0)), p.coupled(jnp.asarray(1.0))

    for size in (30.0, 1e4):
        for seed in range(4):
            for found in everything(raw_of(noise, seed, size)):
                assert np.isfinite(found).all()
                assert (np.asarray(found) >= -1e-3).all()


def test_a_fresh_decoder_starts_at_the_datas_mean(name):
    noise = fitted(name)
    p = noise(jnp.zeros(noise.n_raw * D))
    if name == "categorical":  # moments say nothing of categories
        np.testing.assert_allclose(p.mean, 8.0, rtol=1e-5)
        return
    of = moments(binary=name == "bernoulli")
    away = np.abs(np.asarray(p.mean - of.mean)) / np.sqrt(np.asarray(of.variance))
    # One σ for all is wide for the first feature, and what it cuts off at zero moves the mean.
    assert np.all(away[1:] < 0.3)
    assert away[0] < 0.6
    if name in ("beta-binomial", "negative-binomial"):
        np.testing.assert_allclose(p.variance[1:], of.variance[1:], rtol=0.05)


def test_what_the_encoder_sees_is_of_the_size_of_one(name):
    noise = fitted(name)
    of = moments(binary=name == "bernoulli")
    rng = np.random.default_rng(0)
    y = np.clip(np.round(rng.normal(of.mean, np.sqrt(of.variance), (500, D))), 0, of.high)
    shown = jax.vmap(noise.presented)(jnp.asarray(y, jnp.float32))
    assert 0.3 < float(jnp.sqrt(jnp.mean(shown**2))) < 3


def test_nothing_is_refitted_and_nothing_has_a_floor(name):
    noise = fitted(name)
    assert not noise.solved_by_squares
    assert noise.refitted(jnp.ones(D)) is noise
    assert noise.on_floor(jnp.zeros(D)) == ()


@pytest.mark.parametrize("family", ON_LEVELS)
def test_no_levels_given_means_those_of_the_data(family):
    if family == "bernoulli":
        return
    assert FAMILIES[family]().support == wp.transforms.COUNTS
    assert fitted(family).support == wp.transforms.levels(LEVELS)


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
        wp.VAE(1, noise=noise, max_epochs=1).fit(data)


@pytest.mark.filterwarnings("ignore::wellposed.TrainingWarning")
def test_levels_are_fixed_by_the_fit():
    vae = wp.VAE(
        1, noise="discretized-logistic", hidden=(4,), max_epochs=1, random_state=0, patience=None
    ).fit(WHOLE)
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
    """Digits of 17 levels, constants among them; scores equal to the bit."""
    data = digits[:200] > 7 if family == "bernoulli" else digits[:200]
    vae = wp.VAE(
        2, noise=FAMILIES[family](), hidden=(16,), max_epochs=2, random_state=0, patience=None
    ).fit(data)
    score = vae.score_samples(data[:20], n_samples=4)
    assert np.isfinite(score).all()
    vae.save(tmp_path / "fit.wp")
    loaded = wp.load(tmp_path / "fit.wp")
    np.testing.assert_array_equal(loaded.score_samples(data[:20], n_samples=4), score)
    drawn = loaded.sample(5)
    assert np.array_equal(drawn, np.round(drawn))
    assert drawn.min() >= 0
    if math.isfinite(loaded.model_.noise.support.high):
        assert drawn.max() <= loaded.model_.noise.support.high
    assert np.isfinite(loaded.sample(5, how="coupled")).all()
