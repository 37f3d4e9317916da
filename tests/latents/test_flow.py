"""The flow: a density, whose draws are its own, that starts at N(0, I)."""

import sys

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

import wellposed as wp
from once import over
from wellposed.latents import FlowPrior, StandardNormal

pytest.importorskip("flowjax", reason="needs flowjax: pip install 'wellposed[flow]'")

KEY = jax.random.key(0)


def bent(k: int, size: float = 0.2) -> FlowPrior:
    """A flow far from N(0, I): its arrays are drawn, not learned."""
    start = FlowPrior.start(k, layers=2, width=8, knots=5, key=KEY)
    rng = np.random.default_rng(k)
    moved = (a + size * rng.normal(size=a.shape) for a in start.arrays)
    return eqx.tree_at(lambda p: p.arrays, start, tuple(map(jnp.asarray, moved)))


@pytest.mark.parametrize("k", [1, pytest.param(2, marks=pytest.mark.slow), 7])
def test_it_starts_at_the_standard_normal(k):
    start, plain = FlowPrior.start(k, key=KEY), StandardNormal(k)
    z = 2 * jax.random.normal(jax.random.key(1), (500, k))
    found, truth = (over(prior.log_prob, z) for prior in (start, plain))
    np.testing.assert_allclose(found, truth, atol=1e-4)
    keys = jax.random.split(KEY, 50)
    draws, normal = (over(lambda q, p=p: p.sample(key=q), keys) for p in (start, plain))
    order = slice(None, None, -1 if start.layers % 2 else 1)  # of the latents
    np.testing.assert_allclose(draws, normal[:, order], atol=1e-4)


def test_every_network_learns_from_the_start():
    z = jax.random.normal(KEY, (50, 3)) + 1.0
    start = FlowPrior.start(3, key=KEY)
    slope = jax.jit(jax.grad(lambda prior: jax.vmap(prior.log_prob)(z).mean()))(start)
    weight, bias = (np.asarray(a) for a in slope.arrays[2:])  # of the last layers
    assert (np.abs(weight).max(axis=(1, 2)) > 1e-4).all()
    assert (np.abs(bias).max(axis=1) > 1e-4).all()


def test_one_latent_has_a_density(x64):
    prior = bent(1)
    z = np.linspace(-9, 9, 40_001)
    density = np.exp(over(prior.log_prob, jnp.asarray(z)[:, None]))
    assert np.trapezoid(density, z) == pytest.approx(1, abs=1e-6)
    assert np.abs(density - norm.pdf(z)).max() > 0.05


def test_two_latents_have_a_density(x64):
    prior = bent(2)
    axis = np.linspace(-7, 7, 701)
    z = np.stack(np.meshgrid(axis, axis, indexing="ij"), -1)
    density = np.exp(jax.jit(jax.vmap(prior.log_prob))(jnp.asarray(z.reshape(-1, 2))))
    mass = np.trapezoid(np.trapezoid(density.reshape(701, 701), axis), axis)
    assert mass == pytest.approx(1, abs=2e-5)
    assert np.abs(density - multivariate_normal([0, 0]).pdf(z.reshape(-1, 2))).max() > 0.05


@pytest.mark.parametrize("k", [pytest.param(1, marks=pytest.mark.slow), 3])
def test_its_density_is_that_of_its_draws(k, x64):
    """log p(f(e)) = log N(e) − log |det ∂f/∂e|, by the Jacobian of the draw."""
    prior = bent(k)
    e = jax.random.normal(KEY, (20, k))
    z = over(prior.forward, e)
    volume = np.linalg.slogdet(over(jax.jacfwd(prior.forward), e))[1]
    truth = norm.logpdf(e).sum(axis=1) - volume
    np.testing.assert_allclose(over(prior.log_prob, z), truth, rtol=1e-8, atol=1e-8)


def test_its_moments_are_those_of_its_draws():
    prior = bent(3)
    keys = jax.random.split(jax.random.key(9), 20_000)
    drawn = np.asarray(jax.jit(jax.vmap(lambda key: prior.sample(key=key)))(keys))
    mean, deviation = (np.asarray(part) for part in prior.moments())
    assert (np.abs(mean - drawn.mean(0)) < 4.5 * deviation / np.sqrt(1_024)).all()
    np.testing.assert_allclose(deviation, drawn.std(0), rtol=0.12)
    np.testing.assert_array_equal(mean, prior.moments()[0])


def test_equal_settings_share_a_program():
    """A function that flowjax makes anew would be another program for each flow."""
    compiled = eqx.filter_jit(lambda prior, z: prior.log_prob(z))
    for seed in range(2):
        compiled(FlowPrior.start(2, key=jax.random.key(seed)), jnp.zeros(2))
    assert compiled._cached._cache_size() == 1


def test_a_missing_package_is_named_with_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "flowjax", None)
    with pytest.raises(wp.SettingError, match=r"needs flowjax.*wellposed\[flow\]"):
        FlowPrior.start(2, key=KEY)
