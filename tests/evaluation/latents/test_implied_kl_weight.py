"""The weight of the KL that a posterior was trained for, where it is known."""

import dataclasses
import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from linear_gaussian import exact_model, rows_of
from wellposed.evaluation import implied_kl_weight
from wellposed.numerics import inverse_positive


def at_rest(beta: float):
    """A model with the q that maximises E log p − β KL, 1/s² = 1 + w²/βσ², and rows of it."""
    model, density = exact_model()
    w2, variance = np.linspace(2.0, 1.0, 2) ** 2, 0.3
    scale = 1 / np.sqrt(1 + w2 / (beta * variance))
    raw = inverse_positive(jnp.asarray(scale))
    bias = model.encoder.bias.at[2:].set(raw)
    return eqx.tree_at(lambda m: m.encoder.bias, model, bias), rows_of(density, 2_000)


@pytest.mark.parametrize("beta", [0.01, 0.3, 1.0, 3.0, 30.0])
def test_it_is_the_beta_whose_objective_is_at_rest(beta, x64):
    found = implied_kl_weight(*at_rest(beta), key=jax.random.key(0))
    assert found.standard_error < 0.05 * beta
    assert found.value == pytest.approx(beta, abs=4 * found.standard_error)


def test_it_is_no_number_where_latents_are_dead_and_infinite_where_q_is_too_wide():
    model, rows = at_rest(1.0)
    dead = eqx.tree_at(
        lambda m: (m.encoder.weight, m.encoder.bias, m.decoder.weight),
        model,
        (0 * model.encoder.weight, jnp.zeros(4), 0 * model.decoder.weight),
    )
    assert math.isnan(implied_kl_weight(dead, rows, key=jax.random.key(0)).value)
    wide = eqx.tree_at(lambda m: m.encoder.bias, model, model.encoder.bias.at[2:].set(1.0))
    assert implied_kl_weight(wide, rows, key=jax.random.key(0)).value == math.inf


def test_of_constant_weight_its_error_falls_with_the_rows():
    model, rows = at_rest(0.3)
    few, many = (
        dataclasses.astuple(implied_kl_weight(model, rows[:n], key=jax.random.key(0)))[1]
        for n in (100, 1_600)
    )
    assert few / many == pytest.approx(4, rel=0.4)
