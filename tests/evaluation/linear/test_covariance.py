"""The covariance against whole-number arithmetic and float64 twins."""

import numpy as np
import pytest

from wellposed import evaluation
from wellposed.evaluation import IDENTITY


@pytest.mark.parametrize(
    ("low", "high", "kind"),
    [(0, 256, "uint8"), (0, 3, "uint8"), (-128, 128, "int8"), (-128, -125, "int8"), (0, 2, "bool")],
)
def test_of_bytes_is_exact(low: int, high: int, kind: str):
    rows = np.random.default_rng(0).integers(low, high, size=(5_000, 6)).astype(kind)
    rows[:, 4] = rows[0, 4]
    found = evaluation.covariance(rows, IDENTITY, rooted=False)

    whole = rows.astype(np.int64)
    total, product = whole.sum(axis=0), whole.T @ whole
    wanted = (5_000 * product - np.outer(total, total)) / 5_000**2
    np.testing.assert_array_equal(found.matrix, wanted)
    rooted = evaluation.covariance(rows, IDENTITY, rooted=True)
    np.testing.assert_allclose(rooted.matrix, wanted, rtol=0, atol=1e-13 * np.abs(wanted).max())
    np.testing.assert_allclose(found.mean, total / 5_000, rtol=1e-15, atol=1e-13)
    assert found.varies.tolist() == [True, True, True, True, False, True]


@pytest.mark.parametrize("kind", ["float32", "float64", "uint16"])
def test_of_other_types_is_of_float64_accuracy(kind: str):
    drawn = np.random.default_rng(1).integers(0, 1_000, size=(9_001, 5))
    rows = (drawn if kind == "uint16" else drawn / 7).astype(kind)
    found = evaluation.covariance(rows, IDENTITY)

    exact = rows.astype(np.longdouble)
    wanted = (exact - exact.mean(axis=0)).T @ (exact - exact.mean(axis=0)) / len(rows)
    scale = float(np.abs(wanted).max())
    np.testing.assert_allclose(found.matrix, wanted.astype(float), rtol=0, atol=1e-13 * scale)


def test_survives_a_mean_a_million_deviations_away():
    drawn = np.random.default_rng(2).normal(size=(9_001, 3))
    rows = drawn + 1e6
    found = evaluation.covariance(rows, IDENTITY).matrix
    np.testing.assert_allclose(found, np.cov(rows - 1e6, rowvar=False, ddof=0), atol=1e-9)


@pytest.mark.parametrize("solver", ["full", "arpack", "randomized"])
@pytest.mark.parametrize("kind", ["float64", "float32", "uint8"])
def test_every_solver_sees_the_same_variances(solver: str, kind: str):
    drawn = np.random.default_rng(3).normal(120, 9, size=(2_100, 6)) * np.arange(1, 7) / 6
    rows = drawn.astype(kind)
    plain = evaluation.spectrum(rows, IDENTITY, svd_solver="covariance_eigh")
    found = evaluation.spectrum(rows, IDENTITY, n_components=2, svd_solver=solver)
    np.testing.assert_allclose(found.variances, plain.variances, rtol=1e-12)
    np.testing.assert_allclose(found.mean, plain.mean, rtol=1e-13)
    np.testing.assert_allclose(found.eigenvalues[:2], plain.eigenvalues[:2], rtol=1e-6)
