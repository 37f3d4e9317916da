"""Frequencies of amounts: those of the log-normal, with zeros beside them."""

import math

import numpy as np
import pytest
from scipy import stats

from wellposed.coding.integer import log_two
from wellposed.coding.symbols import AmountSymbols, GammaSymbols, ScaleRule, ZeroInflatedSymbols
from wellposed.coding.symbols.amounts import GAUGE_BITS
from wellposed.coding.symbols.real import FINE, PLACE_BITS

MIDDLES, SPREADS, SCALES = np.array([400.0, 30.0]), np.array([1.2, 0.7]), np.array([0.5, 0.9])
COUNTS = np.array([200_000, 9_000])
UNIT = FINE * 2.0**PLACE_BITS


def amounts() -> AmountSymbols:
    """Two features, steps of one; at raw zero their medians are ``MIDDLES``."""
    whole = (
        np.rint(math.log(2.0) / SPREADS * UNIT * 2.0**GAUGE_BITS),
        np.rint(-np.log(MIDDLES) / SPREADS * UNIT),
        np.rint(SCALES / SPREADS * FINE * 2.0**16),
    )
    steps, first, floor = (each.astype(np.int64) for each in whole)
    return AmountSymbols("normal", COUNTS, steps, first, ScaleRule(floor))


def zero_inflated() -> ZeroInflatedSymbols:
    """The same, zero with probability 1/(1 + e) and 1/2."""
    return ZeroInflatedSymbols(np.array([-1024, 0]), amounts())


def gammas() -> GammaSymbols:
    """The same with gammas of shapes 1/s²; at raw zero their means are ``MIDDLES``."""
    return GammaSymbols(amounts())


def zero_inflated_gammas() -> ZeroInflatedSymbols:
    """Zero with probability 1/(1 + e) and 1/2, or gammas."""
    return ZeroInflatedSymbols(np.array([-1024, 0]), gammas())


def laws(raw: float) -> list:
    """The laws of both features at raw locations."""
    moved = np.log(MIDDLES) + SPREADS * raw
    return [stats.lognorm(s, scale=math.exp(m)) for s, m in zip(SCALES, moved, strict=True)]


def outputs(raw: float, m: int) -> np.ndarray:
    return np.full((2, m), round(raw * UNIT), np.float64)


def test_logarithms_are_numpys_and_rise():
    values = np.concatenate([np.arange(1, 5000), [2**20 - 0.5, 2**20, 2**22 + 0.5]]) - 0.5
    np.testing.assert_allclose(log_two(values) / 2.0**32, np.log2(values), rtol=0, atol=2.0**-26)
    every = log_two(np.arange(2**16) + 0.5)
    assert (np.diff(every) > 0).all()


@pytest.mark.parametrize("raw", [0.0, 0.8])
def test_cumulative_frequencies_are_those_of_the_log_normal(raw):
    steps = np.array([1, 2, 25, 30, 31, 200, 400, 1000, 5000])
    found = amounts().intervals(outputs(raw, len(steps)), np.tile(steps - 1, (2, 1)))
    for j, law in enumerate(laws(raw)):
        exact = np.where(steps > 1, law.cdf(steps - 0.5), 0.0)
        # Straight lines between the knots of the curve are off by 8e-6 at most.
        np.testing.assert_allclose(below(found.start[j], steps - 1), exact, atol=1e-5)
        np.testing.assert_allclose(
            below(found.start[j] + found.freq[j], steps), law.cdf(steps + 0.5), atol=1e-5
        )


def below(frequency: np.ndarray, symbols: np.ndarray) -> np.ndarray:
    """Undo what is added to each symbol."""
    return (frequency.astype(np.float64) - symbols) / (2.0**28 - COUNTS.max())


