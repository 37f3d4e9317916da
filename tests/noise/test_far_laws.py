"""Densities of numbers as far away as a float32 holds: finite, in order, with finite gradients."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from once import over
from wellposed import noise as families
from wellposed import numerics
from wellposed.transforms import Moments

D = 4
AWAY = np.array([0.0, 10.0, 100.0, 1e3, 1e6, 1e12, 1e18, 1e24, 1e30, 1e36])
REALS = {
    "gaussian": families.Gaussian("feature"),
    "given": families.Gaussian(1e-4),
    "conditional": families.Gaussian("conditional"),
    "laplace": families.Laplace(),
    "student-t": families.StudentT(),
    "quantile": families.Quantile(),
    "one head": families.Quantile((0.3,)),
    "low-rank": families.LowRankGaussian(2),
    "causal": families.CausalGaussian(3),
    "rescaled": families.Rescaled(families.Gaussian(), 0.01),
    "columns": families.Columns(["shared", "laplace", "student-t", "quantile"]),
}
COUNTS = {
    "poisson": families.Poisson(),
    "negative binomial": families.NegativeBinomial(),
    "multinomial": families.Poisson(library=True),
    "dirichlet-multinomial": families.NegativeBinomial(library=True),
}


def moments(counts: bool, varies: bool = True) -> Moments:
    varying = np.array([True, True, varies, True])
    mean = np.array([3.0, 8.0, 2.0, 5.0]) if counts else np.array([0.0, 1.0, 0.5, -2.0])
    return Moments(
        mean=jnp.asarray(mean),
        variance=jnp.where(varying, 4.0 * jnp.ones(D), 0.0),
        resolution=jnp.full(D, 1.0 if counts else 0.1),
        varies=jnp.asarray(varying),
        n=100,
        highs=jnp.full(D, 30.0),
    )


def at(name: str, varies: bool = True):
    """A family with data's moments, the mean of its data, and a raw output."""
    noise = {**REALS, **COUNTS}[name]
    given = moments(name in COUNTS, varies)
    noise = noise.initialise(given, key=jax.random.key(0))
    return noise, given.mean, 0.1 * jax.random.normal(jax.random.key(1), (noise.n_raw * D,))


@pytest.mark.parametrize("cells", ["one cell", "all cells"])
@pytest.mark.parametrize("name", [*REALS, *COUNTS])
def test_log_densities_fall_for_as_far_as_there_are_numbers(name, cells):
    noise, mean, raw = at(name)
    moved = jnp.eye(D)[1] if cells == "one cell" else jnp.ones(D)
    rows = mean + 2.0 * jnp.asarray(AWAY, jnp.float32)[:, None] * moved
    values = np.asarray(jax.jit(jax.vmap(noise(raw).log_prob))(rows), np.float64)
    assert np.isfinite(values).all()
    assert (np.diff(values) < 0).all()


@pytest.mark.parametrize("name", [*REALS, *COUNTS])
def test_gradients_at_far_rows_are_small_enough_for_an_optimiser_to_square(name):
    noise, mean, raw = at(name)

    def value(leaves, raw, y):
        driven = eqx.tree_at(lambda n: n.parameters(), noise, leaves) if leaves else noise
        return driven(raw).log_prob(y)

    rows = mean + jnp.asarray(AWAY, jnp.float32)[:, None]
    slopes = jax.jit(jax.vmap(jax.grad(value, argnums=(0, 1)), (None, None, 0)))
    for leaf in jax.tree.leaves(slopes(noise.parameters(), raw, rows)):
        assert np.isfinite(np.square(leaf)).all()


