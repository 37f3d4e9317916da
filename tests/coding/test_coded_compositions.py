"""Counts given their total, and the total: exact, and as long as the law states."""

from typing import Any

import numpy as np
import pytest
import scipy.stats

from wellposed._errors import DamagedFileError
from wellposed.coding.ans import Lanes
from wellposed.coding.logs import RAW_BITS
from wellposed.coding.symbols import CompositionSymbols
from wellposed.coding.symbols.parts import Part, from_state
from wellposed.coding.totals import MOST, PART_BITS, Totals
from wellposed.coding.wire import pack, unpack

stats: Any = scipy.stats  # its functions have incomplete types


def lanes_of(m: int) -> Lanes:
    lanes = Lanes.for_encoding(m)
    lanes.open(m)
    return lanes


def totals_of(mean: float, concentration: float) -> Totals:
    return Totals(*(round(each * 2**PART_BITS) for each in (mean, concentration)))


@pytest.mark.parametrize(
    ("mean", "concentration"), [(0.3, 5.0), (40.0, 0.4), (3000.0, 9.0), (2e5, 800.0), (50.0, 1e6)]
)
def test_totals_cost_their_probability(mean, concentration):
    law = stats.nbinom(concentration, concentration / (mean + concentration))
    drawn = law.rvs(500, random_state=0)
    total = np.concatenate([drawn, [0, 1, 63, 64, 65, 127, 128, 130, 10**6, MOST - 1]])
    lanes, totals = lanes_of(len(total)), totals_of(mean, concentration)
    bits = totals.push(lanes, total)
    np.testing.assert_array_equal(totals.pop(lanes, len(total)), total)
    exact = -law.logpmf(drawn) / np.log(2)
    # Within a size, a 128th of a total, all are equally likely.
    assert abs((bits[:500] - exact).mean()) < 5e-3
    below = totals._below
    assert below[0] == 0
    assert below[-1] == 2**24
    assert np.diff(below).min() >= 1


@pytest.mark.parametrize("concentration", [None, 0.5, 60.0, 1e5])
@pytest.mark.parametrize("mean", [8.0, 900.0])
def test_compositions_cost_their_probability(mean, concentration):
    rng, d, m = np.random.default_rng(0), 7, 300
    logits = np.rint(rng.normal(size=d) * 2.0**RAW_BITS)
    shares = np.exp(logits / 2.0**RAW_BITS)
    shares /= shares.sum()
    total = rng.poisson(mean, m)
    total[:2] = 0, 1
    given = shares if concentration is None else rng.dirichlet(concentration * shares, m)
    counts = rng.multinomial(total, given)
    whole = None if concentration is None else round(concentration * 2**PART_BITS)
    totals = totals_of(mean, 50.0)
    family = CompositionSymbols(totals, whole, np.full(d, 200))
    lanes, outputs = lanes_of(m), np.repeat(logits[:, None], m, axis=1)
    bits = family.push(lanes, outputs, counts.T) - totals.push(lanes_of(m), total)
    if concentration is None:
        exact = [stats.multinomial(t, shares).logpmf(x) for t, x in zip(total, counts, strict=True)]
    else:
        law, drawn = stats.dirichlet_multinomial, total > 0  # SciPy 1.14 has none of no counts
        exact = np.zeros(m)
        exact[drawn] = law(concentration * shares, total[drawn]).logpmf(counts[drawn])
    exact = -np.array(exact) / np.log(2)
    few = counts.max(axis=1) < 200  # larger counts take some bits more
    np.testing.assert_allclose(bits[few], exact[few], atol=0.02, rtol=1e-3)
    part: Any = from_state(unpack(pack(Part(family, np.arange(d), np.zeros(d, int), 0, d).state())))
    np.testing.assert_array_equal(part.family.pop(lanes, outputs), counts.T)
    mean_of_all = family.expected(outputs[:, :1])[:, 0]
    np.testing.assert_allclose(mean_of_all, mean * shares, atol=0.51)


def test_counts_far_from_their_shares_come_back():
    counts = np.array([[0, 0, 5], [10**6, 3, 0], [0, 2**24 - 2, 1], [0, 0, 0], [17, 16, 15]]).T
    family = CompositionSymbols(totals_of(10.0, 1.0), None, np.full(3, 16))
    lanes, outputs = lanes_of(5), np.array([[0.0], [-30_000.0], [-60_000.0]]) * np.ones(5)
    assert np.isfinite(family.push(lanes, outputs, counts)).all()
    np.testing.assert_array_equal(family.pop(lanes, outputs), counts)
    assert family.outside(np.array([[1, 2, 3], [2**23, 2**23, 0], [0, -1, 0]])).any(
        axis=1
    ).tolist() == [False, True, True]


def test_counts_beyond_their_total_are_damage():
    totals = totals_of(10.0, 1.0)
    family = CompositionSymbols(totals, None, np.full(2, 16))
    lanes = lanes_of(1)
    lanes.push(np.array([2**24 - 1], np.uint64), np.array([1], np.uint64), bits=24)
    totals.push(lanes, np.array([0]))
    with pytest.raises(DamagedFileError, match="exceed their total"):
        family.pop(lanes, np.zeros((2, 1)))
