"""The Fréchet distance against its closed forms."""

import numpy as np
import pytest
import scipy.linalg

from wellposed import evaluation
from wellposed._errors import DataError
from wellposed.evaluation.draws.frechet import Gaussian, gaussian_distance


def features(n: int, f: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, f)) @ rng.normal(size=(f, f)) + 3 * rng.normal(size=f)


def test_a_shift_costs_its_squared_length():
    rows = features(40, 5)
    shift = np.array([1.0, -2.0, 0.5, 0.0, 3.0])
    np.testing.assert_allclose(
        evaluation.frechet_distance(rows, rows + shift), (shift**2).sum(), rtol=1e-9
    )


def test_commuting_covariances_have_their_closed_form():
    """Σ (√λ_a − √λ_b)² in common eigenvectors."""
    rng = np.random.default_rng(0)
    basis, _ = np.linalg.qr(rng.normal(size=(6, 6)))
    of_a, of_b = np.array([5.0, 3.0, 1.0, 0.2, 0.0, 0.0]), np.array([1.0, 4.0, 0.0, 0.2, 2.0, 0.0])
    a, b = (Gaussian(np.zeros(6), (basis * values) @ basis.T) for values in (of_a, of_b))
    exact = ((np.sqrt(of_a) - np.sqrt(of_b)) ** 2).sum()
    # A root halves the digits of the eigenvalues that are zero.
    assert gaussian_distance(a, b) == pytest.approx(exact, abs=1e-6)


def test_it_is_the_formula_with_matrix_square_roots():
    a, b = features(200, 7, seed=1), features(150, 7, seed=2)
    of_a, of_b = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    root = scipy.linalg.sqrtm(scipy.linalg.sqrtm(of_a) @ of_b @ scipy.linalg.sqrtm(of_a))
    exact = np.sum((a.mean(0) - b.mean(0)) ** 2) + np.trace(of_a + of_b - 2 * root.real)
    np.testing.assert_allclose(evaluation.frechet_distance(a, b), exact, rtol=1e-10)


def test_equal_samples_are_at_zero_exactly():
    rows = features(5, 12)  # fewer rows than features
    assert evaluation.frechet_distance(rows, rows.copy()) == 0.0


def test_near_samples_keep_their_digits():
    """The traces, of size 1, would leave 1e-16 of a distance of 1e-18."""
    rows = features(100, 4)
    scale = 1 + 1e-9
    centred = rows - rows.mean(0)
    variance = np.trace(np.cov(centred, rowvar=False))
    found = evaluation.frechet_distance(centred, scale * centred)
    np.testing.assert_allclose(found, (scale - 1) ** 2 * variance, rtol=1e-5)


@pytest.mark.parametrize("n", [2, 3, 8])
def test_samples_of_few_rows(n):
    a, b = features(n, 10, seed=3), features(n, 10, seed=4)
    there, back = evaluation.frechet_distance(a, b), evaluation.frechet_distance(b, a)
    assert there > 0
    np.testing.assert_allclose(there, back, rtol=1e-7)


def test_it_does_not_depend_on_units_or_axes():
    a, b = features(60, 4, seed=5), features(60, 4, seed=6)
    turn, _ = np.linalg.qr(np.random.default_rng(7).normal(size=(4, 4)))
    moved = [1e4 * (rows @ turn) + 1e6 for rows in (a, b)]
    np.testing.assert_allclose(
        evaluation.frechet_distance(*moved), 1e8 * evaluation.frechet_distance(a, b), rtol=1e-9
    )


def test_counts_are_repeated_rows():
    rows, counts = features(6, 3), np.array([2, 0, 1, 3, 0, 0])
    weighted = Gaussian.fit(rows, counts.astype(float))
    repeated = Gaussian.fit(np.repeat(rows, counts, axis=0))
    np.testing.assert_allclose(weighted.mean, repeated.mean)
    np.testing.assert_allclose(weighted.covariance, repeated.covariance)


def test_its_bias_falls_as_one_over_n():
    """The distance of a Gaussian's samples from the Gaussian itself halves as n doubles."""
    rng = np.random.default_rng(8)
    truth = Gaussian(np.zeros(5), np.eye(5))

    def mean_distance(n):
        return np.mean(
            [gaussian_distance(Gaussian.fit(rng.normal(size=(n, 5))), truth) for _ in range(400)]
        )

    assert mean_distance(100) / mean_distance(200) == pytest.approx(2.0, abs=0.15)


@pytest.mark.parametrize(
    ("a", "b", "words"),
    [
        (np.zeros((3, 2)), np.zeros((3, 4)), "the same features"),
        (np.zeros((1, 2)), np.zeros((3, 2)), "2 rows or more"),
        (np.zeros(3), np.zeros(3), "shape"),
        (np.zeros((3, 2)), np.full((3, 2), np.nan), "finite"),
    ],
)
def test_what_is_no_sample_of_features_is_refused(a, b, words):
    with pytest.raises(DataError, match=words):
        evaluation.frechet_distance(a, b)
