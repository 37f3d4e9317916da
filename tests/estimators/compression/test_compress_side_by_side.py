"""Blocks in several threads: the same files, in order, with the errors of their own blocks."""

import threading
import time

import numpy as np
import pytest

import wellposed as wp
from wellposed.estimators.compression import side_by_side
from wellposed.estimators.compression.side_by_side import in_order


@pytest.fixture(params=[1, 3], ids=["one thread", "three threads"])
def n_threads(request, monkeypatch):
    monkeypatch.setattr(side_by_side, "_processors", lambda: request.param)
    return request.param


def test_results_have_the_order_of_the_items_and_errors_are_of_their_own(n_threads):
    def work(i):
        time.sleep(0.02 if i % 3 == 0 else 0.0)
        if i == 5:
            raise ValueError("five")
        return i * i, threading.get_ident()

    seen, workers = [], set()
    for i, result in in_order(work, range(9), 9):
        if i == 5:
            with pytest.raises(ValueError, match="five"):
                result()
            continue
        square, worker = result()
        seen.append((i, square))
        workers.add(worker)
    assert seen == [(i, i * i) for i in range(9) if i != 5]
    assert (threading.get_ident() in workers) == (n_threads == 1)


def test_few_items_are_drawn_ahead(n_threads):
    drawn = []
    items = (drawn.append(i) or i for i in range(50))
    for i, result in in_order(lambda i: i, items, 50):
        assert result() == i
        assert len(drawn) <= i + n_threads
        if i == 7:
            break
    assert len(drawn) <= 7 + n_threads


def test_a_file_is_the_same_with_any_number_of_threads(monkeypatch):
    rows = np.random.default_rng(0).integers(0, 5, (700, 6)).astype(np.uint8)
    files = []
    for n in (1, 2, 4):
        monkeypatch.setattr(side_by_side, "_processors", lambda n=n: n)
        files.append(wp.compress(None, rows, block_rows=100))
        np.testing.assert_array_equal(wp.decompress(files[-1]), rows)
    assert files[0] == files[1] == files[2]


def test_a_damaged_block_is_named_and_the_others_are_read(n_threads):
    rows = np.random.default_rng(0).integers(0, 5, (700, 6)).astype(np.uint8)
    damaged = bytearray(wp.compress(None, rows, block_rows=100))
    damaged[len(damaged) // 2] ^= 1
    with pytest.raises(wp.DamagedFileError, match=r"Block 3 of 7 is damaged, rows 300 to 399"):
        wp.decompress(bytes(damaged))
    with pytest.warns(wp.DamageWarning):
        rest = wp.decompress(bytes(damaged), errors="skip")
    np.testing.assert_array_equal(rest, np.delete(rows, np.arange(300, 400), axis=0))
