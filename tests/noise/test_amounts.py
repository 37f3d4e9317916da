"""Families on amounts: closed forms, mass, bound, extremes, units, zeros and constants."""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

import wellposed as wp
from once import once, over
from textbook import textbook_vae
from wellposed.noise import Columns, Gamma, LogNormal, ZeroInflated
from wellposed.noise.positive.gamma import _Gamma
from wellposed.transforms import Identity, Moments, summarise

D = 3
ROWS = np.exp(np.random.default_rng(0).normal([0.0, 3.0, 8.0], [0.2, 1.0, 1.5], size=(300, D)))
WITH_ZEROS = np.where(np.random.default_rng(1).uniform(size=ROWS.shape) < 0.4, 0.0, ROWS)
KINDS = ("shared", "feature", "conditional")
FAMILIES = {
    **{f"log-normal-{kind}": LogNormal(kind) for kind in (0.3, *KINDS)},
    **{f"gamma-{kind}": Gamma(kind) for kind in (4.0, *KINDS)},
    "zero-inflated-log-normal": ZeroInflated(LogNormal("conditional")),
    "zero-inflated-gamma": ZeroInflated(Gamma("feature")),
}


def moments_of(rows: np.ndarray) -> Moments:
    return Identity().moments(summarise(rows), key=jax.random.key(0))


def made(name: str, rows: np.ndarray | None = None):
    if rows is None:
        rows = WITH_ZEROS if "zero" in name else ROWS
    return FAMILIES[name].initialise(moments_of(rows))


def raw_of(noise, seed: int = 0, size: float = 0.5, d: int = D) -> jax.Array:
    return size * jax.random.normal(jax.random.key(seed), (noise.n_raw * d,))


@eqx.filter_jit
def log_probs(noise, raw, rows):
    return jax.vmap(noise(raw).log_prob)(rows)


def law_of(each):
    """scipy's distribution of each feature, its parameters worked out here."""
    if hasattr(each, "loc"):
        return stats.lognorm(np.asarray(each.scale), scale=np.exp(np.asarray(each.loc)))
    shape = np.asarray(each.shape_)
    return stats.gamma(shape, scale=np.exp(np.asarray(each.log_mean)) / shape)


AMOUNTS = [name for name in FAMILIES if "zero" not in name]


@pytest.mark.parametrize("name", AMOUNTS)
def test_density_moments_and_distribution_are_scipys(name, x64):
    noise = made(name)
    p = noise(raw_of(noise))
    law = law_of(p.each)
    found = over(p.each.log_prob, jnp.asarray(ROWS[:40]))
    np.testing.assert_allclose(found, law.logpdf(ROWS[:40]), atol=1e-7)
    np.testing.assert_allclose(p.mean, law.mean(), rtol=1e-9)
    np.testing.assert_allclose(p.variance, law.var(), rtol=1e-9)
    np.testing.assert_allclose(over(p.cdf, ROWS[:40]), law.cdf(ROWS[:40]), atol=1e-10)
    levels = np.array([1e-5, 0.1, 0.5, 0.99, 1 - 1e-5])
    quantiles = np.stack([law.ppf(level) for level in levels])
    np.testing.assert_allclose(over(p.icdf, jnp.asarray(levels)), quantiles, rtol=1e-8)


@pytest.mark.parametrize("name", ["log-normal-feature", "gamma-feature"])
def test_draws_follow_the_distribution_and_are_above_zero(name):
    noise = made(name)
    p = noise(raw_of(noise))
    drawn = np.asarray(once(p.sample, jax.random.key(3), (4000,)), np.float64)
    assert (drawn > 0).all()
    for j in range(D):
        reached = law_of(p.each).cdf(drawn)[:, j]
        assert stats.kstest(reached, "uniform").pvalue > 1e-3


@pytest.mark.parametrize("shape", [0.05, 1.0, 150.0, 1e3, 1e6])
def test_gamma_keeps_its_digits_at_any_shape(shape):
    """In float32, in which a difference of log Γ would lose whole nats at a million."""
    p = _Gamma(jnp.log(jnp.full(1, 3.0)), jnp.full(1, shape), jnp.full(1, 1e-37))
    law = stats.gamma(shape, scale=3.0 / shape)
    levels = np.array([0.01, 0.2, 0.5, 0.8, 0.999])
    x = np.maximum(law.ppf(levels), 1e-30)[:, None]
    rounding = 1e-6 * math.sqrt(shape) + 2e-5  # of x itself, which a steep density magnifies
    given = jnp.asarray(x, jnp.float32)
    exact = law.logpdf(np.asarray(given, np.float64))
    np.testing.assert_allclose(over(p.log_prob, given), exact, atol=3 * rounding, rtol=1e-6)
    np.testing.assert_allclose(
        over(p.cdf, given)[:, 0], law.cdf(np.asarray(given, np.float64))[:, 0], atol=rounding
    )
    drawn = np.asarray(once(p.sample, jax.random.key(0), (4000,)), np.float64)[:, 0]
    assert stats.kstest(drawn, law.cdf).pvalue > 1e-3


