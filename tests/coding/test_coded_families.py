"""Frequencies of families of integers against distributions of SciPy, and the way back."""

from typing import Any

import numpy as np
import pytest
import scipy.stats

from wellposed.coding.logs import RAW_BITS
from wellposed.coding.symbols import (
    BetaBinomialSymbols,
    BetaSymbols,
    CausalGaussianSymbols,
    CutSymbols,
    LowRankSymbols,
    RealSymbols,
    ScaleRule,
)
from wellposed.coding.symbols.causal_gaussian import WEIGHT_BITS
from wellposed.coding.symbols.counts import MEAN_BITS
from wellposed.coding.symbols.family import AbstractFamily
from wellposed.coding.symbols.parts import Part, from_state
from wellposed.coding.symbols.real import FINE, PLACE_BITS, STEP_BITS, Degrees
from wellposed.coding.symbols.scales import SCALE_BITS
from wellposed.coding.symbols.student import INVERSE_BITS
from wellposed.coding.symbols.unit import LIMIT_BITS, LOCATION_BITS, WIDTH_BITS
from wellposed.coding.symbols.window import neighbours
from wellposed.coding.wire import pack, unpack

stats: Any = scipy.stats  # its functions have incomplete types


def shares(family: AbstractFamily, outputs: np.ndarray, n: int) -> np.ndarray:
    """Probabilities of the n symbols of one feature; checks that they are whole, and come back."""
    every = np.broadcast_to(np.arange(n), (family.d, n))
    each = family.intervals(np.repeat(outputs, n, axis=1), every)
    start, freq = each.start[0].astype(float), each.freq[0].astype(float)
    assert (freq >= 1).all()
    np.testing.assert_array_equal(start, np.cumsum(freq) - freq)
    assert freq.sum() == 2**family.bits
    reader, targets = family.reader(np.repeat(outputs, n, axis=1)), each.start[0]
    for target in (targets, targets + each.freq[0] - np.uint64(1)):
        found = reader.find(0, target)
        np.testing.assert_array_equal(found.symbol, np.arange(n))
        np.testing.assert_array_equal(found.freq, each.freq[0])
    again: Any = from_state(
        unpack(pack(Part(family, np.arange(1), np.zeros(1, int), 0, 1).state()))
    )
    same = again.family.intervals(np.repeat(outputs, n, axis=1), every)
    np.testing.assert_array_equal(same.freq, each.freq)
    return freq / 2.0**family.bits


def excess(exact: np.ndarray, coded: np.ndarray) -> float:
    """Bits that coding costs beyond the entropy of the exact distribution."""
    seen = exact > 0
    return float((exact[seen] * np.log2(exact[seen] / coded[seen])).sum())


