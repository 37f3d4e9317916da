"""Noise on counts as families of integer parameters."""

from typing import Any

import numpy as np

from wellposed.noise import NegativeBinomial

from ..logs import RAW_BITS
from ..symbols import CompositionSymbols, CountSymbols
from ..symbols.counts import MEAN_BITS
from ..symbols.family import AnySymbols
from ..totals import Totals
from .group import Fixed, Group, Made, array
from .precision import Precision

# Counts up to four times the largest mean have a frequency of their own.
_LEAST_ESCAPE, _MOST_ESCAPE, _MEANS = 16, 256, 4.0
_WIDE = 16.0  # of a feature of a composition, up to so many times its own mean
_AROUND = 2048  # of a feature that never varied, counts around its constant
_LEAST_CONCENTRATION = 1e-3


def counts(group: Group, precision: Precision) -> Made:
    """``Poisson`` and ``NegativeBinomial``, independent given z or of a total."""
    del precision
    group.check_whole()
    if group.noise.size is not None:
        return _composition(group)
    noise, d = group.noise, group.d
    mean = np.exp(np.broadcast_to(array(noise.start), (d,)))
    sizes, conditional = _concentrations(noise, d)
    whole = _whole(mean)
    own_sizes = None if sizes is None else _whole(sizes)
    escape = int(np.clip(_MEANS * mean.max(), _LEAST_ESCAPE, _MOST_ESCAPE))

    def make(at: np.ndarray) -> AnySymbols:
        own = None if own_sizes is None else own_sizes[at]
        return CountSymbols(whole[at], own, conditional, escape)

    blocks = np.ones((noise.n_raw, d))
    bits = np.full(noise.n_raw, RAW_BITS)
    return Made(make, blocks, 0.0 * blocks, bits, np.zeros(d, np.int64), _fixed(noise.constants))


def _composition(group: Group) -> Made:
    """Counts with ``library=True``."""
    noise, d = group.noise, group.d
    start = np.broadcast_to(array(noise.start), (d,))
    log_mean, log_size = array(noise.size.start) + _log_growth(array(noise.size.rho))
    law = _whole(np.exp([log_mean, log_size]) + np.array([0.0, _LEAST_CONCENTRATION]))
    totals = Totals(int(law[0]), int(law[1]))
    sizes, _ = _concentrations(noise, 1)
    concentration = None if sizes is None else int(_whole(sizes)[0])
    escapes = np.clip(np.ceil(_WIDE * np.exp(start)) + _LEAST_ESCAPE, 0, _MOST_ESCAPE)

    def make(at: np.ndarray) -> AnySymbols:
        return CompositionSymbols(totals, concentration, escapes[at].astype(np.int64))

    bits = np.array([RAW_BITS])
    zeros = np.zeros(d, np.int64)
    return Made(make, np.ones((1, d)), start[None], bits, zeros, _fixed(noise.constants))


def _concentrations(noise: Any, d: int) -> tuple[np.ndarray | None, bool]:
    """Concentrations at raw zero, and whether they depend on z; none of Poisson."""
    if not isinstance(noise, NegativeBinomial):
        return None, False
    own = noise.dispersion
    if own.kind == "conditional":
        return np.exp(np.broadcast_to(array(own.start), (d,))), True
    each = _LEAST_CONCENTRATION + np.exp(array(own.start) + _log_growth(array(own.rho)))
    return np.broadcast_to(each, (d,)), False


def _log_growth(raw: np.ndarray) -> np.ndarray:
    """As :func:`wellposed.numerics.log_growth`, on the host."""
    return np.minimum(raw, 10.0) + np.log1p(np.maximum(raw - 10.0, 0.0))


def _whole(values: np.ndarray) -> np.ndarray:
    """Positive numbers in 2^-20, kept below 2^50."""
    return np.clip(np.rint(values * 2.0**MEAN_BITS), 1, 2.0**50).astype(np.int64)


def _fixed(constants: Any) -> Fixed | None:
    if constants is None:
        return None
    value = np.rint(array(constants.value)).astype(np.int64)
    levels = 2 * _AROUND + 1
    others = 1.0 / ((constants.n + 2) * (levels - 1))
    return Fixed(np.asarray(constants.varies), value, value - _AROUND, levels, others)
