"""Amounts at their resolution: a normal of their logarithms or a gamma, and zeros beside them."""

from typing import Any

import numpy as np

from ..integer import OCTAVE_BITS, curve, log_two
from ..logs import RAW_BITS
from ..search import Intervals, near
from .family import AbstractFamily, AbstractReader
from .gamma import LEAST, MOST, GammaShapes, Grids
from .real import PLACE_BITS, RealSymbols, Shapes
from .scales import SCALE_BITS

GAUGE_BITS = 12  # further bits of the places to an octave
_SPREAD_BITS = PLACE_BITS + 8  # a spread has 2^8 places, FINE
_SPREAD = 1 << _SPREAD_BITS
_LINEAR, _BEYOND = 10, 64  # spreads up to which locations are as they are, and the most beyond
_FAR_LOGIT = 24
_LOG_TWO = 0.6931471805599453
_QUANTILES = 16


class AmountSymbols(RealSymbols):
    """Amounts of 1, …, n_j steps, symbols 0, …, n_j − 1, with ``LogNormal`` noise.

    As :class:`RealSymbols`, on the logarithms of the amounts: a step is from half a unit below its
    amount to half a unit above, and the first one has all that is below. The decoder's locations
    are compressed beyond ten spreads, as the noise has them.

    Parameters
    ----------
    base : "normal"
    counts : n, int64, shape (d,)
    steps : places to an octave, int64, shape (d,), in 2^-24
    first : place of the logarithm of one step, int64, shape (d,), in 2^-12
    scale, degrees : as of :class:`RealSymbols`
    """

    kind = "amounts"

    def __init__(self, *args: Any):
        super().__init__(*args)
        self._octave = self.steps * 2.0 ** -(OCTAVE_BITS + GAUGE_BITS)

    def parameters(self, outputs: np.ndarray, at: slice) -> Shapes:
        raw = outputs.copy()
        raw[: self.d] = _compressed(raw[: self.d])
        return super().parameters(raw, at)

    def edge(self, j: Any, symbol: np.ndarray) -> np.ndarray:
        place = log_two(symbol + 0.5)
        place *= self._octave[j]
        return np.floor(place, out=place) + self.first[j]

    def at_place(self, j: Any, place: np.ndarray) -> np.ndarray:
        octaves = (place - self.first[j]) / (self.steps[j] * 2.0**-GAUGE_BITS)
        return np.exp2(np.clip(octaves, -1.0, 40.0)) - 0.5

    def expected(self, outputs: np.ndarray) -> np.ndarray:
        """Means of sixteen quantiles each: the tail beyond is left out."""
        return quantile_means(self, outputs)


