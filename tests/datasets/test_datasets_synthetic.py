"""The stated density against scipy's, which factors the full covariance."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from wellposed._errors import SettingError
from wellposed.datasets import linear_gaussian


def covariance(data):
    return data.loadings @ data.loadings.T + data.noise_variance * np.eye(len(data.mean))


@pytest.mark.parametrize("n_latents", [0, 1, 3, 5])
@pytest.mark.parametrize("noise_variance", [1e-4, 0.3, 20.0])
def test_log_density_is_scipys(n_latents, noise_variance):
    data = linear_gaussian(
        40, n_features=5, n_latents=n_latents, noise_variance=noise_variance, seed=1
    )
    expected = multivariate_normal(data.mean, covariance(data)).logpdf(data.values)
    np.testing.assert_allclose(data.log_density, expected, rtol=1e-9, atol=1e-8)


def test_eigenvalues_are_the_stated_ones():
    data = linear_gaussian(1, n_features=6, n_latents=3, noise_variance=0.5, seed=2)
    np.testing.assert_allclose(
        np.linalg.eigvalsh(covariance(data)), [0.5, 0.5, 0.5, 1.5, 2.5, 3.5], rtol=1e-12
    )


def test_draws_follow_the_stated_law():
    n = 200_000
    data = linear_gaussian(n, n_features=4, n_latents=2, noise_variance=0.5, seed=3)
    truth = covariance(data)
    np.testing.assert_allclose(data.values.mean(axis=0), data.mean, atol=5 * np.sqrt(3 / n))
    np.testing.assert_allclose(np.cov(data.values.T), truth, atol=5 * 3 * np.sqrt(2 / n))
    entropy = 0.5 * np.linalg.slogdet(2 * np.pi * np.e * truth)[1]
    # The variance of log p under p is d/2.
    np.testing.assert_allclose(-data.log_density.mean(), entropy, atol=5 * np.sqrt(2 / n))
    residual = data.values - data.mean - data.latents @ data.loadings.T
    np.testing.assert_allclose(residual.var(), 0.5, rtol=0.01)


def test_a_seed_fixes_the_draws_and_a_generator_moves_on():
    sizes = {"n_features": 3, "n_latents": 1, "noise_variance": 1.0}
    first, again = (linear_gaussian(2, **sizes, seed=5) for _ in range(2))
    np.testing.assert_array_equal(first.values, again.values)
    generator = np.random.default_rng(5)
    np.testing.assert_array_equal(linear_gaussian(2, **sizes, seed=generator).values, first.values)
    assert not np.array_equal(linear_gaussian(2, **sizes, seed=generator).values, first.values)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n": 0}, "n must be"),
        ({"n_features": 0}, "n_features must be"),
        ({"n_latents": 4}, "from 0 to 3; got 4"),
        ({"n_latents": -1}, "got -1"),
        ({"noise_variance": 0.0}, "got 0.0"),
        ({"noise_variance": np.inf}, "got inf"),
        ({"noise_variance": np.nan}, "got nan"),
    ],
)
def test_settings_out_of_range_are_named(change, message):
    sizes = {"n": 2, "n_features": 3, "n_latents": 1, "noise_variance": 1.0, "seed": 0} | change
    with pytest.raises(SettingError, match=message):
        linear_gaussian(sizes.pop("n"), **sizes)
