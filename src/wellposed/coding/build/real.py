"""Noise on the real line, integrated over the resolution, as families of integer parameters."""

import dataclasses
import math
from typing import Any

import numpy as np

from wellposed._errors import SettingError, named_features

from ..logs import RAW_BITS
from ..symbols import CausalGaussianSymbols, LowRankSymbols, RealSymbols
from ..symbols.causal_gaussian import WEIGHT_BITS
from ..symbols.family import AbstractFamily
from ..symbols.real import FINE, PLACE_BITS, STEP_BITS, Degrees
from ..symbols.student import INVERSE_BITS
from .group import Fixed, Group, Made, array
from .precision import Precision
from .scales import scale_rule, take_rule

# Symbols that have a code: as far as 64 spreads from the middle and no more than 2^20, but where
# these are less than 8 spreads, up to 2^22. Each takes 2^-28 of the probability.
_SPREADS = 64.0
_LEAST_SPREADS = 8.0
_MOST_SYMBOLS, _MOST_OF_FINE = 2**20, 2**22
# Of a feature that never varied, symbols around its constant.
_AROUND = 2048


def gaussian(group: Group, precision: Precision) -> Made:
    """``Gaussian``."""
    del precision
    units = group.noise.centred
    center = 0.0 if units is None else array(units.mean)
    spread = 1.0 if units is None else array(units.scale)
    return _real(group, "normal", center, spread, 1.0)


def laplace(group: Group, precision: Precision) -> Made:
    """``Laplace``."""
    del precision
    return _real(group, "laplace", 0.0, 1.0, 1.0 / math.sqrt(2.0))


def student_t(group: Group, precision: Precision) -> Made:
    """``StudentT``."""
    del precision
    own, d = group.noise.degrees, group.d
    if own.kind == "conditional":
        degrees = Degrees(None, f"degrees:{float(own.least):.6f}")
    else:
        known = np.broadcast_to(array(own.known()), (d,))
        degrees = Degrees(np.rint(2.0**INVERSE_BITS / known).astype(np.int64))
    return _real(group, "student", 0.0, 1.0, 1.0, degrees)


def causal_gaussian(group: Group, precision: Precision) -> Made:
    """``CausalGaussian``."""
    del precision
    noise, d = group.noise, group.d
    made, window = _real(group, "normal", 0.0, 1.0, 1.0), group.noise.window
    weights = None
    if noise.weights is not None:
        own = array(noise.weights).reshape(window.n_neighbours, -1)
        share = own / (1 + np.abs(own).sum(axis=0))
        whole = np.rint(share * 2.0**WEIGHT_BITS).astype(np.int64)
        weights = np.broadcast_to(whole, (window.n_neighbours, d))

    def make(at: np.ndarray) -> AbstractFamily:
        real: Any = made.make(at)
        own_weights = None if weights is None else weights[:, at]
        return CausalGaussianSymbols(real, at, tuple(window.grid), window.size, own_weights)

    return dataclasses.replace(made, make=make)


def low_rank(group: Group, precision: Precision) -> Made:
    """``LowRankGaussian``."""
    del precision
    noise, made = group.noise, _real(group, "normal", 0.0, 1.0, 1.0)
    rank, times, bits = noise.rank, made.times.copy(), made.bits.copy()
    unit = 1.0 if noise.unit is None else array(noise.unit)
    times[1 : 1 + rank], bits[1 : 1 + rank] = unit * FINE, PLACE_BITS

    def make(at: np.ndarray) -> AbstractFamily:
        real: Any = made.make(at)
        return LowRankSymbols(real, rank)

    return dataclasses.replace(made, make=make, times=times, bits=bits)


def _real(
    group: Group,
    base: str,
    center: Any,
    spread: Any,
    factor: float,
    degrees: Degrees | None = None,
) -> Made:
    """Places are (y − center)/spread, in 1/FINE."""
    noise, d = group.noise, group.d
    center, spread = (np.broadcast_to(array(a), (d,)) for a in (center, spread))
    step, start = group.step / spread, (group.base - center) / spread
    reach = np.minimum(np.floor(_SPREADS / step), _MOST_SYMBOLS // 2)
    reach = np.maximum(reach, np.minimum(np.ceil(_LEAST_SPREADS / step), _MOST_OF_FINE // 2))
    _check_resolution(group, reach * step)
    middle = np.rint(-start / step)
    low = (middle - reach).astype(np.int64)
    counts = (2 * reach + 1).astype(np.int64)
    steps = np.rint(step * FINE * 2.0 ** (PLACE_BITS + STEP_BITS)).astype(np.int64)
    first = np.rint((start + (low - 0.5) * step) * FINE * 2.0**PLACE_BITS).astype(np.int64)
    rule = scale_rule(noise.scale, d, factor * FINE / spread)

    def make(at: np.ndarray) -> AbstractFamily:
        own = None if degrees is None else degrees.take(at)
        return RealSymbols(base, counts[at], steps[at], first[at], take_rule(rule, at), own)

    times, plus = np.ones((noise.n_raw, d)), np.zeros((noise.n_raw, d))
    times[0] = FINE
    bits = np.full(noise.n_raw, RAW_BITS)
    bits[0] = PLACE_BITS
    return Made(make, times, plus, bits, low, _fixed(group))


def _check_resolution(group: Group, reached: np.ndarray) -> None:
    short = np.flatnonzero(~(reached >= _LEAST_SPREADS))
    if short.size:
        raise SettingError(
            f"A resolution must be at least 2^-18 of a column's spread, and at most 8 spreads; "
            f"columns {named_features(group.columns[short])} have another. Give the resolution of "
            "the measurement, or store these columns apart."
        )


def _fixed(group: Group) -> Fixed | None:
    constants = group.noise.constants
    if constants is None:
        return None
    value = np.rint((array(constants.value) - group.base) / group.step).astype(np.int64)
    levels = 2 * _AROUND + 1
    others = 1.0 / ((constants.n + 2) * (levels - 1))
    return Fixed(np.asarray(constants.varies), value, value - _AROUND, levels, others)