@pytest.mark.parametrize("scale", [1e-4, 0.02, 0.5, 1.0, 2.5, 8.0])
def test_gammas_cost_their_entropy(scale):
    n, mean, spread = 60_000, 700.0, 0.8
    steps = np.rint(np.array([math.log(2.0) / spread * UNIT * 2.0**GAUGE_BITS])).astype(np.int64)
    first = np.rint(np.array([-math.log(mean) / spread * UNIT])).astype(np.int64)
    rule = ScaleRule(np.rint(np.array([scale / spread * FINE * 2.0**16])).astype(np.int64))
    family = GammaSymbols(AmountSymbols("normal", np.array([n]), steps, first, rule))
    given, every = np.zeros((1, n)), np.arange(n)[None]
    few = np.concatenate([np.arange(2000), np.arange(2000, n, 977), [n - 1]])
    found = family.intervals(given[:, : len(few)], every[:, few])
    law = stats.gamma(scale**-2, scale=mean * scale**2)
    edges = np.where(few > 0, law.cdf(few + 0.5), 0.0)
    shares = (found.start[0] - few.astype(np.float64)) / (2.0**28 - n)
    # Within a cell of the grid, a sixteenth of a deviation, the density is flat.
    np.testing.assert_allclose(shares, edges, atol=2e-3)
    exact = np.diff(np.append(edges[:2001], 1.0))
    coded = np.append(found.freq[0, :2000] / 2.0**28, 1.0 - found.start[0, 2000] / 2.0**28)
    seen = exact > 1e-300
    excess = (exact[seen] * np.log2(exact[seen] / coded[seen])).sum()
    assert excess < 5e-3


def test_beyond_ten_spreads_locations_are_their_logarithms():
    far, near = (amounts().parameters(outputs(raw, 1), slice(None)) for raw in (14.0, 9.0))
    assert near.location[0, 0] == 9 * UNIT
    assert far.location[0, 0] / UNIT == pytest.approx(10 + math.log1p(4), abs=1e-4)


@pytest.mark.parametrize("make", [amounts, zero_inflated, gammas, zero_inflated_gammas])
def test_every_target_finds_the_interval_that_holds_it(make):
    family, m = make(), 4_000
    given = outputs(0.3, m)
    if isinstance(family, ZeroInflatedSymbols):
        given = np.concatenate([np.full((2, m), 300.0), given])
    rng = np.random.default_rng(0)
    target = rng.integers(0, 1 << 28, m, dtype=np.uint64)
    target[:2] = 0, (1 << 28) - 1
    for j in range(2):
        found = family.reader(given).find(j, target)
        assert ((found.start <= target) & (target < found.start + found.freq)).all()
        symbols = np.zeros((2, m), np.int64)
        symbols[j] = found.symbol
        again = family.intervals(given, symbols)
        np.testing.assert_array_equal(again.start[j], found.start)
        np.testing.assert_array_equal(again.freq[j], found.freq)


@pytest.mark.parametrize("make", [amounts, zero_inflated, gammas, zero_inflated_gammas])
def test_every_symbol_has_a_frequency(make):
    family = make()
    given = outputs(-8.0, 3)
    if isinstance(family, ZeroInflatedSymbols):
        given = np.concatenate([np.full((2, 3), 20_000.0), given])
    last = family.counts[:, None] - np.array([1, 2, 2_000])
    found = family.intervals(given, last)
    assert (found.freq >= 1).all()
    assert (found.start[:, 0] + found.freq[:, 0] == 1 << 28).all()


def test_zero_has_its_probability_and_amounts_the_rest():
    family = zero_inflated()
    given = np.concatenate([np.zeros((2, 3)), outputs(0.0, 3)])
    found = family.intervals(given, np.tile([0, 26, 401], (2, 1))).freq / 2.0**28
    share = np.array([1 / (1 + math.e), 0.5])
    np.testing.assert_allclose(found[:, 0], share * (1 - COUNTS.max() / 2.0**28), atol=1e-5)
    exact = [law.cdf([26.5, 401.5]) - law.cdf([25.5, 400.5]) for law in laws(0.0)]
    # Within a knot, 1/64 of a deviation, the density is flat.
    np.testing.assert_allclose(found[:, 1:], (1 - share)[:, None] * exact, rtol=0.03, atol=2e-8)


def test_the_reconstruction_is_the_mean_of_sixteen_quantiles():
    levels = (np.arange(16) + 0.5) / 16
    exact = [law.ppf(levels).mean() for law in laws(0.5)]
    found = amounts().expected(outputs(0.5, 1))[:, 0] + 1
    np.testing.assert_allclose(found, exact, rtol=2e-3, atol=0.6)
