"""Probabilities of whole data, against enumeration."""

import itertools
import math
import warnings

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import chisquare, norm

import wellposed as wp
from once import once, over
from textbook import textbook_vae
from variants import slow_beside
from wellposed.noise import CausalLogistic, DiscretizedLogistic
from wellposed.transforms import Moments

# Grid and levels: few enough data to name them all.
CASES = {(3, 3): 3, (3, 3, 2): 2, None: 4}


def features(shape) -> int:
    return 6 if shape is None else math.prod(shape)


def moments(shape, n_levels, constant=()) -> Moments:
    d = features(shape)
    varies = jnp.asarray(~np.isin(np.arange(d), constant))
    return Moments(
        mean=jnp.ones(d),
        variance=jnp.where(varies, 0.5, 0.0),
        resolution=jnp.ones(d),
        varies=varies,
        n=50,
        image_shape=shape,
        highs=jnp.full(d, n_levels - 1.0),
    )


def made(shape=(3, 3), constant=(), hidden=(5,), size=1.5, n_levels=None, mixture=2):
    """A model whose network is large enough to make features depend on one another."""
    n_levels = n_levels or CASES[shape]
    noise = CausalLogistic(n_levels, 3, mixture, hidden=hidden, outputs=2)
    noise = noise.initialise(moments(shape, n_levels, constant), key=jax.random.key(3))
    drawn = [
        size * jax.random.normal(jax.random.key(i), leaf.shape)
        for i, leaf in enumerate(noise.parameters())
    ]
    noise = eqx.tree_at(lambda n: n.parameters(), noise, drawn)
    raw = jax.random.normal(jax.random.key(0), (noise.n_raw * features(shape),))
    return noise, once(noise, raw)


def every(shape, n_levels) -> jax.Array:
    """All data there are."""
    d = features(shape)
    return jnp.asarray(list(itertools.product(range(n_levels), repeat=d)), jnp.result_type(float))


@pytest.mark.parametrize("constant", [(), (1, 4)], ids=["all vary", "two constant"])
@pytest.mark.parametrize(
    "hidden",
    [pytest.param((), marks=pytest.mark.slow), (5,), pytest.param((4, 3), marks=pytest.mark.slow)],
    ids=str,
)
@pytest.mark.parametrize("shape", slow_beside(CASES, [(3, 3), None]), ids=str)
def test_probabilities_sum_to_one(shape, hidden, constant, x64):
    _, p = made(shape, constant, hidden)
    total = jnp.exp(over(p.log_prob, every(shape, CASES[shape]))).sum()
    assert float(total) == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("constant", [(), (1, 4)], ids=["all vary", "two constant"])
@pytest.mark.parametrize("shape", [(3, 3), None], ids=str)
def test_draws_have_these_probabilities(shape, constant, x64):
    """Chi-square over all data that are expected often enough; the others are one cell."""
    n_levels, n = CASES[shape], 100_000
    _, p = made(shape, constant)
    expected = n * np.asarray(jnp.exp(over(p.log_prob, every(shape, n_levels))))
    drawn = np.asarray(once(p.sample, jax.random.key(1), (n,))).astype(int)
    base = n_levels ** np.arange(features(shape))[::-1]
    counts = np.bincount(drawn @ base, minlength=len(expected))
    often = expected > 10
    found = np.append(counts[often], counts[~often].sum())
    assert often.sum() > 50
    assert chisquare(found, np.append(expected[often], expected[~often].sum())).pvalue > 1e-3


def test_neighbours_matter():
    """Or the tests above would hold for independent features."""
    _, p = made((3, 3))
    drawn = np.asarray(once(p.sample, jax.random.key(1), (20_000,)), float)
    correlation = np.corrcoef(drawn.T) - np.eye(9)
    assert np.nanmax(np.abs(correlation)) > 0.1


def test_a_feature_looks_at_its_own_neighbours_alone(x64):
    """Changing a feature changes log P of itself, and of those whose window holds it."""
    _, p = made((3, 3))
    y = jnp.ones(9)

    def each(value):
        near = p.window.neighbours(p._context(value))
        mixture = p._mixture(near, p._from_outputs())
        return jnp.stack(mixture).reshape(-1, 9)

    changed = jnp.abs(each(y.at[4].set(2.0)) - each(y)).max(axis=0) > 0
    assert np.flatnonzero(changed).tolist() == [5, 6, 7, 8]


def test_with_one_component_it_is_the_logistic_formula(x64):
    """Against σ((v + ½ − μ)/s) − σ((v − ½ − μ)/s), worked out here from the network's output."""
    noise, p = made((3, 3), mixture=1, hidden=(), n_levels=8, size=0.3)
    y = jnp.asarray([0.0, 1, 2, 3, 4, 5, 6, 7, 3])
    near = np.asarray(p.window.neighbours((y - noise.centre) / noise.spread))
    layer = noise.network.layers[0]
    out = np.hstack([near, p.outputs]) @ np.asarray(layer.weight) + np.asarray(layer.bias)
    mu, s = 7 * (0.5 + out[:, 1]), 0.02 + 7 / 4 * np.exp(out[:, 2])
    upper = np.where(y == 7, 1.0, expit((np.asarray(y) + 0.5 - mu) / s))
    lower = np.where(y == 0, 0.0, expit((np.asarray(y) - 0.5 - mu) / s))
    assert float(p.log_prob(y)) == pytest.approx(np.log(upper - lower).sum(), rel=1e-10)


