"""Passes whose rows are bounded by what one costs."""

from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from wellposed import evaluation
from wellposed.evaluation import _passes, _work


def counted(visit):
    key = jax.random.key(0)
    return _work.work_of(lambda model, x, key: visit(x), None, np.zeros(10, np.uint8), key=key)


@pytest.mark.parametrize(
    ("visit", "expected"),
    [
        (lambda x: jnp.sin(x) + 1.0, 20),
        (lambda x: jax.lax.scan(lambda c, _: (jnp.sin(c), None), x, length=50)[0], 500),
        (lambda x: jax.jit(jnp.sin)(x), 10),
        (lambda x: jax.lax.cond(x[0] > 0, jnp.sin, jnp.cos, x), 20),
        (lambda x: jnp.ones((7, 10)) @ x, 70 + 7 * 10 / _work._PRODUCTS_AT_ONCE),
        (lambda x: jax.lax.map(jnp.sin, jnp.ones((6, 4))), 48),
    ],
    ids=["plain", "scan", "call", "branches", "product", "map"],
)
def test_work_counts_loops_and_products(visit, expected):
    assert counted(visit) == pytest.approx(expected, abs=5)


def test_a_costly_row_lowers_the_number_of_rows_and_of_rows_at_a_time():
    assert _work.rows_within(1e3, 10_000, 2_000) == 2_000
    assert _work.rows_within(1e3, 30, 2_000) == 30
    assert _work.rows_within(_work.MOST_WORK / 7.5, 10_000, 2_000) == 7
    assert _work.rows_within(1e30, 10_000, 2_000) == 1
    assert [_work.chunk_within(work, 256) for work in (1.0, 4e9 / 33, 1e30)] == [256, 32, 1]


class _Doubles(eqx.Module):
    """Stands for a model whose noise variance depends on z: here it is x²."""

    n_covariates: ClassVar[int] = 0

    class noise:  # noqa: N801
        @staticmethod
        def variance():
            return None


def test_the_mean_noise_variance_visits_as_many_rows_as_its_work_allows(monkeypatch):
    rows = np.arange(1_000.0)[:, None] * np.ones(3)
    model, key, seen = _Doubles(), jax.random.key(0), []
    monkeypatch.setattr(_passes, "_noise_variance", lambda model, x, *, key: x**2)
    whole = evaluation.mean_noise_variance(model, rows, key=key)
    np.testing.assert_allclose(whole, (rows**2).mean(axis=0), rtol=1e-6)
    work = _work.work_of(_passes._noise_variance, model, rows[0], key=key)
    monkeypatch.setattr(_work, "MOST_WORK", 10 * work)
    monkeypatch.setattr(_work, "WORK_AT_ONCE", 4 * work)
    few = evaluation.mean_noise_variance(
        model, rows, key=key, shown=lambda done, of: seen.append((done, of))
    )
    assert seen == [(0, 10), (4, 10), (8, 10)]
    np.testing.assert_allclose(few, (rows[::111] ** 2).mean(axis=0), rtol=1e-6)
