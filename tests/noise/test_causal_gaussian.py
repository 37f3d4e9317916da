"""Gaussian noise with a sparse Cholesky factor, against the dense Gaussian that it is."""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import multivariate_normal

import wellposed as wp
from once import once, over
from variants import slow_beside
from wellposed.noise import CausalGaussian, Gaussian
from wellposed.transforms import Moments

SHAPES = [(5, 4), (4, 5, 2), (3, 3, 3), None]
REGRESSIONS = ["shared", "feature", "conditional"]


def moments(shape, constant=()) -> Moments:
    d = 12 if shape is None else int(np.prod(shape))
    varies = jnp.asarray(~np.isin(np.arange(d), constant))
    return Moments(
        mean=jnp.linspace(-1.0, 1.0, d),
        variance=jnp.where(varies, 4.0, 0.0),
        resolution=jnp.full(d, 0.1),
        varies=varies,
        n=100,
        image_shape=shape,
    )


def made(shape, regression="shared", variance="conditional", constant=(), size=1.0):
    """A noise model with coefficients of some size, and its density at a random raw output."""
    noise = CausalGaussian(3, variance, regression=regression).initialise(moments(shape, constant))
    if noise.weights is not None:
        weights = size * jax.random.normal(jax.random.key(1), noise.weights.shape)
        noise = eqx.tree_at(lambda n: n.weights, noise, weights)
    d = 12 if shape is None else int(np.prod(shape))
    return noise, once(noise, size * jax.random.normal(jax.random.key(0), (noise.n_raw * d,)))


def dense(p) -> np.ndarray:
    """Σ by an inverse of I − A, A written out place by place."""
    d = p.loc.shape[0]
    shown = np.ones(d) if p.varies is None else np.asarray(p.varies, float)
    columns = over(p.window.neighbours, jnp.eye(d))  # (j, i, place)
    a = np.einsum("jip,pi->ij", np.asarray(columns), np.asarray(p.coefficients)) * shown
    root = np.linalg.solve(np.eye(d) - a, np.diag(p.scale))
    return root @ root.T


@pytest.mark.parametrize("constant", [(), (3, 7)], ids=["all vary", "two constant"])
@pytest.mark.parametrize("regression", REGRESSIONS)
@pytest.mark.parametrize("shape", slow_beside(SHAPES, [(4, 5, 2), None]), ids=str)
def test_the_density_is_the_dense_gaussian_one(shape, regression, constant, x64):
    _, p = made(shape, regression, constant=constant, size=2.0)
    covariance = dense(p)
    v = np.delete(np.arange(len(p.loc)), constant)
    oracle = multivariate_normal(p.mean[v], covariance[np.ix_(v, v)])
    for seed in range(3):
        y = once(p.sample, jax.random.key(seed)) + 0.3
        expected = oracle.logpdf(y[v])
        if constant:  # apart, by their own rule
            expected += float(p.constants.density.log_prob(y)[np.array(constant)].sum())
        assert float(once(p.log_prob, y)) == pytest.approx(expected, abs=1e-9)
    found, variance, coupled = once(lambda p: (p.covariance(), p.variance, p.coupled(1.5)), p)
    np.testing.assert_allclose(found, covariance, atol=1e-12)
    np.testing.assert_allclose(variance, np.diag(covariance), atol=1e-12)
    deviation = np.sqrt(np.diag(covariance))
    np.testing.assert_allclose(coupled, p.mean + 1.5 * deviation, rtol=1e-9)


@pytest.mark.parametrize("shape", [(5, 4), (3, 3, 3)], ids=str)
def test_draws_have_the_covariance(shape):
    _, p = made(shape)
    n = 40_000
    drawn = np.asarray(once(p.sample, jax.random.key(5), (n,)), np.float64)
    expected = dense(p)
    scale = np.sqrt(np.outer(np.diag(expected), np.diag(expected)))
    assert np.abs(np.cov(drawn.T) - expected).max() < 5 * np.sqrt(2 / n) * scale.max()
    assert np.abs(drawn.mean(0) - p.mean).max() < 5 * np.sqrt(np.diag(expected).max() / n)


