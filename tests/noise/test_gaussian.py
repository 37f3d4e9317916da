"""Gaussian noise: a stated density, bounded, its variance where it belongs."""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import norm

import wellposed as wp
from wellposed.noise import Gaussian
from wellposed.transforms import Moments

KINDS = [0.3, "shared", "feature", "conditional"]
D = 4


def moments(varies=(True, True, True, True), resolution=0.1) -> Moments:
    varies = jnp.asarray(varies)
    return Moments(
        mean=jnp.arange(4.0),
        variance=jnp.where(varies, jnp.array([1.0, 4.0, 0.5, 2.0]), 0.0),
        resolution=jnp.full(4, resolution),
        varies=varies,
    )


def raw_of(noise: Gaussian, seed: int = 0, size: float = 1.0) -> jax.Array:
    return size * jax.random.normal(jax.random.key(seed), (noise.n_raw * D,))


def mean_of(raw) -> np.ndarray:
    """The data's means, and the outputs in units of the data's spread."""
    return np.arange(4.0) + math.sqrt((1.0 + 4.0 + 0.5 + 2.0) / 4) * np.asarray(raw[:D])


@pytest.fixture(params=KINDS, ids=str)
def noise(request) -> Gaussian:
    return Gaussian(request.param).initialise(moments())


