"""The scale: σ(z) within a factor of the feature's own; the start at a linear fit."""

import math
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from continuous_families import FAMILIES, make_noise
from scipy.stats import norm

import wellposed as wp
from wellposed import noise as noises
from wellposed.noise import (
    CausalGaussian,
    Columns,
    DiscretizedGaussian,
    DiscretizedLogistic,
    Gaussian,
    StudentT,
)
from wellposed.noise.parts.scale import RATIO, Scale
from wellposed.transforms import Moments

D = 4
VARIANCE = np.array([0.3, 2.0, 0.05, 0.9])


def moments(mean=0.0, variance=(1.0, 4.0, 0.5, 2.0), resolution=0.1, **more) -> Moments:
    resolutions = jnp.full(D, resolution)
    varies = jnp.ones(D, bool)
    return Moments(jnp.full(D, mean), jnp.asarray(variance), resolutions, varies, **more)


def conditional(**settings) -> Scale:
    return Scale("conditional", **settings).initialise(moments())


def test_the_scale_at_raw_zero_is_the_floor_and_the_features_own(x64):
    scale = conditional()
    own = np.logaddexp(0, np.asarray(scale.rho) + math.log(math.e - 1))
    expected = np.asarray(scale.floor) + own
    np.testing.assert_allclose(scale(jnp.zeros(D)), expected, rtol=1e-12)
    np.testing.assert_allclose(scale.at_zero(D), expected, rtol=1e-12)
    np.testing.assert_allclose(expected, 0.5 * np.sqrt([1.0, 4.0, 0.5, 2.0]), rtol=1e-6)
    assert scale.parameters() == (scale.rho,)


@pytest.mark.parametrize("ratio", [2.0, RATIO, 50.0])
def test_the_ends_are_the_ratio_and_its_inverse(ratio, x64):
    scale = conditional(ratio=ratio)
    above = np.asarray(scale(jnp.zeros(D)) - scale.floor)
    for sign in (-1.0, 1.0):
        for size in (1e6, 1e30, 1e300):
            end = scale(jnp.full(D, sign * size)) - scale.floor
            np.testing.assert_allclose(end, above * ratio**sign, rtol=1e-6)
    inside = scale(jnp.linspace(-30.0, 30.0, D)) - scale.floor
    assert ((inside > above / ratio) & (inside < above * ratio)).all()


def test_small_outputs_are_logarithms_of_the_ratio(x64):
    scale = conditional()
    above = scale(jnp.zeros(D)) - scale.floor
    moved = scale(jnp.full(D, 1e-3)) - scale.floor
    np.testing.assert_allclose(jnp.log(moved / above), 1e-3, rtol=1e-6)


@pytest.mark.parametrize("raw", [-1e4, -30.0, 0.0, 30.0, 1e4])
@pytest.mark.parametrize("rho", [-40.0, 0.0, 5.0])
def test_the_gradient_is_alive_at_the_floor_and_at_the_ends(raw, rho):
    """A residual of a hundred σ raises both the feature's own scale and the decoder's output."""
    noise = Gaussian("conditional").initialise(moments())

    def log_prob(rho, raw):
        p = eqx.tree_at(lambda n: n.scale.rho, noise, jnp.full(D, rho))
        outputs = jnp.concatenate([jnp.zeros(D), jnp.full(D, raw)])
        scale = jax.lax.stop_gradient(p.scale_of(outputs[D:]))
        return p(outputs).log_prob(100.0 * scale)

    by_rho, by_raw = jax.jit(jax.grad(log_prob, (0, 1)))(rho, raw)
    assert 0 < by_rho < math.inf
    assert 0 < by_raw < math.inf


def test_no_output_exceeds_the_bound_of_the_density():
    noise = Gaussian("conditional").initialise(moments())
    driven = eqx.tree_at(lambda n: n.scale.rho, noise, jnp.full(D, -1e4))
    for raw in (-3e38, -1e4, 0.0, 1e4, 3e38):
        p = driven(jnp.concatenate([jnp.zeros(D), jnp.full(D, raw)]))
        log_density = float(p.log_prob(p.mean))
        assert log_density == pytest.approx(noise.log_density_bound(D), abs=1e-4)


@pytest.mark.parametrize("ratio", [None, RATIO])
@pytest.mark.parametrize("kind", ["shared", "feature", "conditional"])
def test_with_variance_is_undone_by_the_variance_at_raw_zero(kind, ratio, x64):
    made = Scale(kind, ratio=ratio).initialise(moments())
    scale = made.with_variance(jnp.asarray(VARIANCE))
    expected = VARIANCE.mean() if kind == "shared" else VARIANCE
    np.testing.assert_allclose(scale(jnp.zeros(D)) ** 2, expected, rtol=1e-12)


