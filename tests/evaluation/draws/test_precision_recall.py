"""Precision and recall against brute force, and where they are known."""

import numpy as np
import pytest

from wellposed import _budget, evaluation
from wellposed._errors import DataError, SettingError
from wellposed.evaluation.draws.precision_recall import _squared_distances


def cloud(n: int, f: int = 3, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, f))


def brute_force(drawn: np.ndarray, real: np.ndarray, k: int) -> tuple[float, float]:
    def inside(queries, support):
        radii = [np.sort(np.linalg.norm(support - s, axis=1))[k] for s in support]  # 0 is itself
        return np.mean(
            [
                any(np.linalg.norm(q - s) <= r for s, r in zip(support, radii, strict=True))
                for q in queries
            ]
        )

    return float(inside(drawn, real)), float(inside(real, drawn))


@pytest.mark.parametrize("k", [1, 3, 5])
def test_it_is_what_brute_force_finds(k, monkeypatch):
    monkeypatch.setattr(_budget, "NUMBERS_AT_ONCE", 100)  # many pieces, one partial
    drawn, real = 0.8 * cloud(37, seed=1) + 0.7, cloud(51, seed=2)
    found = evaluation.precision_recall(drawn, real, k=k)
    precision, recall = brute_force(drawn, real, k)
    assert 0 < precision < 1
    assert 0 < recall < 1
    assert (found.precision, found.recall) == pytest.approx((precision, recall), abs=1e-12)


def test_a_sample_apart_has_neither():
    found = evaluation.precision_recall(cloud(30) + 100, cloud(30, seed=1))
    assert (found.precision, found.recall) == (0, 0)


def test_equal_samples_have_both():
    rows = cloud(30)
    found = evaluation.precision_recall(rows, rows.copy())
    assert (found.precision, found.recall) == (1, 1)


def test_a_subset_is_precise_and_a_part_that_is_left_out_costs_recall():
    left, right = cloud(40, seed=1), cloud(60, seed=2) + 100
    found = evaluation.precision_recall(left, np.concatenate([left, right]))
    assert (found.precision, found.recall) == (1, 0.4)


def test_rows_that_repeat_far_from_the_origin_are_at_distance_zero():
    """All radii are zero: only exact copies are inside, and rounding must not separate them."""
    own = cloud(20, f=64)
    real = np.repeat(1e3 * own + 1e6, 5, axis=0)
    drawn = np.concatenate([real[::5], real[::5] + 0.1])
    found = evaluation.precision_recall(drawn, real)
    np.testing.assert_array_equal(found.drawn_inside, np.arange(40) < 20)
    (_, squares), *_ = _squared_distances(real, real)
    copies = np.arange(100)[:, None] // 5 == np.arange(100) // 5
    np.testing.assert_array_equal(squares == 0, copies)


def test_too_few_rows_and_strange_neighbours_are_refused():
    with pytest.raises(DataError, match="4 rows or more"):
        evaluation.precision_recall(cloud(3), cloud(10))
    with pytest.raises(DataError, match="same features"):
        evaluation.precision_recall(cloud(9), cloud(10, f=4))
    for k in (0, 2.0, True):
        with pytest.raises(SettingError, match="k must be"):
            evaluation.precision_recall(cloud(9), cloud(9), k=k)