@pytest.mark.parametrize("nu", [2.1, 2.5, 3.0, 5.0, 8.0, 20.0, 200.0, np.inf])
@pytest.mark.parametrize("conditional", [False, True])
def test_a_student_t_costs_its_entropy(nu, conditional):
    step, n, location, scale = 0.05, 4001, 0.317, 0.8
    if conditional:
        # The raw number whose degrees these are: positive(raw) = (ν − ν₀)/(8 − ν₀).
        if not 2.2 < nu < 100:
            return
        raw = np.log(np.expm1((nu - 2.1) / 5.9)) - np.log(np.e - 1)
        degrees = Degrees(None, "degrees:2.100000")
    else:
        degrees = Degrees(np.array([round(2**INVERSE_BITS / nu) if np.isfinite(nu) else 0]))
    unit = FINE * 2.0**PLACE_BITS
    steps = np.array([round(step * unit * 2**STEP_BITS)])
    first = np.array([round(-(n // 2 + 0.5) * step * unit)])
    rule = ScaleRule(np.array([round(scale * FINE * 2**SCALE_BITS)]))
    family = RealSymbols("student", np.array([n]), steps, first, rule, degrees)
    outputs = np.array([[np.rint(location * unit)]])
    if conditional:
        outputs = np.concatenate([outputs, [[np.rint(raw * 2**RAW_BITS)]]])
    coded = shares(family, outputs, n)
    law = stats.norm(location, scale) if np.isinf(nu) else stats.t(nu, location, scale)
    exact = np.diff(law.cdf((np.arange(n + 1) - n // 2 - 0.5) * step))
    assert excess(exact / exact.sum(), coded) < 2e-3
    if nu in (8.0, np.inf) and not conditional:  # degrees of a table
        assert excess(exact / exact.sum(), coded) < 1e-4


@pytest.mark.parametrize("n", [1, 16, 1023])
@pytest.mark.parametrize("total", [0.02, 3.0, 1e7])
@pytest.mark.parametrize("odds", [-30.0, -2.5, 0.0, 6.0])
def test_a_beta_binomial_costs_its_entropy(n, total, odds):
    whole = np.array([round(total * 2**MEAN_BITS)])
    family = BetaBinomialSymbols(whole, n + 1)
    coded = shares(family, np.array([[odds], [0.0]]) * 2.0**RAW_BITS, n + 1)
    share = 1 / (1 + np.exp(-max(odds, -24.0)))
    a, b = total * share + 2.0**-MEAN_BITS, total * (1 - share) + 2.0**-MEAN_BITS
    exact = stats.betabinom(n, a, b).pmf(np.arange(n + 1))
    assert excess(exact, coded) < 1e-3


def unit_cdf(base: str, eta: float, scale: float, at: np.ndarray) -> np.ndarray:
    """Distribution function on [0, 1] of a raw location and a scale, or a floor."""
    share = 1 / (1 + np.exp(-eta))
    if base == "beta":
        return stats.beta(1 + share / scale, 1 + (1 - share) / scale).cdf(at)
    if base == "normal":
        return stats.truncnorm(-share / scale, (1 - share) / scale, share, scale).cdf(at)
    limited = eta / np.sqrt(1 + (eta * scale) ** 2)
    return np.expm1(limited * at) / np.expm1(limited)


@pytest.mark.parametrize("n", [17, 257])
@pytest.mark.parametrize("scale", [3e-3, 0.08, 2.0])
@pytest.mark.parametrize("eta", [-6.0, -0.7, 2.5])
@pytest.mark.parametrize("base", ["beta", "normal", "exponential"])
@pytest.mark.parametrize("dequantised", [False, True])
def test_shares_cost_their_entropy(base, eta, scale, n, dequantised):
    bits, rule = LOCATION_BITS, ScaleRule(whole(scale, WIDTH_BITS + SCALE_BITS))
    if base == "beta":
        family = BetaSymbols(np.array([n]), rule, dequantised)
    elif base == "normal":
        family = CutSymbols(np.array([n]), rule, None, dequantised)
    else:
        bits, limits = LIMIT_BITS, whole(1 / scale, LIMIT_BITS)
        family = CutSymbols(np.array([n]), None, limits, dequantised)
    coded = shares(family, whole(eta, bits)[:, None].astype(float), n)
    edges = np.arange(n + 1) / n if dequantised else (np.arange(n + 1) - 0.5) / (n - 1)
    exact = np.diff(unit_cdf(base, eta, scale, np.clip(edges, 0, 1)))
    assert excess(exact, coded) < 2e-3


@pytest.mark.parametrize(
    ("rule", "limits"),
    [(ScaleRule(np.array([2**60])), None), (None, np.array([2**10]))],
    ids=["normal", "exponential"],
)
def test_the_widest_curves_are_level(rule, limits):
    family = CutSymbols(np.array([33]), rule, limits, True)
    np.testing.assert_allclose(shares(family, np.array([[0.0]]), 33), 1 / 33, rtol=1e-3)


def whole(value: float, bits: int) -> np.ndarray:
    return np.array([round(value * 2.0**bits)])


UNIT = FINE * 2.0**PLACE_BITS


def real_family(d: int, n: int, step: float, sigma: np.ndarray) -> RealSymbols:
    """Normals of d features, n steps around zero each."""
    steps = np.full(d, round(step * UNIT * 2**STEP_BITS))
    first = np.full(d, round(-(n // 2 + 0.5) * step * UNIT))
    rule = ScaleRule(np.rint(sigma * FINE * 2**SCALE_BITS).astype(int))
    return RealSymbols("normal", np.full(d, n), steps, first, rule)


def check_in_order(family: AbstractFamily, outputs: np.ndarray, symbols: np.ndarray) -> np.ndarray:
    """Bits of each row; checks that a reader finds the symbols one after another."""
    each = family.intervals(outputs, symbols)
    reader = family.reader(outputs)
    for j, own in enumerate(symbols):
        found = reader.find(j, each.start[j] + each.freq[j] - np.uint64(1))
        np.testing.assert_array_equal(found.symbol, own)
        np.testing.assert_array_equal(found.start, each.start[j])
        np.testing.assert_array_equal(found.freq, each.freq[j])
    again: Any = from_state(
        unpack(pack(Part(family, np.arange(family.d), np.zeros(family.d, int), 0, 1).state()))
    )
    np.testing.assert_array_equal(again.family.intervals(outputs, symbols).freq, each.freq)
    return each.bits(family.bits).sum(axis=0)


@pytest.mark.parametrize("rank", [1, 3])
@pytest.mark.parametrize("wide", [0.3, 3.0])
def test_a_low_rank_gaussian_costs_its_joint_density(rank, wide):
    rng, d, m, n, step = np.random.default_rng(rank), 6, 40, 20_001, 0.02
    mean, sigma = rng.normal(size=d), rng.uniform(0.3, 1, d)
    factor = wide * rng.normal(size=(rank, d))
    law = stats.multivariate_normal(mean, np.diag(sigma**2) + factor.T @ factor)
    symbols = np.rint(law.rvs(m, random_state=0) / step).astype(int).T + n // 2
    outputs = np.concatenate([mean[None], factor]).reshape(-1, 1) * UNIT
    family = LowRankSymbols(real_family(d, n, step, sigma), rank)
    bits = check_in_order(family, np.repeat(np.rint(outputs), m, axis=1), symbols)
    exact = -law.logpdf((symbols.T - n // 2) * step) / np.log(2) - d * np.log2(step)
    np.testing.assert_allclose(bits, exact, atol=0.02 * d)


@pytest.mark.parametrize("conditional", [False, True])
def test_a_causal_gaussian_costs_its_joint_density(conditional):
    rng, grid, m, n, step = np.random.default_rng(0), (4, 3, 1), 40, 2001, 0.02
    d, places = 12, neighbours(grid, 3)
    mean, sigma = rng.normal(size=d), rng.uniform(0.3, 1, d)
    raw = rng.normal(size=(places.shape[1], d))
    share = raw / (1 + np.abs(raw).sum(axis=0))
    below = np.zeros((d, d + 1))
    for i in range(d):
        np.add.at(below[i], places[i], share[:, i])
    root = np.linalg.inv(np.eye(d) - below[:, 1:]) * sigma
    law = stats.multivariate_normal(mean, root @ root.T)
    symbols = np.rint(law.rvs(m, random_state=0) / step).astype(int).T + n // 2
    rows = [np.rint(mean * UNIT)]
    if conditional:
        rows.append(np.rint(raw * 2.0**RAW_BITS).reshape(-1))
    outputs = np.repeat(np.concatenate(rows)[:, None], m, axis=1)
    weights = None if conditional else np.rint(share * 2.0**WEIGHT_BITS).astype(int)
    family = CausalGaussianSymbols(real_family(d, n, step, sigma), np.arange(d), grid, 3, weights)
    bits = check_in_order(family, outputs, symbols)
    exact = -law.logpdf((symbols.T - n // 2) * step) / np.log(2) - d * np.log2(step)
    np.testing.assert_allclose(bits, exact, atol=0.01 * d)
