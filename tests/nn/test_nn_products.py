"""Products with factors in bfloat16: their values and slopes, and a training that uses them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import wellposed as wp
from wellposed import nn
from wellposed.training import Plan, fit

RANDOM = np.random.default_rng(0)
X, W, C = (
    jnp.asarray(RANDOM.normal(size=shape), jnp.float32) for shape in ((32, 7), (7, 5), (32, 5))
)


def low(values):
    """Round to bfloat16, on the host and in float64."""
    return np.asarray(values.astype(jnp.bfloat16), np.float64)


def many(x, weight):
    with nn.products_in("bfloat16"):
        return jax.vmap(lambda row: nn.product(row, weight))(x)


def test_factors_are_rounded_and_summed_in_float32():
    found = many(X, W)
    assert found.dtype == jnp.float32
    np.testing.assert_allclose(found, low(X) @ low(W), rtol=1e-5, atol=1e-6)
    assert np.abs(found - X @ W).max() > 1e-3
    np.testing.assert_array_equal(nn.product(X[0], W), X[0] @ W)


def test_slopes_are_those_of_rounded_factors():
    """The sum over rows of a weight's slope is one product, as without rounding."""
    slopes = jax.grad(lambda x, weight: (C * many(x, weight)).sum(), (0, 1))(X, W)
    for found, exact in zip(slopes, (low(C) @ low(W).T, low(X).T @ low(C)), strict=True):
        assert found.dtype == jnp.float32
        np.testing.assert_allclose(found, exact, rtol=2**-8, atol=2**-8 * np.abs(exact).max())
    text = jax.jit(jax.grad(lambda weight: (C * many(X, weight)).sum())).lower(W).as_text()
    assert "tensor<32x7x5x" not in text  # no slope for each row


@pytest.fixture(scope="module")
def start():
    rows = RANDOM.normal(size=(120, 2)) @ RANDOM.normal(size=(2, 5)) + RANDOM.normal(size=(120, 5))
    vae = wp.VAE(2, hidden=(8,), noise="shared", prior="standard", linear_start=False)
    vae.set_params(max_epochs=1, validation_folds=0, random_state=0, progress=False)
    with pytest.warns(wp.TrainingWarning):
        return vae.fit(rows).model_, rows


def test_a_training_has_rounded_products_and_float32_parameters(start):
    model, rows = start
    runs = {
        precision: fit(
            model,
            rows,
            key=jax.random.key(0),
            plan=Plan(max_epochs=3, batch_size=32, precision=precision),
        )
        for precision in nn.PRECISIONS
    }
    exact, rounded = (run.history.column("objective") for run in runs.values())
    assert 0 < np.abs(rounded / exact - 1).max() < 0.01
    leaves = jax.tree.leaves(runs["bfloat16"].model)
    assert {leaf.dtype for leaf in leaves if hasattr(leaf, "dtype")} <= {
        leaf.dtype for leaf in jax.tree.leaves(model) if hasattr(leaf, "dtype")
    }


def test_another_precision_is_refused():
    with pytest.raises(wp.SettingError, match="precision"):
        wp.VAE(1, precision="float16").fit(np.asarray(X))
    with pytest.raises(wp.SettingError, match="precision"):
        Plan(precision="int8")
