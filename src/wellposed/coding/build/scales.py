"""A noise's scale as integers."""

import dataclasses
from typing import Any

import numpy as np

from ..symbols.scales import SCALE_BITS, ScaleRule
from .group import array


def scale_rule(scale: Any, d: int, factor: Any) -> ScaleRule:
    """Return the rule of d features of a noise's scale, times a factor, a number or one each."""

    def whole(values: Any) -> np.ndarray:
        each = np.broadcast_to(array(values), (d,)) * factor * 2.0**SCALE_BITS
        return np.rint(each).astype(np.int64)

    if scale.kind != "conditional":
        return ScaleRule(whole(scale.at_zero(d)))
    if scale.limit is None:
        return ScaleRule(whole(scale.floor), whole(scale.start))
    own = scale.at_zero(d) - np.broadcast_to(array(scale.floor), (d,))
    return ScaleRule(whole(scale.floor), whole(own), f"grown:{float(scale.limit):.6f}")


def take_rule(rule: ScaleRule, own: np.ndarray) -> ScaleRule:
    """Return the rule of some of the features."""
    times = None if rule.times is None else rule.times[own]
    return dataclasses.replace(rule, floor=rule.floor[own], times=times)
