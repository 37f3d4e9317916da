"""Noise on levels as families of integer parameters."""

import math
from typing import Any

import numpy as np

from ..logs import RAW_BITS
from ..symbols import (
    BetaBinomialSymbols,
    CategoricalSymbols,
    CausalSymbols,
    DiscretizedSymbols,
    ScaleRule,
)
from ..symbols.causal import REACH_BITS
from ..symbols.cells import LOCATION_BITS
from ..symbols.counts import MEAN_BITS
from ..symbols.family import AbstractFamily
from ..symbols.scales import SCALE_BITS
from .group import Group, Made, array, check_levels, fixed_levels
from .networks import integer_network
from .precision import Outputs, Precision
from .scales import scale_rule, take_rule

_LOGISTIC = math.sqrt(3.0) / math.pi
_CAUSAL_LEAST, _CAUSAL_MOST = 0.02, 10  # smallest scale, and largest log of its growth


def cells(group: Group, precision: Precision) -> Made:
    """``DiscretizedLogistic`` and ``DiscretizedGaussian``."""
    del precision
    group.check_whole()
    noise, d, own = group.noise, group.d, group.noise.cells
    levels, m = check_levels(own.levels), own.mixture
    spread, center = (np.broadcast_to(array(a), (d,)) for a in (own.spread, own.center))
    offsets = np.linspace(-1.0, 1.0, m) if m > 1 else np.zeros(1)
    times, plus = np.ones((noise.n_raw, d)), np.zeros((noise.n_raw, d))
    times[:m], plus[:m] = spread, center + spread * offsets[:, None]
    bits = np.full(noise.n_raw, RAW_BITS)
    bits[:m] = LOCATION_BITS
    rule = scale_rule(own.scale, d, _LOGISTIC if noise.base == "logistic" else 1.0)

    def make(at: np.ndarray) -> AbstractFamily:
        return DiscretizedSymbols(noise.base, len(at), levels, m, take_rule(rule, at))

    return Made(make, times, plus, bits, _zeros(d), fixed_levels(own.constants, levels))


def bernoulli(group: Group, precision: Precision) -> Made:
    """``Bernoulli``: two levels of a logistic of scale one at ½ + log odds."""
    del precision
    group.check_whole()
    d = group.d
    one = np.full(d, 1 << SCALE_BITS, np.int64)
    plus = 0.5 + np.broadcast_to(array(group.noise.start), (d,))[None]

    def make(at: np.ndarray) -> AbstractFamily:
        return DiscretizedSymbols("logistic", len(at), 2, 1, ScaleRule(one[at]))

    fixed = fixed_levels(group.noise.constants, 2)
    return Made(make, np.ones((1, d)), plus, np.array([LOCATION_BITS]), _zeros(d), fixed)


def categorical(group: Group, precision: Precision) -> Made:
    """``Categorical``."""
    del precision
    group.check_whole()
    levels, d, shares = check_levels(group.noise.levels), group.d, group.noise.shares
    blocks = np.ones((levels, d))
    plus = 0.0 * blocks if shares is None else np.broadcast_to(array(shares), blocks.shape)

    def make(at: np.ndarray) -> AbstractFamily:
        return CategoricalSymbols(len(at), levels)

    bits = np.full(levels, RAW_BITS)
    fixed = fixed_levels(group.noise.constants, levels)
    return Made(make, blocks, plus, bits, _zeros(d), fixed)


def beta_binomial(group: Group, precision: Precision) -> Made:
    """``BetaBinomial``."""
    del precision
    group.check_whole()
    levels, d = check_levels(group.noise.levels), group.d
    odds, log_total = np.broadcast_to(array(group.noise.start), (2, d))
    totals = np.clip(np.rint(np.exp(log_total) * 2.0**MEAN_BITS), 1, 2.0**50).astype(np.int64)

    def make(at: np.ndarray) -> AbstractFamily:
        return BetaBinomialSymbols(totals[at], levels)

    plus = np.stack([odds, np.zeros(d)])
    bits = np.full(2, RAW_BITS)
    fixed = fixed_levels(group.noise.constants, levels)
    return Made(make, np.ones((2, d)), plus, bits, _zeros(d), fixed)


def causal(group: Group, precision: Precision) -> Made:
    """``CausalLogistic``."""
    group.check_whole()
    noise, d, bits = group.noise, group.d, precision.activation_bits
    levels, c = check_levels(noise.levels), noise.mixture
    network = _causal_network(noise, levels, precision)

    def context(level: np.ndarray) -> np.ndarray:
        units = (level - float(noise.centre)) / float(noise.spread)
        return np.rint(units * 2.0**bits).astype(np.int64)

    contexts = context(np.arange(levels))
    limit = np.full(len(network.layers[0].weight[0]), 2.0 ** (bits + REACH_BITS))
    limit[: noise.window.n_neighbours] = np.abs(contexts).max()
    network.check(limit, name="causal noise")
    # As in CausalMixture: raw zeros have scales wide enough to overlap.
    scale = ScaleRule(
        np.array([round(_CAUSAL_LEAST * 2**SCALE_BITS)]),
        np.array([round((levels - 1) / (4 * c) * 2**SCALE_BITS)]),
        "exp",
        _CAUSAL_MOST,
    )

    def make(own: np.ndarray) -> AbstractFamily:
        fixed = np.zeros(d, np.int64)
        if noise.constants is not None:
            fixed = context(array(noise.constants.value))
            fixed[own] = 0
        grid = tuple(noise.window.grid)
        return CausalSymbols(own, grid, noise.window.size, contexts, fixed, network, c, scale)

    blocks = np.ones((noise.n_raw, d))
    each = np.full(noise.n_raw, bits)
    fixed_ones = fixed_levels(noise.constants, levels)
    return Made(make, blocks, 0.0 * blocks, each, _zeros(d), fixed_ones)


def _causal_network(noise: Any, levels: int, precision: Precision) -> Any:
    last, c = levels - 1, noise.mixture
    times, plus = np.ones(3 * c), np.zeros(3 * c)
    times[:c], plus[:c] = last, last * (np.arange(c) + 0.5) / c
    bits = np.repeat([LOCATION_BITS, RAW_BITS, RAW_BITS], c)
    # The network puts out the weights first.
    take = np.roll(np.arange(3 * c), -c)
    return integer_network(
        noise.network, Outputs(take, times, plus, bits), precision, role="causal noise"
    )


def _zeros(d: int) -> np.ndarray:
    return np.zeros(d, np.int64)
