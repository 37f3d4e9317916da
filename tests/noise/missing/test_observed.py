"""Noise of data with missing entries, against marginals and conditionals of normals."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import multivariate_normal

from once import over
from wellposed import SettingError
from wellposed.noise import Gaussian, Ignorable, LowRankGaussian
from wellposed.noise.missing import Fill, Observed
from wellposed.transforms import Standardize, forward_observed, summarise

D = 5
RNG = np.random.default_rng(0)
MASKS = [np.array(bits, bool) for bits in ([1, 1, 1, 1, 1], [1, 0, 1, 1, 0], [0, 0, 0, 1, 0])]
NOTHING = np.zeros(D, bool)


def low_rank():
    """A density and its mean and covariance; an odd scale for each feature."""
    raw = jnp.asarray(RNG.normal(size=D * 3))
    density = LowRankGaussian(2, 0.5)(raw)
    factor = np.asarray(raw[D:]).reshape(2, D)
    return density, np.asarray(raw[:D]), factor.T @ factor + 0.5 * np.eye(D)


def conditional(mean, covariance, x, seen):
    """Mean and covariance of the entries that are not seen."""
    inner = covariance[np.ix_(seen, seen)]
    across = covariance[np.ix_(~seen, seen)] @ np.linalg.inv(inner)
    rest = covariance[np.ix_(~seen, ~seen)] - across @ covariance[np.ix_(seen, ~seen)]
    return mean[~seen] + across @ (x[seen] - mean[seen]), rest


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("seen", MASKS, ids=str)
def test_a_low_rank_gaussian_has_the_marginal_of_a_normal(seen):
    density, mean, covariance = low_rank()
    x = RNG.normal(size=D)
    found = Observed(density, jnp.zeros(D)).log_prob(jnp.where(seen, x, jnp.nan))
    exact = multivariate_normal(mean[seen], covariance[np.ix_(seen, seen)]).logpdf(x[seen])
    np.testing.assert_allclose(found, exact, rtol=1e-12)


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("seen", MASKS[1:], ids=str)
def test_a_low_rank_gaussian_is_completed_by_its_conditional(seen):
    density, mean, covariance = low_rank()
    x = RNG.normal(size=D)
    observed, gappy = Observed(density, jnp.zeros(D)), jnp.where(seen, x, jnp.nan)
    exact, rest = conditional(mean, covariance, x, seen)
    found = np.asarray(observed.conditional_mean(gappy))
    np.testing.assert_allclose(found[~seen], exact, rtol=1e-12)
    np.testing.assert_array_equal(found[seen], x[seen])
    keys = jax.random.split(jax.random.key(0), 40_000)
    draws = np.asarray(over(lambda key: observed.complete(gappy, key=key), keys))
    np.testing.assert_array_equal(draws[:, seen], np.broadcast_to(x[seen], (40_000, seen.sum())))
    error = np.sqrt(np.diag(rest) / 40_000)
    assert (np.abs(draws[:, ~seen].mean(axis=0) - exact) < 5 * error).all()
    spread = np.abs(np.cov(draws[:, ~seen], rowvar=False) - rest)
    assert (spread < 5 * np.sqrt(2 / 40_000) * np.abs(np.diag(rest)).max()).all()


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize(
    "of", [Gaussian(0.5), LowRankGaussian(2, 0.5)], ids=["diagonal", "factors"]
)
def test_nothing_missing_is_the_whole_density_and_all_missing_is_one(of):
    density = of(jnp.asarray(RNG.normal(size=D * of.n_raw)))
    observed, x = Observed(density, jnp.zeros(D)), jnp.asarray(RNG.normal(size=D))
    np.testing.assert_allclose(observed.log_prob(x), density.log_prob(x), rtol=1e-14)
    assert observed.log_prob(jnp.full(D, jnp.nan)) == pytest.approx(0.0, abs=1e-13)


def test_the_gradient_of_a_datum_with_gaps_is_finite():
    x = jnp.where(MASKS[1], 1.0, jnp.nan)

    def loss(raw):
        return Observed(LowRankGaussian(2, 0.5)(raw), jnp.zeros(D)).log_prob(x)

    assert bool(jnp.isfinite(jax.jit(jax.grad(loss))(jnp.ones(D * 3))).all())


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("seen", [*MASKS, NOTHING], ids=str)
def test_the_filling_is_the_conditional_mean_of_factor_analysis(seen):
    weight, variance = RNG.normal(size=(D, 2)), np.exp(RNG.normal(size=D))
    mean, x = RNG.normal(size=D), RNG.normal(size=D)
    filled = Fill(jnp.asarray(mean), jnp.asarray(weight), jnp.asarray(variance))(
        jnp.asarray(x), jnp.asarray(seen)
    )
    exact, _ = conditional(mean, weight @ weight.T + np.diag(variance), x, seen)
    np.testing.assert_allclose(np.asarray(filled)[~seen], exact, rtol=1e-10)
    np.testing.assert_array_equal(np.asarray(filled)[seen], x[seen])


def test_the_determinant_is_of_the_observed_entries():
    rows = RNG.normal(size=(50, 3)) * [1.0, 10.0, 100.0]
    standardize = Standardize().fit(summarise(rows))
    found = forward_observed(
        standardize, jnp.array([1.0, jnp.nan, 3.0]), jnp.zeros(3), key=jax.random.key(0)
    )
    scale = np.asarray(standardize.scale)
    assert float(found.log_det) == pytest.approx(-np.log(scale[[0, 2]]).sum(), rel=1e-5)
    assert np.isnan(np.asarray(found.value)).tolist() == [False, True, False]


def test_missing_entries_are_of_noise_of_whole_data():
    with pytest.raises(SettingError, match="made of noise of whole data"):
        Ignorable(Ignorable(Gaussian()))
