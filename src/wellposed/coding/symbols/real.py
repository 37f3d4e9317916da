"""Real numbers at their resolution: a curve integrated over each step."""

import dataclasses
from typing import Any

import numpy as np
from scipy.special import ndtri, stdtrit

from ..integer import curve
from ..logs import RAW_BITS
from ..search import Intervals, near
from .family import AbstractFamily, AbstractReader, tiles
from .scales import RATE_BITS, ScaleRule, rates
from .student import DEGREES, INVERSE_BITS, StudentCurve, places

FINE = 256.0  # places are counted in this part of a feature's spread
PLACE_BITS = 12  # and in this many fractional bits of it
STEP_BITS = 16  # further bits of the step from one edge to the next
_KNOTS = 64
_FAR = {"normal": 8, "laplace": 24}
_POINT_BITS = 20  # fractional bits of a point on the curve
_TO_POINT = _KNOTS * 2.0 ** (_POINT_BITS - PLACE_BITS - RATE_BITS)
_MOST_RATE = 2.0**27  # with places below 2^26 no product rounds
_MOST_PLACE = 2.0**25
_FAR_RAW = 40  # raw degrees beyond are as this one


@dataclasses.dataclass(frozen=True)
class Degrees:
    """Degrees of freedom of Student t noise.

    Parameters
    ----------
    inverse : 1/ν, int64, shape (d,), in 2^-20; None where it depends on z
    growth : how it then depends on the last raw outputs, by its name in
        :mod:`~wellposed.coding.integer.decimals`
    """

    inverse: np.ndarray | None
    growth: str = ""

    def of(self, raw: np.ndarray, at: Any) -> np.ndarray:
        """Return 1/ν of features at some positions, of the shape of raw, which is in 2^-10."""
        if self.inverse is not None:
            return np.broadcast_to(self.inverse[at, None].astype(np.float64), raw.shape)
        return curve(self.growth, -_FAR_RAW, _FAR_RAW, scale=2**INVERSE_BITS)(raw, bits=RAW_BITS)

    def take(self, at: np.ndarray) -> "Degrees":
        """Return those of some of the features."""
        own = None if self.inverse is None else self.inverse[at]
        return Degrees(own, self.growth)

    def state(self) -> dict[str, Any]:
        """Return what they are made of."""
        return {"inverse": self.inverse, "growth": self.growth}


@dataclasses.dataclass(frozen=True)
class Shapes:
    """Where and how wide densities are, whole numbers in float64, each of shape (d, m) or (m,).

    Parameters
    ----------
    location : in 2^-12 of places
    scale : in 2^-16 of places
    rate : one over the scale
    table, share : of Student t densities, see :func:`~wellposed.coding.symbols.student.places`
    """

    location: np.ndarray
    scale: np.ndarray
    rate: np.ndarray
    table: np.ndarray | None = None
    share: np.ndarray | None = None

    def at(self, j: Any) -> "Shapes":
        """Return those of one feature, or of some."""
        return Shapes(*(None if each is None else each[j] for each in self._all))  # pyright: ignore

    def rows(self, at: np.ndarray) -> "Shapes":
        """Return those of some rows of one feature."""
        kept = (None if each is None else each.take(at) for each in self._all)
        return Shapes(*kept)  # pyright: ignore

    @property
    def _all(self) -> tuple[np.ndarray | None, ...]:
        return (self.location, self.scale, self.rate, self.table, self.share)


