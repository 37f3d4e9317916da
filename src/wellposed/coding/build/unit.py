"""Noise on [0, 1], summed over the resolution, as families of integer parameters."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from wellposed._errors import SettingError, named_features

from ..logs import RAW_BITS
from ..symbols import BetaSymbols, CutSymbols
from ..symbols.family import AnySymbols
from ..symbols.unit import LIMIT_BITS, LOCATION_BITS, MOST_STEPS, WIDTH_BITS
from .group import Fixed, Group, Made, array, zero_symbols
from .precision import Precision
from .scales import scale_rule, take_rule

_MOST_LIMIT = 2.0**30


def beta(group: Group, precision: Precision) -> Made:
    """``Beta``."""
    del precision
    return _by_location(group, BetaSymbols)


def truncated_normal(group: Group, precision: Precision) -> Made:
    """``TruncatedNormal``."""
    del precision
    return _by_location(group, lambda counts, rule, whole: CutSymbols(counts, rule, None, whole))


def continuous_bernoulli(group: Group, precision: Precision) -> Made:
    """``ContinuousBernoulli``."""
    del precision
    noise, steps = group.noise, _Steps.of(group)
    floor = np.broadcast_to(array(noise.floor), (group.d,))
    # Without a floor there is no limit, which zero stands for.
    limits = np.where(floor > 0, np.minimum(1.0 / np.maximum(floor, 1e-30), _MOST_LIMIT), 0.0)
    limits = np.rint(limits * 2.0**LIMIT_BITS).astype(np.int64)

    def make(at: np.ndarray) -> AnySymbols:
        return CutSymbols(steps.counts[at], None, limits[at], steps.dequantised)

    plus = np.broadcast_to(array(noise.eta), (1, group.d))
    return steps.made(group, make, plus, np.array([RAW_BITS]))


def _by_location(group: Group, family: Callable[..., AnySymbols]) -> Made:
    """Noise with a location and a scale; ``family`` is of counts, scales and ``dequantised``."""
    noise, steps = group.noise, _Steps.of(group)
    rule = scale_rule(noise.scale, group.d, 2.0**WIDTH_BITS)

    def make(at: np.ndarray) -> AnySymbols:
        return family(steps.counts[at], take_rule(rule, at), steps.dequantised)

    plus = np.zeros((noise.n_raw, group.d))
    plus[0] = array(noise.logit)
    bits = np.full(noise.n_raw, RAW_BITS)
    bits[0] = LOCATION_BITS
    return steps.made(group, make, plus, bits)


@dataclasses.dataclass(frozen=True)
class _Steps:
    """Steps of [0, 1].

    Parameters
    ----------
    counts : of each feature, int64, shape (d,)
    low : symbols of the first ones, int64, shape (d,)
    dequantised : whether symbols are in the middle of steps that fill [0, 1]
    """

    counts: np.ndarray
    low: np.ndarray
    dequantised: bool

    @classmethod
    def of(cls, group: Group) -> "_Steps":
        """Take them from a group.

        Raises
        ------
        SettingError
            For resolutions that one is no multiple of, finer ones than 2^-14, and offsets.
        """
        steps = np.rint(1.0 / group.step)
        whole = np.abs(steps * group.step - 1.0) < 1e-6
        wrong = np.flatnonzero(~(whole & (steps >= 2) & (steps <= MOST_STEPS)))
        if wrong.size:
            raise SettingError(
                "A resolution of numbers on [0, 1] must be one over a whole number from 2 to 2^14; "
                f"columns {named_features(group.columns[wrong])} have another, the first "
                f"{float(group.step[wrong[0]]):.3g}. Round them, to 0.001 or to 1/255 say, or "
                "store these columns apart."
            )
        half = 0.5 * group.step
        counts, middles = steps.astype(np.int64), dataclasses.replace(group, base=group.base - half)
        if _close(middles):
            return cls(counts, zero_symbols(middles), True)
        return cls(counts + 1, zero_symbols(group), False)

    def made(self, group: Group, make: Any, plus: np.ndarray, bits: np.ndarray) -> Made:
        """Return families of these steps."""
        return Made(make, np.ones_like(plus), plus, bits, self.low, self._fixed(group))

    def _fixed(self, group: Group) -> Fixed | None:
        constants = group.noise.constants
        if constants is None:
            return None
        value = np.rint((array(constants.value) - group.base) / group.step).astype(np.int64)
        levels = int(self.counts.max())
        others = 1.0 / ((constants.n + 2) * (levels - 1))
        return Fixed(np.asarray(constants.varies), value, self.low, levels, others)


def _close(group: Group) -> bool:
    """Whether zero is a multiple of steps from the base of every column."""
    places = group.base / group.step
    return bool((np.abs(places - np.rint(places)) < 1e-3).all())