class GammaSymbols(AbstractFamily):
    """Amounts of 1, …, n_j steps, symbols 0, …, n_j − 1, with ``Gamma`` noise.

    Parameters
    ----------
    amounts : steps, means and relative scales, those of ``LogNormal`` noise: a mean in place of
        the median, and 1/√a for shapes a in place of the deviation
    """

    kind = "gamma"
    bits = AmountSymbols.bits

    def __init__(self, amounts: AmountSymbols):
        self.amounts, self.counts, self.d = amounts, amounts.counts, amounts.d
        self._rest = float((1 << self.bits) - int(self.counts.max(initial=1)))

    def outside(self, symbols: np.ndarray) -> np.ndarray:
        return self.amounts.outside(symbols)

    def parameters(self, outputs: np.ndarray, at: slice) -> GammaShapes:
        """Return the gammas of the features in a slice."""
        log_unit = _LOG_TWO * 2.0**GAUGE_BITS / self.amounts.steps[at]
        own = self.amounts.parameters(outputs, at)
        scale = own.scale * (log_unit * 2.0 ** (PLACE_BITS - SCALE_BITS))[:, None]
        return GammaShapes(own.location, np.clip(scale, LEAST, MOST), log_unit)

    def below(self, j: int, symbol: np.ndarray, grids: Grids) -> np.ndarray:
        """Return the cumulative frequency below symbols of feature j: each adds at least one."""
        total = grids.shares(self.amounts.edge(j, symbol))
        total *= self._rest
        np.floor(total, out=total)
        total += symbol
        total[symbol <= 0] = 0.0
        np.copyto(total, float(1 << self.bits), where=symbol >= self.counts[j])
        return total

    def intervals(self, outputs: np.ndarray, symbols: np.ndarray) -> Intervals:
        below, above = np.empty(symbols.shape), np.empty(symbols.shape)
        shapes = self.parameters(outputs, slice(None))
        for j, own in enumerate(symbols):
            grids = shapes.at(j)
            below[j], above[j] = (self.below(j, each, grids) for each in (own, own + 1))
        return Intervals.between(symbols, below, above)

    def reader(self, outputs: np.ndarray) -> AbstractReader:
        return _GammaReader(self, self.parameters(outputs, slice(None)))

    def guess(self, j: int, target: np.ndarray, grids: Grids) -> np.ndarray:
        """Return about the symbols of targets: they decide how long the search takes."""
        symbol = np.zeros(len(target))
        for _ in range(2):  # the second time without what the symbols below add
            place = grids.place((target + 0.5 - symbol) * (1.0 / self._rest))
            symbol = np.floor(self.amounts.at_place(j, place))
            symbol = np.clip(symbol, 0, self.counts[j] - 1)
        return symbol

    def expected(self, outputs: np.ndarray) -> np.ndarray:
        """Means of sixteen quantiles each: the tail beyond is left out."""
        return quantile_means(self, outputs)

    def state(self) -> dict[str, Any]:
        return {"kind": self.kind, "amounts": self.amounts.state()}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "GammaSymbols":
        """Undo :meth:`state`."""
        amounts: Any = AmountSymbols.from_state(state["amounts"])
        return cls(amounts)


class _GammaReader(AbstractReader):
    def __init__(self, family: GammaSymbols, shapes: GammaShapes):
        self._family, self._shapes = family, shapes

    def find(self, j: int, target: np.ndarray) -> Intervals:
        grids = self._shapes.at(j)

        def below(symbol: np.ndarray, at: np.ndarray | None) -> np.ndarray:
            return self._family.below(j, symbol, grids if at is None else grids.rows(at))

        guess = self._family.guess(j, target, grids)
        return near(below, target, guess, int(self._family.counts[j]))


