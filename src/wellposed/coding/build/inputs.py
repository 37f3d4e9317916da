"""A model's encoder input, as a map of symbols."""

import dataclasses
from typing import Any

import numpy as np

from wellposed.models import Reach
from wellposed.noise import NegativeBinomial, Poisson
from wellposed.noise.positive.amounts import ZERO_INPUT

from ..inputs import SIZE_BITS, Inputs
from .amounts import law_of
from .group import Group, array, zero_symbols

# Heavy tails are compressed from ten spreads on; further, an input tells hardly more.
_FAR = 12.0
_MOST = 1024.0
_OF_SIZES = ("sizes", "size_weights")


def integer_inputs(groups: list[Group], reach: Reach | None, d: int, bits: int) -> Inputs:
    """Return the inputs of all columns, in the encoder's units and within its reach.

    Parameters
    ----------
    groups : that together have each of the columns once
    reach : of the model, in units of whose data ``Group.base + Group.step·symbol`` is affine
    d : number of columns
    bits : fractional bits of the inputs
    """
    times, plus, low, high = (np.zeros(d) for _ in range(4))
    logs, zeros, at_zero = (np.zeros(d, np.int64) for _ in range(3))
    for group in groups:
        at = group.columns
        law = law_of(group.noise)
        if law is not None:
            center, spread = array(law.data.log_mean), array(law.data.log_spread)
            times[at], plus[at] = 1.0 / spread, (np.log(group.step) - center) / spread
            low[at], high[at], logs[at] = -_FAR, _FAR, 2
            zeros[at], at_zero[at] = zero_symbols(group), round(ZERO_INPUT * 2.0**bits)
            continue
        center, spread = _units(group)
        times[at], plus[at] = group.step / spread, (group.base - center) / spread
        ends = _ends(group, reach, center, spread)
        logs[at] = _in_logs(group)
        low[at], high[at] = (np.clip(end, -_MOST, _MOST) for end in ends)
    made = Inputs.rounded(times, plus, low, high, logs, bits=bits)
    if (logs == 2).any():
        made = dataclasses.replace(made, zeros=zeros, at_zero=at_zero)
    return _with_totals(made, [group for group in groups if _has_totals(group)])


def _with_totals(made: Inputs, groups: list[Group]) -> Inputs:
    """Return inputs whose counts are relative to the sizes of their rows."""
    if not groups:
        return made
    totals, sizes, weights = np.zeros(len(made.low), np.int64), [], []
    for g, group in enumerate(groups, 1):
        shown = group.noise.shown
        totals[group.columns] = np.where(np.asarray(shown.varies), g, -g)
        sizes.append(float(shown.size) + 0.5)
        weights.append(float(shown.spread) / np.sqrt(group.d))
    whole = (np.rint(np.array(each) * 2.0**SIZE_BITS).astype(np.int64) for each in (sizes, weights))
    return dataclasses.replace(made, totals=totals, **dict(zip(_OF_SIZES, whole, strict=True)))


def _has_totals(group: Group) -> bool:
    return _in_logs(group) and group.noise.shown.size is not None


def _in_logs(group: Group) -> bool:
    """Whether the encoder has log(1 + y) of the group's columns."""
    return isinstance(group.noise, Poisson | NegativeBinomial)


def _units(group: Group) -> tuple[np.ndarray, np.ndarray]:
    """Centre and spread of the encoder's units, in those of the noise."""
    shown: Any = getattr(group.noise, "shown", None)
    if shown is not None:
        center, spread = shown.center, shown.spread
    else:
        units: Any = getattr(group.noise, "centred", None)
        center, spread = (0.0, 1.0) if units is None else (units.mean, units.scale)
    shape = (group.d,)
    return np.broadcast_to(array(center), shape), np.broadcast_to(array(spread), shape)


def _ends(
    group: Group, reach: Reach | None, center: np.ndarray, spread: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Smallest and largest input."""
    far = _FAR if group.noise.heavy_tailed else _MOST
    low, high = np.full(group.d, -far), np.full(group.d, far)
    if np.isfinite(group.noise.support.high):
        low = np.maximum(low, -center / spread)
        high = np.minimum(high, (float(group.noise.support.high) - center) / spread)
    if reach is not None and not _in_logs(group):
        middle, limit = group.in_units(array(reach.center)), group.lengths(array(reach.limit))
        middle, limit = (middle - center) / spread, 2 * limit / spread
        low, high = np.maximum(low, middle - limit), np.minimum(high, middle + limit)
        low, high = np.minimum(low, middle), np.maximum(high, middle)
    return low, high
