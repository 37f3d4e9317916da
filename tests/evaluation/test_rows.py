"""Rows in chunks: sizes in buckets, and keys that come of a row's content."""

import jax
import numpy as np
import pytest

from wellposed._budget import at_once, bucket, slices
from wellposed.evaluation._rows import in_chunks, over_rows

KEY = jax.random.key(0)
ROWS = np.array([[1.0, 2.0], [3.0, 4.0], [1.0, 2.0], [0.0, 1.0], [1.0, 2.0], [-0.0, 1.0]])


def draws(model, x, *, key, scale):
    return scale * jax.random.normal(key, x.shape)


def test_few_rows_are_not_padded_to_many():
    assert [bucket(n, at_once(99 * 5, 256)) for n in (8, 9, 9_000)] == [8, 16, 256]
    assert [at_once(numbers, 256) for numbers in (0, 10_000, 10**9)] == [256, 80, 1]


def test_slices_cut_all_items():
    assert [(part.start, part.stop) for part in slices(7, 3)] == [(0, 3), (3, 6), (6, 7)]


@pytest.mark.parametrize("sizes", [{"chunk": 4}, {"numbers": 2}, {"numbers": 400_000}])
def test_equal_rows_have_equal_draws_or_draws_of_their_own(sizes):
    equal = over_rows(draws, None, ROWS, key=KEY, scale=2, **sizes)
    np.testing.assert_array_equal(equal[0], equal[2])
    np.testing.assert_array_equal(equal[3], equal[5])
    apart = over_rows(draws, None, ROWS, key=KEY, scale=2, distinct=True, **sizes)
    np.testing.assert_array_equal(apart[[0, 1, 3]], equal[[0, 1, 3]])
    assert len(np.unique(apart, axis=0)) == len(ROWS)
    backwards = over_rows(draws, None, ROWS[::-1], key=KEY, scale=2, distinct=True, **sizes)
    np.testing.assert_array_equal(np.sort(backwards, axis=0), np.sort(apart, axis=0))


def test_chunks_add_up_to_the_whole():
    pieces = list(in_chunks(draws, None, ROWS, key=KEY, chunk=4, scale=1))
    assert [len(piece) for piece in pieces] == [4, 2]
    whole = over_rows(draws, None, ROWS, key=KEY, scale=1)
    np.testing.assert_array_equal(np.concatenate(pieces), whole)