def test_the_mean_is_the_expectation_where_neighbours_say_nothing(x64):
    """Without weights on neighbours features are independent, and E[y | z] is exact to half a
    level: within a hundredth of one where scales are wide."""
    noise, _ = made((3, 3), hidden=(), n_levels=16, mixture=3, size=0.2)
    n_near = noise.window.n_neighbours
    weight = noise.network.layers[0].weight.at[:n_near].set(0.0)
    noise = eqx.tree_at(lambda n: n.network.layers[0].weight, noise, weight)
    p = noise(jax.random.normal(jax.random.key(0), (18,)))
    drawn = np.asarray(once(p.sample, jax.random.key(1), (60_000,)), float)
    error = 5 * drawn.std(0) / np.sqrt(len(drawn))
    assert (np.abs(drawn.mean(0) - p.mean) < error + 0.02).all()
    assert (np.abs(drawn.var(0) / p.variance - 1) < 0.15).all()


def test_coupled_features_are_at_one_quantile_given_their_neighbours(x64):
    _, p = made((3, 3), n_levels=16, size=0.7)
    for alpha in (-1.0, 0.0, 1.0):
        y = np.asarray(once(p.coupled, jnp.asarray(alpha)))
        everywhere = np.arange(16.0)
        near = p.window.neighbours(p._context(jnp.asarray(y)))
        log_w, mu, s = (np.asarray(part) for part in p._mixture(near, p._from_outputs()))
        w = np.exp(log_w) / np.exp(log_w).sum(0)
        cdf = (w[..., None] * expit((everywhere + 0.5 - mu[..., None]) / s[..., None])).sum(0)
        cdf[:, -1] = 1.0
        expected = (cdf < norm.cdf(alpha)).sum(axis=1)
        np.testing.assert_array_equal(y, expected)


def test_an_exception_is_not_seen_by_its_neighbours(x64):
    """A feature that never varied: what follows it does not depend on it."""
    _, p = made((3, 3), constant=(1,))
    usual, unusual = jnp.ones(9), jnp.ones(9).at[1].set(2.0)
    odds = float(once(p.log_prob, usual) - once(p.log_prob, unusual))
    assert odds == pytest.approx(math.log(51 / 1), rel=1e-12)  # 50 rows and the rule's one


@pytest.mark.parametrize("size", [0.0, 30.0, 1e4])
def test_probabilities_stay_below_one_and_gradients_finite(size):
    noise, _ = made((3, 3), n_levels=256, size=1.0)

    def value(pair, y):
        noise, raw = pair
        return noise(raw).log_prob(y)

    both = eqx.filter_jit(eqx.filter_value_and_grad(value))
    for seed in range(4):
        raw = size * jax.random.normal(jax.random.key(seed), (18,))
        for y in (jnp.zeros(9), jnp.full(9, 255.0), jnp.full(9, 100.0)):
            found, gradient = both((noise, raw), y)
            assert float(found) <= noise.log_density_bound(9)
            assert np.isfinite(found)
            assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradient))


def test_levels_come_from_the_data_or_the_user():
    assert CausalLogistic().initialise(moments(None, 4), key=jax.random.key(0)).levels == 4
    assert CausalLogistic(9).initialise(moments(None, 4), key=jax.random.key(0)).levels == 9


@pytest.mark.parametrize(
    "settings",
    [{"levels": 1}, {"levels": 2.5}, {"mixture": 0}, {"mixture": 11}, {"outputs": 0}],
    ids=str,
)
def test_settings_out_of_range_are_refused(settings):
    with pytest.raises(wp.SettingError, match=next(iter(settings))):
        CausalLogistic(**settings)


@pytest.mark.slow
def test_a_fit_of_digits_beats_independent_features_and_comes_back_from_its_file(digits, tmp_path):
    """Real data, by the public face: code length, draws on the levels, a file that is the model."""
    settings = {
        "n_components": 6,
        "image_shape": (8, 8),
        "hidden": (64,),
        "max_epochs": 25,
        "kl_warmup": 5,
        "patience": None,
        "progress": False,
        "random_state": 0,
    }
    rows, held_out = digits[:1437], digits[1437:]

    def fitted(noise):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # features that never vary; a short budget
            return textbook_vae(noise=noise, **settings).fit(rows)

    causal = fitted(CausalLogistic(17, 3, 3))
    drawn = causal.sample(50)
    assert drawn.min() >= 0
    assert drawn.max() <= 16
    np.testing.assert_array_equal(drawn, np.round(drawn))
    causal.save(tmp_path / "model.wp")
    again = wp.load(tmp_path / "model.wp")
    np.testing.assert_array_equal(again.sample(50), drawn)
    np.testing.assert_array_equal(again.elbo(held_out), causal.elbo(held_out))
    independent = fitted(DiscretizedLogistic(17))
    assert causal.elbo(held_out).mean() > independent.elbo(held_out).mean() + 5


@pytest.mark.parametrize(
    ("rows", "match"),
    [
        (np.array([[0.5, 1.0, 2.0]] * 4) + np.arange(4)[:, None], "whole numbers as they were"),
        (np.array([[0, 1, 9]] * 4) + np.arange(4)[:, None] % 2, "levels=11"),
        (np.array([[-1, 1, 2]] * 4) * np.arange(1, 5)[:, None], "Negative"),
    ],
    ids=["fractions", "too many", "negative"],
)
def test_data_off_the_levels_are_refused(rows, match):
    with pytest.raises(wp.DataError, match=match):
        textbook_vae(1, noise=CausalLogistic(8, 3)).fit(rows)
