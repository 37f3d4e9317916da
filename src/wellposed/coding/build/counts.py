"""Noise on counts as families of integer parameters."""

from typing import Any

import numpy as np

from wellposed._errors import SettingError
from wellposed.noise import NegativeBinomial

from ..logs import RAW_BITS
from ..symbols import CountSymbols
from ..symbols.counts import MEAN_BITS
from ..symbols.family import AbstractFamily
from .group import Fixed, Group, Made, array
from .precision import Precision

# Counts up to four times the largest mean have a frequency of their own.
_LEAST_ESCAPE, _MOST_ESCAPE, _MEANS = 16, 256, 4.0
_AROUND = 2048  # of a feature that never varied, counts around its constant
_LEAST_CONCENTRATION = 1e-3


def counts(group: Group, precision: Precision) -> Made:
    """``Poisson`` and ``NegativeBinomial``, independent given z."""
    del precision
    group.check_whole()
    noise, d = group.noise, group.d
    if noise.library:
        raise SettingError(
            f"Counts are coded independently given z; {type(noise).__name__}(library=True) codes a "
            "row's total apart. Train with library=False."
        )
    mean = np.exp(np.broadcast_to(array(noise.start), (d,)))
    sizes, conditional = _concentrations(noise, d)
    whole = _whole(mean)
    own_sizes = None if sizes is None else _whole(sizes)
    escape = int(np.clip(_MEANS * mean.max(), _LEAST_ESCAPE, _MOST_ESCAPE))

    def make(at: np.ndarray) -> AbstractFamily:
        own = None if own_sizes is None else own_sizes[at]
        return CountSymbols(whole[at], own, conditional, escape)

    blocks = np.ones((noise.n_raw, d))
    bits = np.full(noise.n_raw, RAW_BITS)
    return Made(make, blocks, 0.0 * blocks, bits, np.zeros(d, np.int64), _fixed(noise.constants))


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
