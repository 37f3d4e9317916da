"""Noise on amounts, integrated over the resolution, as families of integer parameters."""

import dataclasses
import math
from typing import Any

import numpy as np

from wellposed._errors import SettingError, named_features
from wellposed.noise import Gamma, ZeroInflated
from wellposed.noise.parts.scale import LEAST
from wellposed.noise.positive.amounts import AbstractAmount

from ..logs import RAW_BITS
from ..symbols import AmountSymbols, GammaSymbols, ScaleRule, ZeroInflatedSymbols
from ..symbols.amounts import GAUGE_BITS
from ..symbols.family import AbstractFamily
from ..symbols.real import FINE, PLACE_BITS
from ..symbols.scales import SCALE_BITS
from .group import Group, Made, array, zero_symbols
from .precision import Precision
from .scales import scale_rule, take_rule

# Steps that have a code: as far as this many spreads of the logarithms, and no more than 2^20.
_SPREADS = 12.0
_LEAST_SPREADS = 2.0
_MOST_STEPS = 2**20
_LARGEST_LOG = 700.0


def log_normal(group: Group, precision: Precision) -> Made:
    """``LogNormal``."""
    del precision
    return _amounts(group, group.noise)


def gamma(group: Group, precision: Precision) -> Made:
    """``Gamma``."""
    del precision
    return _amounts(group, group.noise)


def zero_inflated(group: Group, precision: Precision) -> Made:
    """``ZeroInflated``."""
    del precision
    noise = group.noise
    made = _amounts(group, noise.noise)
    logits = np.rint(array(noise.logit) * 2.0**RAW_BITS).astype(np.int64)
    free = (~np.asarray(noise.given)).astype(np.float64)

    def make(at: np.ndarray) -> AbstractFamily:
        own: Any = made.make(at)
        return ZeroInflatedSymbols(logits[at], own)

    times, plus = np.vstack([free, made.times]), np.vstack([0.0 * free, made.plus])
    return Made(make, times, plus, np.append(RAW_BITS, made.bits), made.low - 1, None)


def law_of(noise: Any) -> Any:
    """Return the noise of the amounts above zero; None for noise on other numbers."""
    law = noise.noise if isinstance(noise, ZeroInflated) else noise
    return law if isinstance(law, AbstractAmount) else None


def _amounts(group: Group, noise: Any) -> Made:
    """Places are (log y − start)/spread, in 1/FINE; the start is a median, or a gamma's mean."""
    data, d = noise.data, group.d
    varies = np.asarray(data.varies)
    # On the host, and not by the noise: a model is rounded alike with any version of JAX.
    center = np.log(array(data.mean)) if isinstance(noise, Gamma) else array(data.log_mean)
    spread = array(data.log_spread)
    per_spread = FINE * 2.0**PLACE_BITS
    first = np.rint((np.log(group.step) - center) / spread * per_spread).astype(np.int64)
    octave = math.log(2.0) / spread * per_spread * 2.0**GAUGE_BITS
    steps = np.rint(octave).astype(np.int64)
    _check_resolution(group, center, spread)
    most = np.exp(np.minimum(center + _SPREADS * spread, _LARGEST_LOG)) / group.step
    counts = np.clip(np.ceil(most), 1, _MOST_STEPS).astype(np.int64)
    rule = _rule(noise, varies, array(data.rounding), spread)

    def make(at: np.ndarray) -> AbstractFamily:
        own = AmountSymbols("normal", counts[at], steps[at], first[at], take_rule(rule, at))
        return GammaSymbols(own) if isinstance(noise, Gamma) else own

    times, plus = np.ones((noise.n_raw, d)), np.zeros((noise.n_raw, d))
    times[0] = np.where(varies, FINE, 0.0)
    bits = np.full(noise.n_raw, RAW_BITS)
    bits[0] = PLACE_BITS
    return Made(make, times, plus, bits, zero_symbols(group) + 1, None)


def _rule(noise: Any, varies: np.ndarray, rounding: np.ndarray, spread: np.ndarray) -> ScaleRule:
    """The noise's scale; its rounding for a feature that never varies."""
    rule = scale_rule(noise.scale, len(varies), FINE / spread)
    constant = np.maximum(rounding, LEAST) * FINE / spread * 2.0**SCALE_BITS
    floor = np.where(varies, rule.floor, np.rint(constant).astype(np.int64))
    times = None if rule.times is None else np.where(varies, rule.times, 0)
    return dataclasses.replace(rule, floor=floor, times=times)


def _check_resolution(group: Group, center: np.ndarray, spread: np.ndarray) -> None:
    """Refuse steps of which usual amounts have more than there are codes."""
    usual = center + _LEAST_SPREADS * spread - np.log(group.step)
    short = np.flatnonzero(~(usual < math.log(_MOST_STEPS)))
    if short.size:
        raise SettingError(
            f"Amounts must be below 2^20 steps of their resolution; of columns "
            f"{named_features(group.columns[short])} usual ones are not. Give the resolution of "
            "the measurement, or store these columns apart."
        )
