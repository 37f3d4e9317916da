"""Coverage where it is known in closed form."""

from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpyro.distributions import Poisson
from scipy.stats import norm

import wellposed as wp
from linear_gaussian import exact_model, rows_of
from textbook import textbook_vae
from variants import slow_beside
from wellposed import evaluation
from wellposed._errors import DataError, SettingError
from wellposed.noise.parts.features import Features

KEY = jax.random.key(0)
LEVELS = np.array([0.5, 0.8, 0.9, 0.95])


def close(found, exact, errors=4.0):
    assert np.abs(found.coverage - exact).max() < errors * found.standard_error.max()
    assert found.standard_error.max() < 0.012


def expected(model, spread: float) -> np.ndarray:
    """Mean over features of 2Φ(c/s_j) − 1, s_j² = 1 + (r² − 1) h_j."""
    loadings = np.asarray(model.decoder.weight).T
    precision = loadings.T @ loadings + float(model.noise.variance()) * np.eye(loadings.shape[1])
    h = np.diag(loadings @ np.linalg.solve(precision, loadings.T))
    scale = np.sqrt(1 + (spread**2 - 1) * h)
    return (2 * norm.cdf(norm.ppf(0.5 + LEVELS / 2)[:, None] / scale) - 1).mean(axis=1)


@pytest.mark.parametrize("spread", [1.0, 0.2, 1.8])
def test_a_linear_model_has_its_closed_form(spread):
    model, density = exact_model(spread=spread)
    found = evaluation.coverage(model, rows_of(density, 4000), key=KEY, n_draws=199)
    exact = expected(model, spread)
    if spread == 1.0:
        np.testing.assert_allclose(exact, LEVELS)
    # Intervals between ranks smooth the density of a miscalibrated one by 1/(s + 1).
    close(found, exact, errors=4.0 if spread == 1.0 else 5.0)
    assert np.sign((exact - LEVELS).round(12)).tolist() == [np.sign(1 - spread)] * 4
    np.testing.assert_array_equal(found.levels, LEVELS)
    assert (found.n_rows, found.n_features, found.n_draws) == (4000, 5, 199)


@pytest.mark.parametrize("n_draws", slow_beside([1, 10, 99], [10]))
def test_any_number_of_draws_is_exact_where_calibrated(n_draws):
    model, density = exact_model()
    found = evaluation.coverage(model, rows_of(density, 4000), key=KEY, n_draws=n_draws)
    close(found, LEVELS)
    assert np.abs((found.histogram - 1) / found.histogram_error).max() < 4
    assert found.histogram.mean() == pytest.approx(1)


@pytest.mark.parametrize("spread", [1.0, 0.2])
def test_given_the_prior_the_encoder_plays_no_part(spread):
    model, density = exact_model(spread=spread)
    found = evaluation.coverage(model, rows_of(density, 3000), key=KEY, latents="prior")
    close(found, LEVELS)


def test_given_the_prior_marginals_too_narrow_are_seen():
    model, density = exact_model()
    found = evaluation.coverage(model, 2 * rows_of(density, 3000), key=KEY, latents="prior")
    assert (found.coverage < LEVELS - 0.1).all()


class Counted(eqx.Module):
    """Poisson counts of rate 1.3, whatever z: most ranks are ties."""

    def sample(self, key):
        return Features(Poisson(jnp.full(3, 1.3))).sample(key).astype(float)


class Counting(eqx.Module):
    """A model of counts."""

    n_covariates: ClassVar[int] = 0
    inner: eqx.Module

    def infer(self, x, *, key):
        return self.inner.infer(x, key=key)

    def decode(self, z):
        return Counted()


def test_ties_are_broken_at_random():
    model, _ = exact_model(d=3)
    counts = np.random.default_rng(0).poisson(1.3, size=(5000, 3)).astype(float)
    found = evaluation.coverage(Counting(model), counts, key=KEY, n_draws=49)
    close(found, LEVELS)
    assert np.abs((found.histogram - 1) / found.histogram_error).max() < 4


def test_errors_are_those_of_dependent_features():
    """Five copies of one feature are no more than one."""
    model, density = exact_model(d=1, k=1)
    rows = rows_of(density, 500)[:, None]

    class Copies(eqx.Module):
        n_covariates: ClassVar[int] = 0
        inner: eqx.Module

        def infer(self, x, *, key):
            found = self.inner.infer(x[:1], key=key)
            return eqx.tree_at(lambda f: f.y, found, x)

        def decode(self, z):
            one = self.inner.decode(z)
            return type("", (), {"sample": lambda _, key: jnp.repeat(one.sample(key), 5)})()

    found = evaluation.coverage(Copies(model), np.repeat(rows, 5, axis=1), key=KEY)
    binomial = np.sqrt(found.coverage * (1 - found.coverage) / 500)
    # Ranks of copies differ by the tie-breaking uniform alone.
    np.testing.assert_allclose(found.standard_error, binomial, rtol=0.1)


def test_constant_features_do_not_count():
    model, _ = exact_model(d=3)
    counts = np.random.default_rng(1).poisson(1.3, size=(2000, 3))
    counts[:, 1] = 50  # never covered
    found = evaluation.coverage(Counting(model), counts, key=KEY)
    assert found.n_features == 2
    close(found, LEVELS)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::wellposed.TrainingWarning")
@pytest.mark.filterwarnings("ignore::wellposed.ConstantFeatureWarning")
def test_an_estimator_measures_itself(digits):
    rows = digits[:300] / 16.0
    settings = {"hidden": (16,), "random_state": 0, "transform": wp.transforms.Unit(None)}
    vae = textbook_vae(2, noise=0.05, max_epochs=2, **settings).fit(rows)
    found = vae.coverage(rows[:100], n_draws=9)
    assert found.n_draws == 9
    assert "100 rows" in str(found)
    assert len(str(found).splitlines()) == 6


def test_bad_numbers_are_refused():
    model, density = exact_model()
    rows = rows_of(density, 5)
    for n_draws in (0, 1.5, True):
        with pytest.raises(SettingError, match="n_draws"):
            evaluation.coverage(model, rows, key=KEY, n_draws=n_draws)
    with pytest.raises(SettingError, match="'posterior'"):
        evaluation.coverage(model, rows, key=KEY, latents="posteriors")
    with pytest.raises(DataError, match="all 5 are constant"):
        evaluation.coverage(model, rows[:1], key=KEY)