def panels(least: float, top: float) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of composite Gauss-Legendre in the logarithm, from far below ℓ."""
    nodes, weights = np.polynomial.legendre.leggauss(16)
    edges = np.unique([*np.linspace(math.log(least) - 30, math.log(top), 2000), math.log(least)])
    half, middle = 0.5 * np.diff(edges)[:, None], 0.5 * (edges[1:] + edges[:-1])[:, None]
    x = np.exp((middle + half * nodes).ravel())
    return x, (half * weights).ravel() * x


@pytest.mark.parametrize("name", [*AMOUNTS[1::2], "zero-inflated-log-normal"])
def test_the_mass_is_one_zeros_and_amounts_together(name, x64):
    rows = (WITH_ZEROS if "zero" in name else ROWS)[:, 1:2]
    noise = made(name, rows)
    p = noise(raw_of(noise, d=1))
    x, weights = panels(float(noise_data(noise).least[0]), 1e9)
    log_p = np.asarray(over(p.log_prob, jnp.asarray(x)[:, None]))
    mass = weights @ np.exp(log_p)
    if "zero" in name:
        mass += math.exp(float(p.log_prob(jnp.zeros(1))))
    assert mass == pytest.approx(1.0, abs=1e-8)


def noise_data(noise):
    return noise.noise.data if isinstance(noise, ZeroInflated) else noise.data


@pytest.mark.parametrize("name", FAMILIES)
def test_no_density_exceeds_the_bound_and_some_density_reaches_it(name):
    """The mode on the smallest amount, the scale on its floor; and raw outputs driven to 1e4."""
    noise = made(name)
    bound = noise.log_density_bound(D)
    amount = noise.noise if isinstance(noise, ZeroInflated) else noise
    data, least = amount.data, jnp.log(amount.data.least)
    start = jnp.log(data.mean) if isinstance(amount, Gamma) else data.log_mean
    raw = jnp.concatenate(
        [(least - start) / data.log_spread, jnp.full((noise.n_raw - 1) * D, -1e4)]
    )
    if isinstance(noise, ZeroInflated):
        raw = jnp.concatenate([jnp.full(D, -1e4), raw[: (noise.n_raw - 1) * D]])
    leaves = tuple(jnp.full_like(leaf, -1e4) for leaf in noise.parameters())
    driven = eqx.tree_at(lambda n: n.parameters(), noise, leaves) if leaves else noise
    reach = jnp.abs(raw[D : 2 * D] if isinstance(noise, ZeroInflated) else raw[:D]).max()
    highest = float(log_probs(driven, raw, amount.data.least[None] * 1.0000005)[0])
    assert highest <= bound + 1e-3 * D
    if reach < 10:  # further out the decoder's output is damped
        assert highest >= bound - 0.2 * D
    probes = jnp.concatenate([jnp.asarray(ROWS[:20]), data.least[None], 0.01 * data.least[None]])
    for size in (1.0, 30.0, 1e4):
        for seed in range(4):
            for model in (noise, driven):
                found = log_probs(model, raw_of(noise, seed, size), probes)
                assert float(found.max()) <= bound + 1e-3 * D


@pytest.mark.parametrize("name", FAMILIES)
def test_values_and_gradients_are_finite_at_the_extremes(name):
    noise = made(name)
    far = jnp.asarray(np.vstack([ROWS[:3], np.full((1, D), 1e-30), np.full((1, D), 1e30)]))
    rows = jnp.concatenate([far, jnp.zeros((1, D))]) if "zero" in name else far

    @eqx.filter_jit
    def of(raw, sign):
        def total(leaves, raw, y):
            moved = eqx.tree_at(lambda n: n.parameters(), noise, leaves) if leaves else noise
            return moved(raw).log_prob(y)

        leaves = tuple(jnp.full_like(leaf, sign) for leaf in noise.parameters())
        value = jax.vmap(jax.value_and_grad(total, argnums=(0, 1)), (None, None, 0))
        p = noise(raw)
        return value(leaves, raw, rows), p.mean, p.variance, p.coupled(jnp.asarray(30.0))

    for sign in (-1e4, 0.0, 1e4):
        for size in (0.0, 1.0, 1e4):
            for leaf in jax.tree.leaves(of(raw_of(noise, 1, size), jnp.asarray(sign))):
                assert np.isfinite(leaf).all()


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("factor", [1e-3, 60.0])
def test_another_unit_lowers_log_p_by_the_log_of_its_factor(name, factor, x64):
    """Once for each amount above zero, whatever the raw outputs."""
    rows = WITH_ZEROS if "zero" in name else ROWS
    one, other = made(name, rows), made(name, rows * factor)
    raw = raw_of(one)
    x = jnp.asarray(rows[:30])
    before = log_probs(one, raw, x)
    after = log_probs(other, raw, x * factor)
    expected = before - (np.asarray(x) > 0).sum(axis=1) * math.log(factor)
    np.testing.assert_allclose(after, expected, rtol=1e-9, atol=1e-8)


def test_a_fresh_decoder_starts_at_the_datas_own_amounts():
    p = made("log-normal-feature")(jnp.zeros(D))
    np.testing.assert_allclose(p.icdf(jnp.asarray(0.5)), np.exp(np.log(ROWS).mean(0)), rtol=1e-3)
    p = made("gamma-feature")(jnp.zeros(D))
    np.testing.assert_allclose(p.mean, ROWS.mean(axis=0), rtol=1e-3)
    zeros = made("zero-inflated-gamma")(jnp.zeros(2 * D)).each._zero
    np.testing.assert_allclose(zeros, (WITH_ZEROS == 0).mean(axis=0), atol=0.01)


def test_zero_inflation_is_a_probability_and_a_density(x64):
    noise = made("zero-inflated-gamma")
    raw = raw_of(noise)
    p, amounts = noise(raw), noise.noise.law(raw[D:])
    share = 1 / (1 + np.exp(-np.asarray(noise.logit + raw[:D])))
    x = np.array([0.0, ROWS[0, 1], 0.0])
    expected = np.log(share[[0, 2]]).sum() + np.log1p(-share[1]) + amounts.log_prob(x)[1]
    assert float(p.log_prob(jnp.asarray(x))) == pytest.approx(float(expected), rel=1e-10)
    mean, variance = np.asarray(amounts.mean), np.asarray(amounts.variance)
    np.testing.assert_allclose(p.mean, (1 - share) * mean)
    np.testing.assert_allclose(
        p.variance, (1 - share) * (variance + mean**2) - ((1 - share) * mean) ** 2
    )
    np.testing.assert_allclose(p.cdf(jnp.zeros(D)), share)
    np.testing.assert_allclose(p.icdf(jnp.asarray(share) * 0.999), 0.0)
    q = share + (1 - share) * 0.3
    np.testing.assert_allclose(p.icdf(jnp.asarray(q)), amounts.icdf(jnp.asarray(0.3)), rtol=1e-9)
    drawn = np.asarray(once(p.sample, jax.random.key(0), (20_000,)))
    np.testing.assert_allclose((drawn == 0).mean(axis=0), share, atol=0.02)
    assert (drawn >= 0).all()


@pytest.mark.parametrize("name", ["log-normal-feature", "gamma-shared", "zero-inflated-gamma"])
def test_a_feature_that_never_varies_is_its_constant_and_draws_above_zero(name):
    rows = ROWS.copy()
    rows[:, 1] = 7.0
    noise = made(name, rows)
    p = noise(raw_of(noise, size=5.0))
    assert float(p.mean[1]) == pytest.approx(7.0, rel=0.01)
    assert (np.asarray(once(p.sample, jax.random.key(0), (200,)))[:, 1] >= 0).all()
    assert np.isfinite(float(p.log_prob(jnp.asarray(rows[0]))))


def test_a_feature_that_was_always_zero_has_the_rule_of_succession():
    rows = WITH_ZEROS.copy()
    rows[:, 1] = 0.0
    noise = made("zero-inflated-log-normal", rows)
    for size in (0.0, 9.0):
        each = noise(raw_of(noise, size=size)).each
        assert float(each._zero[1]) == pytest.approx(301 / 302, rel=1e-4)


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: Gamma(0.0), "shape must be a finite number > 0"),
        (lambda: LogNormal(-1.0), "noise variance must be a finite number > 0"),
        (lambda: LogNormal(floor=-1.0), "floor must be"),
        (lambda: ZeroInflated("gamma"), "LogNormal"),
        (lambda: ZeroInflated(wp.noise.Gaussian()), "Gamma"),
    ],
)
def test_settings_out_of_range_are_refused(make, match):
    with pytest.raises(wp.SettingError, match=match):
        make()


def test_data_off_the_support_are_refused_with_what_fits():
    with pytest.raises(wp.DataError, match="ZeroInflated"):
        textbook_vae(1, noise="log-normal").fit(WITH_ZEROS)
    with pytest.raises(wp.DataError, match="Laplace or StudentT"):
        textbook_vae(1, noise="gamma").fit(ROWS - 5)
    with pytest.raises(wp.SettingError, match="numbers above 0"):
        textbook_vae(1, noise="gamma", transform="standardize").fit(ROWS)


def test_words_are_families():
    words = {"log-normal": LogNormal, "log_normal": LogNormal, "gamma": Gamma}
    for word, family in {**words, "zero-inflated": ZeroInflated}.items():
        assert isinstance(wp.noise.resolve(word), family)
    assert len(Columns(["log-normal", "log_normal", "shared"]).groups) == 2