class RealSymbols(AbstractFamily):
    """Steps 0, …, n_j − 1 of real features with Gaussian, Laplace or Student t noise.

    The decoder's outputs are d locations, in 2^-12 of places, d raw scales where scales depend
    on z, and d raw degrees where degrees do.

    Parameters
    ----------
    base : "normal", "laplace" or "student"
    counts : n, int64, shape (d,)
    steps : from edge to edge, int64, shape (d,), in 2^-28 of places
    first : lower edges of step 0, int64, shape (d,), in 2^-12
    scale : ScaleRule of d features, in places
    degrees : of "student"
    """

    kind = "real"
    bits = 28

    def __init__(
        self,
        base: str,
        counts: np.ndarray,
        steps: np.ndarray,
        first: np.ndarray,
        scale: ScaleRule,
        degrees: Degrees | None = None,
    ):
        self.base, self.counts, self.steps, self.first = base, counts, steps, first
        self.scale, self.degrees, self.d = scale, degrees, len(counts)
        total = (1 << self.bits) - int(counts.max(initial=1))
        if base == "student":
            self._student = StudentCurve(total - total % 2)
        else:
            far = _FAR[base]
            self._table = curve(base, -far, far, per_unit=_KNOTS, scale=total)
            self._offset = float(far * _KNOTS)
        self._step = steps * 2.0**-STEP_BITS

    def outside(self, symbols: np.ndarray) -> np.ndarray:
        return (symbols < 0) | (symbols >= self.counts)

    def parameters(self, outputs: np.ndarray, at: slice) -> Shapes:
        """Return the densities of the features in a slice, arrays (d', m)."""
        blocks = outputs.reshape(-1, self.d, outputs.shape[1])[:, at]
        raw = None if self.scale.times is None else blocks[1]
        scales = np.broadcast_to(self.scale.scales(raw, at), blocks[0].shape)
        location = np.clip(blocks[0], -_MOST_PLACE, _MOST_PLACE)
        shapes = Shapes(location, scales, np.minimum(rates(scales), _MOST_RATE))
        if self.degrees is None:
            return shapes
        inverse = self.degrees.of(blocks[-1], at)
        table, share = places(inverse)
        return dataclasses.replace(shapes, table=table, share=share)

    def middle(self, j: Any, symbol: np.ndarray) -> np.ndarray:
        """Return the middles of symbols, in 2^-12 of places; ``j`` as for :meth:`below`."""
        return np.floor((symbol + 0.5) * self._step[j]) + self.first[j]

    def edge(self, j: Any, symbol: np.ndarray) -> np.ndarray:
        """Return the lower edges of symbols, in 2^-12 of places; ``j`` as for :meth:`below`."""
        return np.floor(symbol * self._step[j]) + self.first[j]

    def below(self, j: Any, symbol: np.ndarray, shapes: Shapes) -> np.ndarray:
        """Return the cumulative frequency below symbols: each adds at least one.

        ``j`` selects features: a number for arrays (m,), or a pair for arrays (d', m).
        """
        point = self.edge(j, symbol)
        point -= shapes.location
        np.clip(point, -2 * _MOST_PLACE, 2 * _MOST_PLACE, out=point)
        point *= shapes.rate
        point *= _TO_POINT
        np.floor(point, out=point)
        point *= 2.0**-_POINT_BITS
        if shapes.table is not None and shapes.share is not None:
            total = self._student.at(point, shapes.table, shapes.share)
        else:
            point += self._offset
            total = self._table.at(point)
        total += symbol
        total[symbol <= 0] = 0.0
        np.copyto(total, float(1 << self.bits), where=symbol >= self.counts[j])
        return total

    def intervals(self, outputs: np.ndarray, symbols: np.ndarray) -> Intervals:
        below, above = np.empty(symbols.shape), np.empty(symbols.shape)
        for at in tiles(*symbols.shape):
            shapes = self.parameters(outputs, at)
            below[at] = self.below((at, None), symbols[at], shapes)
            above[at] = self.below((at, None), symbols[at] + 1, shapes)
        return Intervals.between(symbols, below, above)

    def reader(self, outputs: np.ndarray) -> AbstractReader:
        return _Reader(self, self.parameters(outputs, slice(None)))

    def find(self, j: int, target: np.ndarray, shapes: Shapes) -> Intervals:
        """Return the symbols of feature j whose intervals hold the targets; arrays (m,)."""

        def below(symbol: np.ndarray, at: np.ndarray | None) -> np.ndarray:
            return self.below(j, symbol, shapes if at is None else shapes.rows(at))

        return near(below, target, self.guess(j, target, shapes), int(self.counts[j]))

    def guess(self, j: int, target: np.ndarray, shapes: Shapes) -> np.ndarray:
        """The curve's quantile: it decides how long the search takes, and not what it finds."""
        symbol, rest = np.zeros(len(target)), 1.0 / ((1 << self.bits) - self.counts.max())
        # The second time without what the symbols below add; t quantiles take longer than a search.
        for _ in range(2 if shapes.table is None else 1):
            share = np.clip((target + 0.5 - symbol) * rest, 2.0**-40, 1.0 - 2.0**-40)
            place = self._quantile(share, shapes) * shapes.scale * 2.0 ** (PLACE_BITS - 16)
            symbol = np.floor(self.at_place(j, place + shapes.location))
            symbol = np.clip(symbol, 0, self.counts[j] - 1)
        return symbol

    def _quantile(self, share: np.ndarray, shapes: Shapes) -> np.ndarray:
        if shapes.table is not None:
            return stdtrit(np.array([*DEGREES, 1e3]).take(shapes.table), share)
        if self.base == "normal":
            return ndtri(share)
        tail = np.log(2.0 * np.minimum(share, 1.0 - share))
        return np.where(share < 0.5, tail, -tail)

    def at_place(self, j: Any, place: np.ndarray) -> np.ndarray:
        """Return about the symbols of places, real numbers."""
        return (place - self.first[j]) / self._step[j]

    def expected(self, outputs: np.ndarray) -> np.ndarray:
        """The steps that hold the locations, which are the means of symmetric noise."""
        location = outputs.reshape(-1, self.d, outputs.shape[1])[0]
        place = np.clip(location, -_MOST_PLACE, _MOST_PLACE) - self.first[:, None]
        step = np.floor(place / self._step[:, None])
        return np.clip(step, 0, self.counts[:, None] - 1).astype(np.int64)

    def state(self) -> dict[str, Any]:
        own = {} if self.degrees is None else {"degrees": self.degrees.state()}
        return {
            "kind": self.kind,
            "base": self.base,
            "counts": self.counts,
            "steps": self.steps,
            "first": self.first,
            "scale": self.scale.state(),
            **own,
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "RealSymbols":
        """Undo :meth:`state`."""
        arrays = (state["counts"], state["steps"], state["first"])
        degrees = Degrees(**state["degrees"]) if "degrees" in state else None
        return cls(state["base"], *arrays, ScaleRule(**state["scale"]), degrees)


class _Reader(AbstractReader):
    def __init__(self, family: RealSymbols, shapes: Shapes):
        self._family, self._shapes = family, shapes

    def find(self, j: int, target: np.ndarray) -> Intervals:
        return self._family.find(j, target, self._shapes.at(j))