def test_a_scale_without_limit_is_that_of_older_versions():
    """A file of theirs has the start, no ρ of its own and no limit."""
    scale = conditional(ratio=None)
    assert scale.rho is None
    assert scale.parameters() == ()
    raw = jnp.linspace(-5.0, 5.0, D)
    expected = scale.floor + scale.start * jax.nn.softplus(raw + 0.5413248546129181)
    np.testing.assert_array_equal(scale(raw), expected)
    np.testing.assert_allclose(scale.at_zero(D), conditional().at_zero(D), rtol=1e-6)


@pytest.mark.parametrize("ratio", [1.0, -2.0, math.inf, 1e9, "10", True])
def test_a_ratio_out_of_range_is_refused(ratio):
    for make in (Gaussian, StudentT):
        with pytest.raises(wp.SettingError, match="ratio"):
            make("conditional", ratio=ratio)


def test_a_refit_leaves_a_variance_that_depends_on_z():
    noise = Gaussian("conditional").initialise(moments())
    assert noise.refit(jnp.ones(D)) is noise


def of_levels(make, **settings):
    levels = moments(20.0, variance=(16.0, 9.0, 25.0, 4.0), resolution=1.0)
    return make(levels=41, **settings).initialise(levels)


OTHERS = {
    "causal-gaussian-feature": lambda: CausalGaussian(3, "feature").initialise(moments(0.3)),
    "causal-gaussian-conditional": lambda: CausalGaussian(
        3, "conditional", regression="conditional"
    ).initialise(moments(0.3)),
    "columns": lambda: Columns(["feature", "laplace", "feature", "conditional"]).initialise(
        moments(3.0)
    ),
    "discretized-gaussian": lambda: of_levels(DiscretizedGaussian, variance="feature"),
    "discretized-logistic": lambda: of_levels(DiscretizedLogistic),
}
LINEAR = [
    *(name for name in FAMILIES if name.startswith(("gaussian", "laplace", "student", "low"))),
    *(name for name in FAMILIES if name.startswith("rescaled")),
    *(f"quantile-{kind}" for kind in (0.3, "shared", "feature", "conditional")),
    *OTHERS,
]


def linear(name: str):
    return OTHERS[name]() if name in OTHERS else make_noise(name)


def variance_for(noise) -> np.ndarray:
    """Of curves much wider than a cell, whose cut then has the variance of a uniform law."""
    return 3.0 + VARIANCE if noise.support.whole else VARIANCE


def test_noise_with_a_link_or_several_components_has_no_linear_location():
    claims = {name for name in FAMILIES if FAMILIES[name].linear_location}
    assert claims == {name for name in LINEAR if name in FAMILIES}
    for noise in (
        *(of_levels(make, mixture=3) for make in (DiscretizedGaussian, DiscretizedLogistic)),
        Columns(["shared", "bernoulli"]),
        noises.Bernoulli(),
        noises.LogNormal(),
        noises.Poisson(),
    ):
        assert not noise.linear_location


@pytest.mark.parametrize("name", LINEAR)
def test_the_location_of_an_encoders_input_is_the_datum_and_the_input_is_affine(name, x64):
    noise = linear(name)
    assert noise.linear_location
    noise = noise.start_at(jnp.asarray(variance_for(noise)))
    center = 20.0 if noise.support.whole else 0.0
    rng = np.random.default_rng(0)
    for y, other in center + rng.normal(size=(3, 2, D)):
        raw = jnp.zeros(noise.n_raw * D).at[:D].set(noise.encoder_input(jnp.asarray(y)))
        density = noise(raw)
        location = density.icdf(jnp.asarray(0.5)) if name.startswith("quantile") else density.mean
        np.testing.assert_allclose(location, y, atol=1e-6)
        middle = noise.encoder_input(jnp.asarray(0.5 * (y + other)))
        ends = noise.encoder_input(jnp.asarray(y)) + noise.encoder_input(jnp.asarray(other))
        np.testing.assert_allclose(middle, 0.5 * ends, atol=1e-9)


@pytest.mark.parametrize("name", [name for name in LINEAR if not name.startswith("quantile")])
def test_the_start_has_the_variance_of_the_fit_unless_it_is_given(name, x64):
    noise = linear(name)
    variance = variance_for(noise)
    raw = jnp.zeros(noise.n_raw * D)
    found = noise.start_at(jnp.asarray(variance))(raw).variance
    expected = variance.mean() if name.endswith("-shared") else variance
    if name.endswith(("0.3", "given")):
        expected = noise(raw).variance
    np.testing.assert_allclose(found, np.broadcast_to(expected, D), rtol=1e-5)


def test_heads_start_at_the_quantiles_of_a_normal():
    noise: Any = make_noise("quantile-feature").start_at(jnp.asarray(VARIANCE, jnp.float32))
    heads = np.asarray(noise.quantiles(jnp.zeros(noise.n_raw * D)))
    expected = np.sqrt(VARIANCE) * norm.ppf([[0.15], [0.5], [0.85]])
    np.testing.assert_allclose(heads, expected, atol=1e-5)