def test_the_density_is_the_normal_one_constants_kept(noise, x64):
    noise = Gaussian(noise.kind if noise.scale.given is None else 0.3).initialise(moments())
    raw = raw_of(noise)
    p, y = noise(raw), jnp.linspace(-1, 2, D)
    expected = norm.logpdf(y, p.mean, np.sqrt(p.variance)).sum()
    assert float(p.log_prob(y)) == pytest.approx(expected, rel=1e-12)
    assert p.event_shape == (D,)
    np.testing.assert_allclose(p.mean, mean_of(raw), rtol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_the_scale_is_the_root_of_the_variance(kind, x64):
    """Against numbers worked out here: a density agrees with its own variance, right or wrong."""
    noise = Gaussian(kind).initialise(moments())
    raw = raw_of(noise)
    floor = 0.1 / math.sqrt(12)

    def softplus(v):
        return np.log1p(np.exp(np.asarray(v)))

    if kind == 0.3:
        scale = math.sqrt(0.3)
    elif kind == "conditional":
        start = 0.5 * np.sqrt([1.0, 4.0, 0.5, 2.0]) - floor
        change = np.asarray(raw[D:]) / np.sqrt(1 + (np.asarray(raw[D:]) / math.log(10)) ** 2)
        scale = floor + start * np.exp(change)
    else:
        scale = floor + softplus(noise.scale.rho + math.log(math.e - 1))
    y = jnp.linspace(-1, 2, D)
    expected = norm.logpdf(y, mean_of(raw), scale).sum()
    # Moments are float32: the start and the floor are given to seven digits.
    assert float(noise(raw).log_prob(y)) == pytest.approx(expected, rel=1e-6)
    if kind != "conditional":
        np.testing.assert_allclose(noise.variance(), np.asarray(scale) ** 2, rtol=1e-6)


def test_a_shared_noise_takes_the_smallest_floor_of_the_features_that_vary():
    resolution = jnp.array([0.6, 0.1, 0.01, 0.3])
    given = eqx.tree_at(
        lambda m: m.resolution, moments(varies=(True, True, False, True)), resolution
    )
    floor = Gaussian("shared").initialise(given).scale.floor
    assert float(floor) == pytest.approx(0.1 / math.sqrt(12), rel=1e-6)


@pytest.mark.parametrize("kind", ["shared", "feature", "conditional"])
def test_a_floor_given_is_the_one_used(kind):
    noise = Gaussian(kind, floor=0.25).initialise(moments())
    np.testing.assert_allclose(noise.scale.floor, 0.25)
    bound = D * norm.logpdf(0, 0, 0.25)
    assert noise.log_density_bound(D) == pytest.approx(bound, rel=1e-6)


@pytest.mark.parametrize("size", [1.0, 30.0, 1e4])
def test_no_density_exceeds_the_bound(noise, size):
    """Adversarial parameters: raw outputs and ρ driven far down, data on the mean."""
    bound = noise.log_density_bound(D)
    assert math.isfinite(bound)
    driven = noise
    if noise.parameters():
        driven = eqx.tree_at(lambda n: n.scale.rho, noise, jnp.full_like(noise.scale.rho, -size))
    for seed in range(20):
        raw = -jnp.abs(raw_of(noise, seed, size))
        p = driven(raw)
        assert float(p.log_prob(p.mean)) <= bound + 1e-3


@pytest.mark.parametrize("kind", ["shared", "feature", "conditional"])
def test_the_bound_is_reached_in_the_limit(kind):
    noise = Gaussian(kind).initialise(moments())
    if noise.parameters():
        noise = eqx.tree_at(lambda n: n.scale.rho, noise, jnp.full_like(noise.scale.rho, -80.0))
    p = noise(jnp.full(noise.n_raw * D, -80.0))
    assert float(p.log_prob(p.mean)) == pytest.approx(noise.log_density_bound(D), rel=1e-5)


def test_the_floor_is_the_standard_deviation_of_rounding():
    noise = Gaussian("feature").initialise(moments(resolution=0.6))
    np.testing.assert_allclose(noise.scale.floor, 0.6 / math.sqrt(12), rtol=1e-6)


def test_the_floor_has_a_live_gradient():
    noise = Gaussian("shared").initialise(moments())

    def log_prob(rho):
        p = eqx.tree_at(lambda n: n.scale.rho, noise, rho)(jnp.zeros(D))
        return p.log_prob(jnp.full(D, 100.0))

    for rho in (-40.0, -5.0, 0.0, 5.0):
        assert jax.jit(jax.grad(log_prob))(jnp.asarray(rho)) > 0  # the residual wants more variance


@pytest.mark.parametrize("kind", ["shared", "feature", "conditional"])
def test_without_a_floor_there_is_no_bound(kind):
    noise = Gaussian(kind, floor=0.0).initialise(moments())
    assert noise.log_density_bound(D) == math.inf
    assert Gaussian(kind).initialise(moments(resolution=0.0)).log_density_bound(D) == math.inf


def test_a_given_variance_states_its_own_bound():
    expected = D * norm.logpdf(0, 0, math.sqrt(0.3))
    assert Gaussian(0.3).log_density_bound(D) == pytest.approx(expected)


def test_the_start_is_a_share_of_the_datas_spread():
    shared = Gaussian("shared").initialise(moments())
    feature = Gaussian("feature").initialise(moments())
    conditional = Gaussian("conditional").initialise(moments())
    variance = np.array([1.0, 4.0, 0.5, 2.0])
    assert float(shared.variance()) == pytest.approx(variance.mean() / 4, rel=1e-5)
    np.testing.assert_allclose(feature.variance(), variance / 4, rtol=1e-5)
    np.testing.assert_allclose(conditional(jnp.zeros(2 * D)).variance, variance / 4, rtol=1e-5)


@pytest.mark.parametrize("kind", ["shared", "feature"])
def test_the_refit_is_the_maximum(kind, x64):
    """σ² = mean squared residual: no other variance gives these residuals a larger density."""
    noise = Gaussian(kind).initialise(moments())
    squares = jnp.array([0.5, 0.2, 2.0, 1.0])

    def expected_log_density(candidate):
        variance = jnp.broadcast_to(candidate.variance(), (D,))
        return float(-0.5 * jnp.sum(jnp.log(variance) + squares / variance))

    best = noise.refit(squares)
    target = squares.mean() if kind == "shared" else squares
    np.testing.assert_allclose(best.variance(), target, rtol=1e-9)
    for step in (-1e-3, 1e-3):
        other = eqx.tree_at(lambda n: n.scale.rho, best, best.scale.rho + step)
        assert expected_log_density(other) < expected_log_density(best)


def test_a_refit_below_the_floor_rests_on_it_and_says_so():
    noise = Gaussian("feature").initialise(moments(resolution=0.6))
    rested = noise.refit(jnp.array([1e-9, 1.0, 1e-9, 1.0]))
    assert rested.on_floor(rested.variance()) == (0, 2)
    assert noise.on_floor(noise.variance()) == ()
    assert np.isfinite(rested.scale.rho).all()


def test_a_given_variance_is_never_refitted(x64):
    noise = Gaussian(0.3).initialise(moments())
    assert float(noise.refit(jnp.ones(D)).variance()) == 0.3
    assert noise.parameters() == ()


@pytest.mark.parametrize("kind", KINDS)
def test_a_feature_that_never_varies_has_its_constant_as_its_mean(kind):
    noise = Gaussian(kind).initialise(moments(varies=(True, True, False, True)))
    p = noise(raw_of(noise, size=5.0))
    assert float(p.mean[2]) == 2.0
    if kind in ("feature", "conditional"):
        n, step = noise.constants.n, 0.1
        exceptions = 2 * (step / math.log(2)) ** 2 / (n + 2)
        expected = step**2 / 12 * (n + 1) / (n + 2) + exceptions
        assert float(p.variance[2]) == pytest.approx(expected, rel=1e-4)


def test_coupled_is_the_mean_moved_by_alpha_sigma_beside_constants_too():
    """At 8σ, where Φ has rounded to one."""
    noise = Gaussian("feature").initialise(moments(varies=(True, True, False, True)))
    p = noise(raw_of(noise))
    moved = np.asarray(p.mean + 8 * np.sqrt(p.variance))
    np.testing.assert_allclose(np.delete(p.coupled(8.0), 2), np.delete(moved, 2), rtol=1e-6)
    assert np.isfinite(p.coupled(8.0)).all()


@pytest.mark.parametrize("variance", [0, -1.0, math.nan, math.inf, True, None, [1.0]])
def test_a_variance_must_be_positive_and_finite(variance):
    with pytest.raises(wp.SettingError, match="noise variance"):
        Gaussian(variance)


def test_the_closest_name_is_suggested():
    with pytest.raises(wp.SettingError, match="'feature'"):
        Gaussian("features")


def test_a_floor_must_not_be_negative():
    with pytest.raises(wp.SettingError, match="floor"):
        Gaussian("shared", floor=-1.0)
