"""Tails and quantiles of columns, against those of a Gaussian whose z has no effect."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

import wellposed as wp
from wellposed.evaluation.outliers import central_quantiles, central_ranks, tail_surprise

pytestmark = pytest.mark.filterwarnings("ignore::wellposed.TrainingWarning")


def trained(rows, noise):
    """Return a model after one epoch."""
    settings = {"hidden": (4,), "max_epochs": 1, "prior": "standard", "random_state": 0}
    vae = wp.VAE(1, noise=noise, progress=False, **settings)
    return vae.fit(rows).model_


def test_tails_ranks_and_quantiles_are_those_of_the_noise():
    model = trained(np.random.default_rng(0).normal([1.0, -2.0], [0.5, 3.0], (200, 2)), "feature")
    arrays, rest = eqx.partition(model.decoder, eqx.is_array)
    flat = eqx.combine(jax.tree.map(jnp.zeros_like, arrays), rest)
    model = dataclasses.replace(model, decoder=flat)
    law = model.decode(jnp.zeros(1))
    mean, deviation = (np.asarray(a, np.float64) for a in (law.mean, jnp.sqrt(law.variance)))
    scale = np.asarray(model.transform.inverse(jnp.ones(2))) - np.asarray(
        model.transform.inverse(jnp.zeros(2))
    )
    centre = np.asarray(model.transform.inverse(jnp.asarray(mean, jnp.float32)))
    t = np.array([[-9.0, 0.3], [2.0, 6.0], [0.0, -1.0]])
    rows, key = centre + t * deviation * scale, jax.random.key(0)
    exact = -np.minimum(np.log(2.0) + stats.norm.logsf(np.abs(t)), 0.0)
    np.testing.assert_allclose(tail_surprise(model, rows, key=key), exact, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(central_ranks(model, rows, key=key), stats.norm.cdf(t), atol=1e-5)
    levels = np.array([[0.1, 0.5], [0.9, 0.8]])
    found = central_quantiles(model, rows, levels, key=key)
    expected = centre + stats.norm.ppf(levels) * deviation * scale
    np.testing.assert_allclose(found, np.broadcast_to(expected, found.shape), rtol=1e-4)


def test_noise_of_whole_rows_is_refused():
    rows = np.random.default_rng(1).normal(size=(60, 3))
    with pytest.raises(wp.SettingError, match="independent given z"):
        tail_surprise(trained(rows, wp.noise.LowRankGaussian(1)), rows, key=jax.random.key(0))
