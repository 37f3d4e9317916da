"""Logistics and normals, and mixtures of them, cut into cells of width one."""

import dataclasses
from typing import Any

import numpy as np
from scipy.special import ndtri

from ..integer import Curve, curve
from ..search import Intervals, bisect, near
from .family import AbstractFamily, AbstractReader, tiles
from .scales import RATE_BITS, SCALE_BITS, ScaleRule, rates
from .weights import WEIGHT_BITS, weights

LOCATION_BITS = 10
_KNOTS = 64  # to a scale
_FAR = {"logistic": 20, "normal": 8}  # scales beyond which a tail has nothing
_TABLE = {"logistic": "sigmoid", "normal": "normal"}
_TO_KNOTS = _KNOTS * 2.0 ** -(LOCATION_BITS + RATE_BITS)
_BEYOND = 4  # times the number of levels: locations are kept within, so that no product rounds
_OUTSIDE = 2.0**40  # an edge beyond all locations


@dataclasses.dataclass
class Cells:
    """Parameters of some features in some rows: of each component arrays of shape (d', m)."""

    locations: list[np.ndarray]
    scales: list[np.ndarray]
    rates: list[np.ndarray]
    weights: list[np.ndarray] | None

    def feature(self, j: int) -> "Cells":
        """Return those of one feature, shape (m,)."""
        own = None if self.weights is None else [each[j] for each in self.weights]
        locations, scales, rates = (
            [each[j] for each in curves] for curves in (self.locations, self.scales, self.rates)
        )
        return Cells(locations, scales, rates, own)


class DiscretizedSymbols(AbstractFamily):
    """Levels 0, …, L − 1 from curves cut into cells: ``DiscretizedLogistic`` and ``…Gaussian``.

    The decoder's outputs are m blocks of locations in levels, m of raw scales where scales depend
    on z, and m of log weights where m > 1; each block has d rows.

    Parameters
    ----------
    base : "logistic" or "normal"
    d, levels, mixture : features, L and m
    scale : ScaleRule of d features
    """

    kind = "cells"
    bits = 24

    def __init__(self, base: str, d: int, levels: int, mixture: int, scale: ScaleRule):
        self.base, self.d, self.levels, self.mixture, self.scale = base, d, levels, mixture, scale
        self.curve = cells_curve(base, levels, self.bits)
        self.edges = cell_edges(levels)

    def outside(self, symbols: np.ndarray) -> np.ndarray:
        return (symbols < 0) | (symbols >= self.levels)

    def cells(self, outputs: np.ndarray, at: slice) -> Cells:
        """Return the parameters of the features in a slice."""
        d, m = self.d, self.mixture
        first, last, _ = at.indices(d)
        blocks = [outputs[i * d + first : i * d + last] for i in range(len(outputs) // d)]
        with_z = self.scale.times is not None
        raw = blocks[m : 2 * m] if with_z else [None] * m
        scales = [
            np.broadcast_to(self.scale.scales(each, at), (last - first, outputs.shape[1]))
            for each in raw
        ]
        log_weights = blocks[-m:] if m > 1 else None
        reach = _BEYOND * self.levels * 2.0**LOCATION_BITS
        return Cells(
            [np.clip(each, -reach, reach) for each in blocks[:m]],
            scales,
            [rates(each) for each in scales],
            None if log_weights is None else weights(log_weights),
        )

    def intervals(self, outputs: np.ndarray, symbols: np.ndarray) -> Intervals:
        below, above = np.empty(symbols.shape), np.empty(symbols.shape)
        for at in tiles(*symbols.shape):
            cells = self.cells(outputs, at)
            below[at] = below_level(self.curve, self.edges, cells, symbols[at])
            above[at] = below_level(self.curve, self.edges, cells, symbols[at] + 1)
        return Intervals.between(symbols, below, above)

    def reader(self, outputs: np.ndarray) -> AbstractReader:
        return _Reader(self, self.cells(outputs, slice(None)))

    def state(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "base": self.base,
            "d": self.d,
            "levels": self.levels,
            "mixture": self.mixture,
            "scale": self.scale.state(),
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "DiscretizedSymbols":
        """Undo :meth:`state`."""
        scale = ScaleRule(**state["scale"])
        return cls(state["base"], state["d"], state["levels"], state["mixture"], scale)


class _Reader(AbstractReader):
    def __init__(self, family: DiscretizedSymbols, cells: Cells):
        self._family, self._cells = family, cells

    def find(self, j: int, target: np.ndarray) -> Intervals:
        family = self._family
        return find_level(
            family.curve, family.edges, self._cells.feature(j), target, family.base, family.levels
        )


def cells_curve(base: str, levels: int, bits: int) -> Curve:
    """Return a distribution function that leaves one of 2^bits for each level."""
    far = _FAR[base]
    return curve(_TABLE[base], -far, far, per_unit=_KNOTS, scale=(1 << bits) - levels)


def cell_edges(levels: int) -> np.ndarray:
    """Return the lower edges of the levels and the end, in 2^-10, the first and last far off."""
    edges = np.arange(levels + 1) * 2.0**LOCATION_BITS - 2.0 ** (LOCATION_BITS - 1)
    edges[0], edges[-1] = -_OUTSIDE, _OUTSIDE
    return edges


def below_level(
    table: Curve, edges: np.ndarray, cells: Cells, level: np.ndarray, at: np.ndarray | None = None
) -> np.ndarray:
    """Return the cumulative frequency below each level: a level adds at least one."""
    edge = edges.take(level)
    offset = -table.low * _KNOTS

    def of(i: int) -> np.ndarray:
        location, rate = cells.locations[i], cells.rates[i]
        if at is not None:
            location, rate = location.take(at), rate.take(at)
        point = edge - location
        point *= rate
        point *= _TO_KNOTS
        point += offset
        return table.at(point)

    if cells.weights is None:
        total = of(0)
    else:
        total = np.zeros(level.shape)
        for i, weight in enumerate(cells.weights):
            total += of(i) * (weight if at is None else weight.take(at))
        total *= 2.0**-WEIGHT_BITS
        np.floor(total, out=total)
    total += level
    return total


def find_level(
    table: Curve, edges: np.ndarray, cells: Cells, target: np.ndarray, base: str, levels: int
) -> Intervals:
    """Return the levels whose intervals hold the targets."""

    def below(level: np.ndarray, at: np.ndarray | None) -> np.ndarray:
        return below_level(table, edges, cells, level, at)

    if cells.weights is not None:
        return bisect(below, target, levels)
    share = (target + 0.5) * 2.0**-DiscretizedSymbols.bits
    away = np.log(share / (1.0 - share)) if base == "logistic" else ndtri(share)
    away *= cells.scales[0] * 2.0**-SCALE_BITS
    away += cells.locations[0] * 2.0**-LOCATION_BITS
    return near(below, target, np.clip(np.rint(away), 0, levels - 1), levels)