class ZeroInflatedSymbols(AbstractFamily):
    """Zero, or an amount: symbol 0, and the symbols of ``amounts`` from 1 on.

    The decoder's outputs are d logits of zero, and those of the amounts.

    Parameters
    ----------
    logits : of zero at raw zero, int64, shape (d,), in 2^-10
    amounts : of the features, log-normal or gamma
    """

    kind = "zero-inflated"
    bits = RealSymbols.bits

    def __init__(self, logits: np.ndarray, amounts: AmountSymbols | GammaSymbols):
        self.amounts: Any = amounts
        self.logits, self.d = logits, amounts.d
        self.counts = amounts.counts + 1

    def outside(self, symbols: np.ndarray) -> np.ndarray:
        return (symbols < 0) | (symbols >= self.counts)

    def zeros(self, outputs: np.ndarray) -> np.ndarray:
        """Return the frequency of zero, of 2^28 less the least that others have, (d, m)."""
        rest = float((1 << self.bits) - self.counts.max(initial=1))
        share = curve("sigmoid", -_FAR_LOGIT, _FAR_LOGIT, scale=1 << self.bits)
        zero = share(outputs[: self.d] + self.logits[:, None], bits=RAW_BITS)
        zero *= rest * 2.0**-self.bits
        return np.clip(np.floor(zero, out=zero), 1.0, rest - 1.0, out=zero)

    def below(self, j: int, symbol: np.ndarray, zero: np.ndarray, shapes: Any) -> np.ndarray:
        """Return the cumulative frequency below symbols; arguments as of the amounts."""
        rest = float((1 << self.bits) - self.counts.max(initial=1))
        total = self.amounts.below(j, np.maximum(symbol - 1, 0), shapes)
        total *= (rest - zero) * 2.0**-self.bits
        np.floor(total, out=total)
        total += zero + symbol
        total[symbol <= 0] = 0.0
        np.copyto(total, float(1 << self.bits), where=symbol >= self.counts[j])
        return total

    def intervals(self, outputs: np.ndarray, symbols: np.ndarray) -> Intervals:
        zero, shapes = self.zeros(outputs), self.amounts.parameters(outputs[self.d :], slice(None))
        below, above = np.empty(symbols.shape), np.empty(symbols.shape)
        for j, own in enumerate(symbols):
            law = shapes.at(j)
            below[j], above[j] = (self.below(j, each, zero[j], law) for each in (own, own + 1))
        return Intervals.between(symbols, below, above)

    def reader(self, outputs: np.ndarray) -> AbstractReader:
        return _Reader(self, outputs)

    def expected(self, outputs: np.ndarray) -> np.ndarray:
        """Means of sixteen quantiles each: the tail beyond is left out."""
        return quantile_means(self, outputs)

    def state(self) -> dict[str, Any]:
        return {"kind": self.kind, "logits": self.logits, "amounts": self.amounts.state()}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "ZeroInflatedSymbols":
        """Undo :meth:`state`; gamma amounts have another kind."""
        own = state["amounts"]
        kind: Any = GammaSymbols if own["kind"] == GammaSymbols.kind else AmountSymbols
        return cls(state["logits"], kind.from_state(own))


class _Reader(AbstractReader):
    def __init__(self, family: ZeroInflatedSymbols, outputs: np.ndarray):
        self._family, self._zero = family, family.zeros(outputs)
        self._shapes = family.amounts.parameters(outputs[family.d :], slice(None))

    def find(self, j: int, target: np.ndarray) -> Intervals:
        family, zero, shapes = self._family, self._zero[j], self._shapes.at(j)

        def below(symbol: np.ndarray, at: np.ndarray | None) -> np.ndarray:
            if at is None:
                return family.below(j, symbol, zero, shapes)
            return family.below(j, symbol, zero.take(at), shapes.rows(at))

        # Where amounts begin, the guess is theirs.
        scale = 2.0**family.bits / np.maximum(2.0**family.bits - zero, 1.0)
        inner = np.floor((target.astype(np.float64) - zero) * scale)
        inner = np.clip(inner, 0.0, 2.0**family.bits - 1.0)
        guess = family.amounts.guess(j, inner, shapes) + 1.0
        guess = np.where(target < zero, 0.0, guess)
        return near(below, target, guess, int(family.counts[j]))


def quantile_means(family: AbstractFamily, outputs: np.ndarray) -> np.ndarray:
    """Return the rounded means of sixteen evenly spaced quantiles, int64, shape (d, m)."""
    reader, m = family.reader(outputs), outputs.shape[1]
    width = (1 << family.bits) // _QUANTILES
    means = np.empty((family.d, m), np.int64)
    for j in range(family.d):
        total = np.full(m, _QUANTILES // 2)
        for i in range(_QUANTILES):
            total += reader.find(j, np.full(m, i * width + width // 2, np.uint64)).symbol
        means[j] = total // _QUANTILES
    return means


def _compressed(locations: np.ndarray) -> np.ndarray:
    """Return locations as they are up to ten spreads, and their logarithms beyond."""
    away = np.maximum(np.abs(locations) - _LINEAR * _SPREAD, 0.0)
    log = curve("log", 0, _BEYOND, scale=_SPREAD)(away, bits=_SPREAD_BITS)
    return locations - np.sign(locations) * (away - log)