def test_without_regression_it_is_independent_noise(x64):
    """Fresh weights are zero."""
    causal = CausalGaussian(3, "shared").initialise(moments((5, 4)))
    plain = Gaussian("shared").initialise(moments((5, 4)))
    plain = eqx.tree_at(lambda noise: noise.centred, plain, None)  # the causal one is not
    y, raw = jnp.linspace(-2, 2, 20), jnp.linspace(0, 1, 20)
    assert float(causal(raw).log_prob(y)) == pytest.approx(float(plain(raw).log_prob(y)), rel=1e-12)


@pytest.mark.parametrize("regression", REGRESSIONS)
def test_draws_are_stable_whatever_the_decoder_says(regression):
    """No residual exceeds the largest innovation by more than the raster is long."""
    _, p = made((7, 9), regression, variance=1.0, size=1e4)
    assert float(jnp.abs(p.coefficients).sum(axis=0).max()) < 1 + 1e-5
    drawn = np.asarray(once(p.sample, jax.random.key(0), (50,))) - np.asarray(p.loc)
    assert np.abs(drawn).max() < 63 * 5.0


@pytest.mark.parametrize("variance", [0.3, "shared", "feature", "conditional"])
def test_no_density_exceeds_the_bound_and_it_is_reached(variance):
    noise, _ = made((5, 4), variance=variance)
    bound = noise.log_density_bound(20)
    assert math.isfinite(bound)
    if noise.scale.rho is not None:
        rho = jnp.full_like(noise.scale.rho, -80.0)
        noise = eqx.tree_at(lambda n: n.scale.rho, noise, rho)

    @jax.jit
    def at_the_mean(raw):
        p = noise(raw)
        return p.log_prob(p.mean)

    lowest = jnp.full(noise.n_raw * 20, -80.0)
    assert float(at_the_mean(lowest)) == pytest.approx(bound, rel=1e-5)
    for seed in range(5):
        raw = 1e4 * jax.random.normal(jax.random.key(seed), (noise.n_raw * 20,))
        assert float(at_the_mean(raw)) <= bound + 1e-3


@pytest.mark.parametrize("regression", REGRESSIONS)
def test_gradients_are_finite_at_extremes(regression):
    noise, _ = made((5, 4), regression)

    def value(noise, raw):
        return noise(raw).log_prob(jnp.full(20, 3.0))

    slope = eqx.filter_jit(eqx.filter_grad(lambda pair: value(*pair)))
    for size in (0.0, 1e4, -1e4):
        gradient = slope((noise, jnp.full(noise.n_raw * 20, size)))
        assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradient))


def test_learned_leaves_are_the_scale_and_the_weights():
    noise, _ = made((5, 4), "feature", variance="shared")
    assert [leaf.shape for leaf in noise.parameters()] == [(), (4, 20)]
    given, _ = made((5, 4), "conditional", variance=0.5)
    assert given.parameters() == ()


def test_a_regression_of_unknown_name_is_refused():
    with pytest.raises(wp.SettingError, match="'conditional'"):
        CausalGaussian(3, regression="conditonal")


def test_the_likelihood_is_at_its_maximum_at_least_squares(x64):
    """One coefficient and one σ for a series: the regression of each value on the one before."""
    rng, n, d = np.random.default_rng(0), 500, 12
    series = np.zeros((n, d))
    for i in range(d):
        series[:, i] = 0.6 * series[:, i - 1] * (i > 0) + rng.normal(size=n)
    before = np.hstack([np.zeros((n, 1)), series[:, :-1]])
    a = (series * before).sum() / (before**2).sum()
    variance = ((series - a * before) ** 2).mean()
    noise = CausalGaussian(3, "shared").initialise(moments(None))
    noise = eqx.tree_at(
        lambda m: (m.weights, m.scale),
        noise,
        (jnp.asarray([a / (1 - a)]), noise.scale.with_variance(jnp.asarray(variance))),
    )

    def mean_log_prob(noise):
        return jax.vmap(noise(jnp.zeros(d)).log_prob)(jnp.asarray(series)).mean()

    slope = eqx.filter_jit(eqx.filter_grad(mean_log_prob))(noise)
    np.testing.assert_allclose([slope.weights[0], slope.scale.rho], 0.0, atol=1e-9)
