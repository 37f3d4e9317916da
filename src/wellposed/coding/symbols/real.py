"""Real numbers at their resolution: a curve integrated over each step."""

from typing import Any

import numpy as np
from scipy.special import ndtri

from ..integer import curve
from ..search import Intervals, near
from .family import AbstractFamily, AbstractReader, tiles
from .scales import RATE_BITS, ScaleRule, rates

FINE = 256.0  # places are counted in this part of a feature's spread
PLACE_BITS = 12  # and in this many fractional bits of it
STEP_BITS = 16  # further bits of the step from one edge to the next
_KNOTS = 64
_FAR = {"normal": 8, "laplace": 24}
_POINT_BITS = 20  # fractional bits of a point on the curve
_TO_POINT = _KNOTS * 2.0 ** (_POINT_BITS - PLACE_BITS - RATE_BITS)
_MOST_RATE = 2.0**27  # with places below 2^26 no product rounds
_MOST_PLACE = 2.0**25


class RealSymbols(AbstractFamily):
    """Steps 0, …, n_j − 1 of real features with Gaussian or Laplace noise.

    The decoder's outputs are d locations, in 2^-12 of places, and d raw scales where scales
    depend on z.

    Parameters
    ----------
    base : "normal" or "laplace"
    counts : n, int64, shape (d,)
    steps : from edge to edge, int64, shape (d,), in 2^-28 of places
    first : lower edges of step 0, int64, shape (d,), in 2^-12
    scale : ScaleRule of d features, in places
    """

    kind = "real"
    bits = 28

    def __init__(
        self, base: str, counts: np.ndarray, steps: np.ndarray, first: np.ndarray, scale: ScaleRule
    ):
        self.base, self.counts, self.steps, self.first = base, counts, steps, first
        self.scale, self.d = scale, len(counts)
        far, name = _FAR[base], base
        total = (1 << self.bits) - int(counts.max(initial=1))
        self._table = curve(name, -far, far, per_unit=_KNOTS, scale=total)
        self._offset = float(far * _KNOTS)
        self._step = steps * 2.0**-STEP_BITS

    def outside(self, symbols: np.ndarray) -> np.ndarray:
        return (symbols < 0) | (symbols >= self.counts)

    def parameters(self, outputs: np.ndarray, at: slice) -> tuple[np.ndarray, ...]:
        """Return locations, scales and rates of the features in a slice, each (d', m)."""
        blocks = outputs.reshape(-1, self.d, outputs.shape[1])[:, at]
        raw = None if self.scale.times is None else blocks[1]
        scales = np.broadcast_to(self.scale.scales(raw, at), blocks[0].shape)
        location = np.clip(blocks[0], -_MOST_PLACE, _MOST_PLACE)
        return location, scales, np.minimum(rates(scales), _MOST_RATE)

    def below(
        self, j: Any, symbol: np.ndarray, location: np.ndarray, rate: np.ndarray
    ) -> np.ndarray:
        """Return the cumulative frequency below symbols: each adds at least one.

        ``j`` selects features: a number for arrays (m,), or a pair for arrays (d', m).
        """
        point = np.floor(symbol * self._step[j])
        point += self.first[j] - location
        np.clip(point, -2 * _MOST_PLACE, 2 * _MOST_PLACE, out=point)
        point *= rate
        point *= _TO_POINT
        np.floor(point, out=point)
        point *= 2.0**-_POINT_BITS
        point += self._offset
        total = self._table.at(point)
        total += symbol
        total[symbol <= 0] = 0.0
        np.copyto(total, float(1 << self.bits), where=symbol >= self.counts[j])
        return total

    def intervals(self, outputs: np.ndarray, symbols: np.ndarray) -> Intervals:
        below, above = np.empty(symbols.shape), np.empty(symbols.shape)
        for at in tiles(*symbols.shape):
            location, _, rate = self.parameters(outputs, at)
            below[at] = self.below((at, None), symbols[at], location, rate)
            above[at] = self.below((at, None), symbols[at] + 1, location, rate)
        return Intervals.between(symbols, below, above)

    def reader(self, outputs: np.ndarray) -> AbstractReader:
        return _Reader(self, *self.parameters(outputs, slice(None)))

    def state(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "base": self.base,
            "counts": self.counts,
            "steps": self.steps,
            "first": self.first,
            "scale": self.scale.state(),
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "RealSymbols":
        """Undo :meth:`state`."""
        arrays = (state["counts"], state["steps"], state["first"])
        return cls(state["base"], *arrays, ScaleRule(**state["scale"]))


class _Reader(AbstractReader):
    def __init__(
        self, family: RealSymbols, location: np.ndarray, scales: np.ndarray, rate: np.ndarray
    ):
        self._family, self._location, self._scales, self._rate = family, location, scales, rate

    def find(self, j: int, target: np.ndarray) -> Intervals:
        family, location, rate = self._family, self._location[j], self._rate[j]

        def below(symbol: np.ndarray, at: np.ndarray | None) -> np.ndarray:
            if at is None:
                return family.below(j, symbol, location, rate)
            return family.below(j, symbol, location.take(at), rate.take(at))

        count = int(family.counts[j])
        return near(below, target, self._guess(j, target, count), count)

    def _guess(self, j: int, target: np.ndarray, count: int) -> np.ndarray:
        """The curve's quantile: it decides how long the search takes, and not what it finds."""
        share = (target + 0.5) * 2.0**-self._family.bits
        if self._family.base == "normal":
            away = ndtri(share)
        else:
            tail = np.log(2.0 * np.minimum(share, 1.0 - share))
            away = np.where(share < 0.5, tail, -tail)
        place = away * self._scales[j] * 2.0 ** (PLACE_BITS - 16) + self._location[j]
        place -= self._family.first[j]
        return np.clip(np.floor(place / self._family._step[j]), 0, count - 1)
