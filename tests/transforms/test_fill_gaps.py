"""Filling gaps for summaries of columns."""

import numpy as np

from wellposed import transforms


def test_range_resolution_and_moments_stay():
    rng = np.random.default_rng(0)
    whole = np.column_stack([rng.integers(0, 20, 3_000) / 2, rng.normal(5, 2, 3_000)])
    rows = np.where(rng.random(whole.shape) < 0.4, np.nan, whole)
    filled = transforms.fill_from_columns(rows, np.random.default_rng(1))
    seen = ~np.isnan(rows)
    np.testing.assert_array_equal(filled[seen], rows[seen])
    np.testing.assert_array_equal(filled.min(axis=0), np.nanmin(rows, axis=0))
    np.testing.assert_array_equal(filled.max(axis=0), np.nanmax(rows, axis=0))
    assert transforms.resolution_of(filled)[0] == 0.5
    assert set(filled[:, 1]) == set(rows[seen[:, 1], 1])
    error = np.nanstd(rows, axis=0) / np.sqrt(3_000)
    assert (np.abs(filled.mean(axis=0) - np.nanmean(rows, axis=0)) < error).all()


def test_complete_rows_and_empty_columns_stay():
    rows = np.array([[1.0, np.nan], [2.0, np.nan]])
    filled = transforms.fill_from_columns(rows, np.random.default_rng(0))
    np.testing.assert_array_equal(filled, rows)
    assert transforms.fill_from_columns(rows[:, :1], np.random.default_rng(0)).tolist() == [
        [1],
        [2],
    ]


def test_one_observed_value_fills_its_column():
    rows = np.array([[3.0], [np.nan], [np.nan]])
    filled = transforms.fill_from_columns(rows, np.random.default_rng(0))
    assert filled.tolist() == [[3.0], [3.0], [3.0]]
