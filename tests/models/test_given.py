"""Rows of a conditional model: the model at the covariates of a row, and the datum."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import wellposed as wp
from wellposed import evaluation, latents, models, nn, noise, transforms

D, K, C = 3, 2, 2


@pytest.fixture
def model():
    keys = jax.random.split(jax.random.key(0))
    return models.VAEModel(
        transform=transforms.Identity(),
        prior=latents.StandardNormal(K),
        encoder=nn.make_network(nn.MakeMLP((4,)), D + C, 2 * K, key=keys[0]),
        posterior=latents.DiagonalNormal(),
        decoder=nn.make_network(nn.MakeMLP((4,)), K + C, D, key=keys[1]),
        noise=noise.Gaussian(0.5),
        given=jnp.zeros(C),
    )


def test_a_row_is_split_and_every_model_in_a_tree_is_conditioned(model):
    row = jnp.arange(5.0)
    (first, number, rest), x = models.at_row((model, 2.0, {"again": model}), row)
    assert_array_equal(x, [0.0, 1.0, 2.0])
    assert number == 2.0
    for each in (first, rest["again"]):
        assert_array_equal(each.given, [3.0, 4.0])
        z = jnp.array([0.3, -0.7])
        whole = model.decoder(jnp.concatenate([z, row[3:]]))
        assert_allclose(each.decode(z).mean, whole, rtol=1e-6, atol=1e-6)
    with pytest.raises(wp.SettingError, match="2 covariates"):
        models.at_row(model, row[:2])


def test_other_models_have_rows_of_data_alone(model):
    import dataclasses

    plain = dataclasses.replace(model, given=None)
    row = jnp.arange(5.0)
    same, x = models.at_row((plain, 1), row)
    assert same[0] is plain
    assert x is row
    rows = np.arange(10.0).reshape(2, 5)
    assert models.own_columns(plain, rows).shape == (2, 5)
    assert models.given_columns(plain, rows).shape == (2, 0)
    assert models.own_columns(model, rows).shape == (2, 3)
    assert_array_equal(models.given_columns(model, rows), rows[:, 3:])


def test_a_pass_over_rows_is_one_at_a_time(model):
    rows = np.random.default_rng(0).normal(size=(7, D + C)).astype(np.float32)
    means = evaluation.latent_means(model, rows, key=jax.random.key(0))
    each = [model.at(jnp.asarray(row[D:])).encode(jnp.asarray(row[:D])).loc for row in rows]
    assert_allclose(means, each, rtol=1e-5, atol=1e-6)
    back = evaluation.reconstructions(model, rows, key=jax.random.key(0))
    each = [
        model.at(jnp.asarray(row[D:])).decode(jnp.asarray(z)).mean
        for row, z in zip(rows, means, strict=True)
    ]
    assert_allclose(back, each, rtol=1e-5, atol=1e-6)


def test_the_placeholder_is_not_trained(model):
    mask = models.trainable(model)
    assert mask.given is False
    assert any(jax.tree.leaves(mask.encoder))


def test_covariates_of_draws_are_one_row_or_one_each(model):
    assert models.covariates_of_draws(model, 3, np.ones((1, C))).shape == (3, C)
    for wrong in (None, np.ones((2, C)), np.ones((3, C + 1)), np.ones(C)):
        with pytest.raises(wp.SettingError, match="2 covariates for each of the 3 draws"):
            models.covariates_of_draws(model, 3, wrong)
