"""Quantile heads: a normalised law whose heads are its quantiles, and are fitted as such."""

import math
from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from continuous_families import D, make_noise, moments_for, raw_of
from numpyro.distributions import AsymmetricLaplaceQuantile
from scipy.stats import norm

from once import once, over
from wellposed.noise import Quantile
from wellposed.noise.real.quantile import QuantileLaw

LEVELS = (0.15, 0.5, 0.85)


@pytest.mark.parametrize(
    "level", [0.1, *(pytest.param(q, marks=pytest.mark.slow) for q in (0.5, 0.9))]
)
def test_one_head_is_the_asymmetric_laplace(level, x64):
    """Value and gradient: with one head the gradient is the density's own."""
    y = jnp.array([-3.0, 0.1, 0.4, 2.0])

    def ours(heads, scale):
        return QuantileLaw(heads, jnp.zeros((0, D)), scale, (level,)).log_prob(y)

    def theirs(heads, scale):
        return AsymmetricLaplaceQuantile(heads[0], scale, level).log_prob(y)

    heads, scale = jnp.array([[0.0, -1.0, 0.5, 0.2]]), jnp.array([0.3, 1.0, 2.0, 0.1])
    np.testing.assert_allclose(once(ours, heads, scale), once(theirs, heads, scale), rtol=1e-12)
    for argument in (0, 1):
        mine, other = (
            jax.jit(jax.grad(lambda *a, f=f: f(*a).sum(), argnums=argument))(heads, scale)
            for f in (ours, theirs)
        )
        np.testing.assert_allclose(mine, other, rtol=1e-12, atol=1e-14)


def cdf_at_heads(noise, raw):
    """The distribution function of the law at its own heads."""
    return jax.vmap(noise(raw).cdf)(noise.quantiles(raw))


def test_the_heads_are_the_quantiles_of_the_law(x64):
    for name in ("quantile-conditional", "quantile-skew-levels"):
        noise = make_noise(name)
        raw = raw_of(noise, size=2.0)
        reached = once(cdf_at_heads, noise, raw)
        for level, row in zip(noise.levels, reached, strict=True):
            np.testing.assert_allclose(row, level, rtol=1e-12)


@pytest.mark.parametrize("size", [1.0, 1e2, 1e4])
def test_heads_never_cross(size):
    noise = make_noise("quantile-conditional")
    for seed in range(20):
        p = noise(raw_of(noise, seed=seed, size=size))
        assert (
            np.diff(np.asarray(noise.quantiles(raw_of(noise, seed=seed, size=size))), axis=0) >= 0
        ).all()
        assert (np.asarray(p.each.gaps) > 0).all()


def test_heads_start_at_a_normals_quantiles():
    noise = make_noise("quantile-feature")
    heads = noise.quantiles(jnp.zeros(noise.n_raw * D))
    deviation = 0.5 * np.sqrt(moments_for(noise).variance)
    np.testing.assert_allclose(heads[1], 0.0, atol=1e-6)
    np.testing.assert_allclose(heads[2], 1.0364334 * deviation, rtol=1e-5)
    np.testing.assert_allclose(heads[0], -1.0364334 * deviation, rtol=1e-5)


