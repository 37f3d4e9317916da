"""Random orders without tables, and the order of a pass."""

import itertools

import numpy as np
import pytest
from scipy.stats import chisquare

from wellposed.sources import (
    ArraySource,
    ConcatenatedSource,
    Order,
    Permutation,
    Reader,
    Sampled,
    chunk_rows_of,
)


@pytest.mark.parametrize("n", [1, 2, 3, 5, 64, 65, 1000, 4097])
def test_a_permutation_has_each_place_once(n):
    found = Permutation(n, [3, n])(np.arange(n))
    assert np.array_equal(np.sort(found), np.arange(n))


def test_a_permutation_of_a_billion_places_needs_no_table():
    n = 10**9 + 7
    places = np.arange(n - 100_000, n)
    found = Permutation(n, [0])(places)
    assert len(np.unique(found)) == len(places)
    assert found.min() >= 0
    assert found.max() < n
    assert abs(found.mean() / n - 0.5) < 0.005  # five standard errors


def test_all_orders_of_four_places_are_as_frequent():
    places, seeds = np.arange(4), 24 * 200
    orders = dict.fromkeys(itertools.permutations(range(4)), 0)
    for seed in range(seeds):
        orders[tuple(Permutation(4, [seed])(places).tolist())] += 1
    assert chisquare(list(orders.values())).pvalue > 1e-4


def test_orders_of_other_words_share_as_many_places_as_chance_has():
    n = 20_000
    first, second = (Permutation(n, [0, epoch])(np.arange(n)) for epoch in (0, 1))
    assert np.sum(first == second) < 10  # one on average
    assert abs(np.corrcoef(first, second)[0, 1]) < 5 / np.sqrt(n)
    assert abs(np.corrcoef(first[1:], first[:-1])[0, 1]) < 5 / np.sqrt(n)


def sources() -> dict[str, ArraySource | ConcatenatedSource]:
    rows = np.arange(1000.0)[:, None]
    parts = [ArraySource(rows[a:b], 64) for a, b in ((0, 150), (150, 151), (151, 1000))]
    return {
        "equal": ArraySource(rows, 64),
        "one block": ArraySource(rows, 2048),
        "parts": ConcatenatedSource(parts),
        "long blocks": ArraySource(rows, 512),
    }


@pytest.mark.parametrize("kind", sources())
def test_a_pass_has_each_row_once_in_another_order_each_epoch(kind):
    source = sources()[kind]
    order = Order(source, seed=1, chunk_rows=256)
    passes = []
    for epoch in range(2):
        chunks = []
        for chunk in reversed(range(order.n_chunks)):  # each chunk is found without the others
            reader = Reader(
                source, lambda b, p, e=epoch: order.arrange(e, b, p) if order.arranges else p
            )
            rows, numbers = reader.read(order.pieces(epoch, chunk))
            assert np.array_equal(rows[:, 0], numbers)
            chunks.insert(0, numbers)
        assert [len(chunk) for chunk in chunks] == [256, 256, 256, 232]
        passes.append(np.concatenate(chunks))
        assert np.array_equal(np.sort(passes[-1]), np.arange(1000))
    assert not np.array_equal(*passes)
    if kind != "one block":
        first = np.sort(passes[0][:256])
        assert not np.array_equal(first, np.arange(256))


def test_a_reader_reads_a_shared_block_once():
    class Counted(ArraySource):
        n_reads = 0

        def read(self, block, out):
            Counted.n_reads += 1
            super().read(block, out)

    source = Counted(np.arange(1000.0)[:, None], 1000)
    order, reader = Order(source, seed=0, chunk_rows=128), None
    reader = Reader(source, lambda block, places: order.arrange(0, block, places))
    for chunk in range(order.n_chunks):
        reader.read(order.pieces(0, chunk))
    assert Counted.n_reads == 1


def test_a_sample_has_its_rows_once_and_the_first_of_them_are_a_sample():
    numbers = np.arange(500)
    sampled = Sampled(500, 50, seed=4)
    places = sampled.places(numbers)
    assert np.array_equal(np.sort(places[places >= 0]), np.arange(50))
    fewer = sampled.first(20).places(numbers)
    assert np.array_equal(fewer >= 0, (places >= 0) & (places < 20))


@pytest.mark.parametrize(
    ("d", "n", "rows"), [(784, None, 16_384), (4, None, 65_536), (10**6, None, 1024), (4, 300, 512)]
)
def test_a_chunk_has_some_64_mebibytes_within_limits_of_its_rows(d, n, rows):
    assert chunk_rows_of(d, n) == rows
