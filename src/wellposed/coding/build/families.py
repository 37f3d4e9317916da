"""Trained noise as families of integer parameters, and the decoder's outputs that they need."""

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from wellposed._errors import SettingError
from wellposed.noise import (
    AbstractNoise,
    CausalLogistic,
    DiscretizedGaussian,
    DiscretizedLogistic,
)

from ..latents import PLACE_BITS
from ..logs import RAW_BITS
from ..symbols import CausalSymbols, ConstantSymbols, DiscretizedSymbols, Part, ScaleRule
from ..symbols.causal import REACH_BITS
from ..symbols.cells import LOCATION_BITS
from ..symbols.family import AbstractFamily
from ..symbols.scales import SCALE_BITS
from .networks import Outputs, Precision, integer_network

_LOGISTIC = math.sqrt(3.0) / math.pi
_MOST_LEVELS = 1024
_CAUSAL_LEAST, _CAUSAL_MOST = 0.02, 10  # smallest scale, and largest log of its growth


@dataclasses.dataclass(frozen=True)
class Family:
    """A family of the features that vary, and its blocks of outputs.

    Parameters
    ----------
    make : from positions of features, shape (d',), to the family of these
    times, plus : of each block, shape (n_raw, d)
    bits : fractional bits of each block, shape (n_raw,)
    """

    make: Callable[[np.ndarray], AbstractFamily]
    times: np.ndarray
    plus: np.ndarray
    bits: np.ndarray


def parts_of(
    noise: AbstractNoise, d: int, precision: Precision
) -> tuple[tuple[Part, ...], Outputs]:
    """Return the groups of features, and the decoder's outputs that they need.

    Raises
    ------
    SettingError
        For noise that has no family of integers.
    """
    make = _MAKERS.get(type(noise))
    if make is None:
        known = ", ".join(sorted(each.__name__ for each in _MAKERS))
        raise SettingError(
            f"An integer model needs noise on whole numbers; got {type(noise).__name__}. Train "
            f"with one of {known}."
        )
    family, constants, levels = make(noise, d, precision)
    varies = np.ones(d, bool) if constants is None else np.asarray(constants.varies)
    own = np.flatnonzero(varies)
    parts, outputs = [], _outputs(family, own, d)
    if own.size:
        parts.append(Part(family.make(own), own, 0, len(outputs.take)))
    if constants is not None:
        others = np.flatnonzero(~varies)
        value = np.rint(np.asarray(constants.value, np.float64)[others])
        constant = ConstantSymbols.of(value, constants.n, levels)
        parts.append(Part(constant, others, 0, 0))
    return tuple(parts), outputs


def _outputs(family: Family, own: np.ndarray, d: int) -> Outputs:
    blocks = [
        Outputs(i * d + own, family.times[i, own], family.plus[i, own], np.full(len(own), bits))
        for i, bits in enumerate(family.bits)
    ]
    return Outputs.join(blocks)


def _cells(noise: Any, d: int, precision: Precision) -> tuple[Family, Any, int]:
    del precision
    cells = noise.cells
    levels, m = check_levels(cells.levels), cells.mixture
    spread, center = (np.broadcast_to(array(a), (d,)) for a in (cells.spread, cells.center))
    offsets = np.linspace(-1.0, 1.0, m) if m > 1 else np.zeros(1)
    times, plus = np.ones((noise.n_raw, d)), np.zeros((noise.n_raw, d))
    times[:m], plus[:m] = spread, center + spread * offsets[:, None]
    bits = np.full(noise.n_raw, RAW_BITS)
    bits[:m] = LOCATION_BITS
    rule = scale_rule(cells.scale, d, _LOGISTIC if noise.base == "logistic" else 1.0)

    def make(own: np.ndarray) -> AbstractFamily:
        return DiscretizedSymbols(noise.base, len(own), levels, m, take_rule(rule, own))

    return Family(make, times, plus, bits), cells.constants, levels


def _causal(noise: Any, d: int, precision: Precision) -> tuple[Family, Any, int]:
    levels, c, bits = check_levels(noise.levels), noise.mixture, precision.activation_bits
    last = levels - 1
    # As in CausalMixture: raw zeros spread the components over the levels.
    scale = ScaleRule(
        np.array([round(_CAUSAL_LEAST * 2**SCALE_BITS)]),
        np.array([round(last / (4 * c) * 2**SCALE_BITS)]),
        "exp",
        _CAUSAL_MOST,
    )
    times, plus = np.ones(3 * c), np.zeros(3 * c)
    times[:c], plus[:c] = last, last * (np.arange(c) + 0.5) / c
    out_bits = np.repeat([LOCATION_BITS, RAW_BITS, RAW_BITS], c)
    # The network puts out the weights first.
    take = np.roll(np.arange(3 * c), -c)
    outputs = Outputs(take, times, plus, out_bits)
    network = integer_network(noise.network, outputs, precision, role="causal noise")

    def context(level: np.ndarray) -> np.ndarray:
        units = (level - float(noise.centre)) / float(noise.spread)
        return np.rint(units * 2.0**bits).astype(np.int64)

    contexts = context(np.arange(levels))
    limit = np.full(len(network.layers[0].weight[0]), 2.0 ** (bits + REACH_BITS))
    limit[: noise.window.n_neighbours] = np.abs(contexts).max()
    network.check(limit, name="causal noise")

    def make(own: np.ndarray) -> AbstractFamily:
        fixed = np.zeros(d, np.int64)
        if noise.constants is not None:
            fixed = context(array(noise.constants.value))
            fixed[own] = 0
        grid = tuple(noise.window.grid)
        return CausalSymbols(own, grid, noise.window.size, contexts, fixed, network, c, scale)

    blocks = np.ones((noise.n_raw, d))
    family = Family(make, blocks, 0.0 * blocks, np.full(noise.n_raw, bits))
    return family, noise.constants, levels


def scale_rule(scale: Any, d: int, factor: float) -> ScaleRule:
    """Return the rule of d features of a noise's scale, times a factor."""

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


def check_levels(levels: int | None) -> int:
    """Return the number of levels, or raise ``SettingError``."""
    if levels is None or not 2 <= levels <= _MOST_LEVELS:
        raise SettingError(
            f"An integer model codes 2 to {_MOST_LEVELS} levels; the noise has {levels}. Fit the "
            "model, or use noise for counts."
        )
    return levels


def array(leaf: Any) -> np.ndarray:
    """Return a leaf on the host, in float64."""
    return np.asarray(leaf, np.float64)


def posterior_outputs(k: int) -> Outputs:
    """Return the outputs of an encoder of k latents: means, then raw scales."""
    bits = np.repeat([PLACE_BITS, RAW_BITS], k)
    return Outputs(np.arange(2 * k), np.ones(2 * k), np.zeros(2 * k), bits)


_MAKERS: dict[type, Callable[[Any, int, Precision], tuple[Family, Any, int]]] = {
    CausalLogistic: _causal,
    DiscretizedLogistic: _cells,
    DiscretizedGaussian: _cells,
}