def test_the_fall_is_the_square_up_to_a_thousand_million_million_deviations():
    t = np.array([0.0, 1e-3, 1.0, 40.0, 1e6, 1e12, 9e14])
    falls = numerics.half_square(jnp.asarray(3.0 * t, jnp.float32), jnp.float32(3.0))
    np.testing.assert_allclose(falls, 0.5 * t**2, rtol=1e-6)
    around = jnp.float32(1e15) * jnp.array([1 - 1e-4, 1.0, 1 + 1e-4], jnp.float32)
    below, middle, above = np.asarray(numerics.half_square(around, jnp.float32(1.0)), np.float64)
    assert (above - middle) / (middle - below) == pytest.approx(1.0, abs=0.01)
    ends = numerics.half_square(jnp.array([jnp.inf, 3e38], jnp.float32), jnp.float32(1e-3))
    assert np.isfinite(ends).all()


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (numerics.half_square, lambda t: 0.5 * t**2),
        (numerics.absolute, jnp.abs),
        (numerics.log_one_plus_square, lambda t: jnp.log1p(t**2)),
    ],
)
def test_falls_and_slopes_are_the_plain_ones_where_those_are_finite(x64, ours, theirs):
    residual, scale = jnp.linspace(-30.0, 29.0, 41), jnp.linspace(0.2, 5.0, 41)
    np.testing.assert_allclose(ours(residual, scale), theirs(residual / scale), rtol=1e-14)
    for argument in (0, 1):
        own = over(jax.grad(ours, argument), residual, scale)
        plain = over(jax.grad(lambda r, s: theirs(r / s), argument), residual, scale)
        np.testing.assert_allclose(own, plain, rtol=1e-12, atol=1e-13)


def test_what_the_encoder_is_shown_is_bounded_and_untouched_nearby():
    limit = jnp.float32(100.0)
    near = jnp.array([-100.0, -3.3, 0.0, 1e-20, 99.9], jnp.float32)
    np.testing.assert_array_equal(numerics.saturating(near, limit), near)
    far = numerics.saturating(jnp.array([150.0, 1e6, 3e38, jnp.inf], jnp.float32), limit)
    assert (np.diff(far) >= 0).all()
    assert float(far[-1]) == 200.0
    slope = jax.jit(jax.grad(numerics.saturating))(jnp.float32(100.01), limit)
    assert float(slope) == pytest.approx(1.0, abs=1e-3)


# Features that never vary.


@pytest.mark.parametrize("name", [*REALS, "poisson", "negative binomial"])
def test_another_value_of_a_constant_costs_the_same_in_every_family(name):
    """log 2 a step, and the step is the resolution."""
    if name in ("given", "rescaled", "columns"):
        pytest.skip("the step is that of a given σ, of the rescaled noise, of the column's units")
    noise, mean, raw = at(name, varies=False)
    step = 1.0 if name in COUNTS else 0.1
    steps = jnp.array([0.0, 200.0, 300.0, 1e6, 1e12, 1e30])
    rows = mean + step * steps[:, None] * jnp.eye(D)[2]
    values = np.asarray(over(noise(raw).log_prob, rows), np.float64)
    assert np.isfinite(values).all()
    assert (np.diff(values) < 0).all()
    assert values[1] - values[2] == pytest.approx(100 * np.log(2.0), rel=1e-3)
    assert values[0] - values[3] == pytest.approx(1e6 * np.log(2.0), rel=1e-3)


def test_a_constant_of_real_numbers_has_mass_one_and_the_moments_that_it_states(x64):
    from wellposed.noise.parts.constants import Near

    p = Near(jnp.array([2.0]), jnp.array([0.3]), jnp.array([0.1]), 5)
    y = jnp.linspace(-30.0, 34.0, 400_001)
    mass = np.exp(np.asarray(p.log_prob(y[:, None])))[:, 0] * float(y[1] - y[0])
    assert mass.sum() == pytest.approx(1.0, abs=1e-6)
    assert mass @ np.asarray(y) == pytest.approx(2.0, abs=1e-6)
    assert mass @ (np.asarray(y) - 2.0) ** 2 == pytest.approx(float(p.variance[0]), rel=1e-5)
    q = jnp.array([1e-9, 0.01, 0.3, 0.5, 0.99, 1 - 1e-9])[:, None]
    np.testing.assert_allclose(p.cdf(p.icdf(q)), q, rtol=1e-7)
    drawn = np.asarray(p.sample(jax.random.key(0), (40_000,)))[:, 0]
    assert drawn.var() == pytest.approx(float(p.variance[0]), rel=0.1)
