"""Every measure sees one dequantised y for a row and a key."""

import inspect

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from linear_gaussian import exact_model, rows_of
from wellposed import evaluation, training
from wellposed.evaluation import _passes, _rows

KEY = jax.random.key(3)
SETTINGS = dict.fromkeys(("n_samples", "n_importance", "n_draws", "n_steps", "n_chains"), 2)
# One is measured below, one measures nothing, one takes the VAE's density from log_likelihood, and
# one refuses a model of whole rows.
APART = {"mean_noise_variance", "diagnose", "compare", "impute"}


class SeenError(Exception):
    """Carries the first y."""


class Stops(eqx.Module):
    """Dequantises, and ends the measure there."""

    def forward(self, x, *, key):
        raise SeenError(np.asarray(x + jax.random.uniform(key, x.shape)))

    def inverse(self, y):
        return jnp.floor(y)


def measures() -> dict[str, object]:
    """All functions of the room that take a model, data and a key."""
    functions = {name: getattr(evaluation, name) for name in evaluation.__all__}
    functions["amortisation_gap"] = training.amortisation_gap
    chosen = {}
    for name, function in functions.items():
        if inspect.isfunction(function) and name not in APART:
            first = list(inspect.signature(function).parameters)[:2]
            if first in (["model", "rows"], ["model", "x"]):
                chosen[name] = function
    return chosen


def call(function, model, rows, **settings):
    known = inspect.signature(function).parameters
    given = {
        name: value for name, value in {**SETTINGS, "most": 30, **settings}.items() if name in known
    }
    return function(model, rows[0] if "x" in known else rows, key=KEY, **given)


@pytest.fixture
def first_y(monkeypatch):
    model, density = exact_model()
    model = eqx.tree_at(lambda m: m.transform, model, Stops())
    rows = np.round(rows_of(density, 40))

    def uncompiled(visit, model, rows, repeats, key, static):
        x, repeat = jnp.asarray(rows[0]), None if repeats is None else repeats[0]
        return visit(model, x, key=_rows.row_key(x, repeat, key), **static)

    monkeypatch.setattr(_rows, "_chunk", uncompiled)

    def first(function, **settings):
        with pytest.raises(SeenError) as seen:
            call(function, model, rows, **settings)
        return seen.value.args[0]

    return first


@pytest.mark.parametrize("partitionable", [True, False])
def test_all_measures_see_the_y_of_the_elbo(first_y, partitionable):
    with jax.threefry_partitionable(partitionable):
        expected = first_y(evaluation.elbo)
        seen = {name: first_y(function) for name, function in measures().items()}
        seen["features"] = first_y(evaluation.calibration, given="features")
        seen["prior"] = first_y(evaluation.coverage, latents="prior")
        seen["variances"] = first_y(
            lambda model, rows, *, key: _rows.over_rows(
                _passes._noise_variance, model, rows, key=key
            )
        )
    assert len(seen) > 20
    assert [name for name, y in seen.items() if not np.array_equal(y, expected)] == []


def test_a_measure_that_dequantises_with_a_key_of_its_own_shows(first_y):
    def own(model, x, *, key):
        return model.infer(x, key=jax.random.split(key)[0])

    mine = first_y(lambda model, rows, *, key: _rows.over_rows(own, model, rows, key=key))
    assert not np.array_equal(mine, first_y(evaluation.elbo))