def test_several_heads_have_the_gradient_of_their_pinballs(x64):
    heads = jnp.sort(jax.random.normal(jax.random.key(0), (3, D), jnp.float64), axis=0)
    scale, y = jnp.full(D, 0.4), jnp.linspace(-1.0, 1.0, D)
    law = QuantileLaw(heads, jnp.diff(heads, axis=0), scale, LEVELS)
    found = jax.jit(jax.grad(lambda h: eqx.tree_at(lambda p: p.heads, law, h).log_prob(y).sum()))(
        heads
    )
    level = np.array(LEVELS)[:, None]
    expected = (level - (y < heads)) / scale / 3
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_the_gradient_vanishes_at_the_quantiles_and_the_densitys_own_does_not(x64):
    """On an exponential law: why the heads are not fitted by the density itself."""
    levels = (np.arange(40_000) + 0.5) / 40_000
    y = jnp.asarray(-np.log1p(-levels))[:, None]
    heads = jnp.asarray([[-math.log1p(-level)] for level in LEVELS])

    @partial(jax.jit, static_argnums=1)
    def mean(heads, of):
        law = QuantileLaw(heads, jnp.diff(heads, axis=0), jnp.full(1, 0.5), LEVELS)
        return jax.vmap(lambda v: getattr(law, of)(v)[0])(y).mean()

    np.testing.assert_allclose(jax.grad(mean)(heads, "log_prob"), 0.0, atol=1e-4)
    step = 1e-2
    own = [
        float(mean(heads.at[k].add(step), "log_density") - mean(heads, "log_density")) / step
        for k in range(3)
    ]
    assert max(abs(slope) for slope in own) > 0.02


@pytest.mark.slow
def test_heads_fitted_to_skewed_data_cover_held_out_data_as_their_levels_say():
    """y = c + e^{c/2} (E − 1) with exponential E: skewed, its spread and skew a function of c."""

    def drawn(seed, n):
        rng = np.random.default_rng(seed)
        c = rng.uniform(-1, 1, (n, 1)).astype(np.float32)
        return c, (c + np.exp(0.5 * c) * (rng.exponential(size=(n, 1)) - 1)).astype(np.float32)

    noise = Quantile().initialise(moments_for(Quantile(), 1))

    def raw_at(weights, c):
        return weights @ jnp.stack([jnp.ones(()), c[0], c[0] ** 2])

    def objective(parameters, c, y):
        weights, rho = parameters
        p = eqx.tree_at(lambda n: n.scale.rho, noise, rho)
        return -jax.vmap(lambda a, b: p(raw_at(weights, a)).log_prob(b))(c, y).mean()

    c, y = drawn(0, 20_000)
    parameters = (jnp.zeros((3, 3)), noise.scale.rho)
    adam = optax.adam(optax.cosine_decay_schedule(0.05, 1500))

    def step(carry, _):
        parameters, memory = carry
        updates, memory = adam.update(jax.grad(objective)(parameters, c, y), memory)
        return (optax.apply_updates(parameters, updates), memory), None

    run = jax.jit(lambda start: jax.lax.scan(step, start, length=1500)[0])
    weights = run((parameters, adam.init(parameters)))[0][0]
    held_c, held_y = drawn(1, 20_000)
    heads = over(lambda a: noise.quantiles(raw_at(weights, a)), held_c)[:, :, 0]
    below = np.asarray(held_y <= heads)
    np.testing.assert_allclose(below.mean(axis=0), LEVELS, atol=0.01)
    for part in (held_c[:, 0] < 0, held_c[:, 0] >= 0):
        np.testing.assert_allclose(below[part].mean(axis=0), LEVELS, atol=0.02)


def test_tails_start_where_a_normals_would_be_likeliest():
    """b maximises E log p of a normal sample whose quantiles are the heads."""
    for levels in ((0.2,), LEVELS):
        noise = Quantile(levels, "feature").initialise(moments_for(Quantile()))
        p = noise(jnp.zeros(noise.n_raw * D)).each
        sample = norm.ppf((np.arange(20_000) + 0.5) / 20_000)[:, None]
        y = jnp.asarray(sample * 0.5 * np.sqrt(moments_for(noise).variance), jnp.float32)

        def mean(scale, p=p, y=y):
            law = eqx.tree_at(lambda n: n.scale, p, scale)
            return jax.vmap(law.log_density)(y).mean(axis=0)

        slopes = jax.jit(jax.grad(lambda scale, mean=mean: mean(scale).sum()))(p.scale) * p.scale
        np.testing.assert_allclose(slopes, 0.0, atol=2e-3)
