"""The moving average of the parameters, and the evaluation before the first epoch."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

import wellposed as wp
from wellposed._errors import SettingError
from wellposed.training import Plan, fit
from wellposed.training._optimiser import Rates

X = np.random.default_rng(0).normal(size=(90, 3)) @ np.diag([3.0, 1.0, 0.3])


def test_the_average_is_the_weighted_mean_of_the_parameters():
    """By its definition: the weight of step i is (1 − d_i) Π_{j > i} d_j."""
    rates = Rates.of(Plan(ema_decay=0.9), 10)
    values = np.random.default_rng(0).normal(size=40).astype(np.float32)
    average = jnp.asarray(100.0)  # the start, whose weight is zero
    for step, value in enumerate(values):
        average = rates.average(average, jnp.asarray(value), jnp.asarray(float(step)))
    decay = np.minimum(0.9, np.arange(40) / (np.arange(40) + 10))
    weights = np.array([(1 - decay[i]) * np.prod(decay[i + 1 :]) for i in range(40)])
    assert weights.sum() == pytest.approx(1)
    assert_allclose(average, weights @ values, rtol=1e-5)


def test_a_decay_of_one_is_refused():
    with pytest.raises(SettingError, match="ema_decay"):
        Plan(ema_decay=1.0)


def test_the_average_is_what_is_kept():
    settings = {"hidden": (4,), "max_epochs": 3, "random_state": 0, "validation_fraction": 0.0}
    settings |= {"prior": "standard"}
    with pytest.warns(wp.TrainingWarning):
        last = wp.VAE(1, ema_decay=0.0, patience=None, **settings).fit(X)
    with pytest.warns(wp.TrainingWarning):
        mean = wp.VAE(1, ema_decay=0.99, patience=None, **settings).fit(X)
    # The same steps are taken: the objectives of training agree, the models do not.
    assert_allclose(last.history_["objective"], mean.history_["objective"], rtol=1e-5)
    assert np.abs(last.elbo(X) - mean.elbo(X)).max() > 1e-3


def test_no_epoch_below_the_start_is_kept():
    vae = wp.VAE(1, hidden=(4,), max_epochs=20, prior="standard", random_state=0).fit(X)
    plan = Plan(max_epochs=2, learning_rate=5.0)
    options = {"key": jax.random.key(0), "plan": plan, "validation_fraction": 0.2}
    run = fit(vae.model_, X, **options)
    assert_allclose(
        np.asarray(run.model.decoder.bias), np.asarray(vae.model_.decoder.bias), rtol=1e-6
    )
