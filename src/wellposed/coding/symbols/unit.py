"""Shares from zero to one at their resolution."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import ndtri

from ..integer import curve, log_two
from ..logs import RAW_BITS
from ..search import Intervals, near
from .family import AbstractFamily, AbstractReader, CumulativeReader
from .scales import SCALE_BITS, ScaleRule

LOCATION_BITS = 16  # fractional bits of logits of locations
WIDTH_BITS = 12  # further bits of scales, in 2^-16
LIMIT_BITS = 10
MOST_STEPS = 2**14  # whose cumulative frequencies are a table for each row
_FAR, _FAR_LOG = 24, 24  # logits, and nats below the mode, that are as this one
_SHARE_BITS, _MASS_BITS = 30, 32
_MOST_SHARPNESS = 2.0**20
_PARTS, _FINE_PARTS, _FEW_STEPS = 2, 4, 129
_NORMAL, _EXPONENTIAL, _CURVE_BITS = 8, 24, 44
_LEAST_RATE = 2.0**-10
_LOG_TWO = 0.6931471805599453


class BetaSymbols(AbstractFamily):
    r"""Steps 0, …, n_j − 1 of [0, 1] with ``Beta`` noise.

    A step is from half a unit below its number to half a unit above, and the first and the last
    have one half each; or, for levels that were dequantised, all n have both. The density f is
    taken in the middle of each half, or quarter of up to 129 steps, whose mass is in proportion to
    it; so they sum to one without a distribution function:

    .. math:: \log f = \tfrac1s [m \log y + (1 - m) \log(1 - y)]

    The decoder's outputs are d logits of modes m in 2^-16, and d raw scales in 2^-10 where
    scales depend on z.

    Parameters
    ----------
    counts : n, int64, shape (d,)
    scale : ScaleRule of s of d features, in 2^-28
    dequantised : whether the first and the last step have both halves
    """

    kind = "beta"
    bits = 28

    def __init__(self, counts: np.ndarray, scale: ScaleRule, dequantised: bool):
        self.counts, self.scale, self.dequantised = _checked(counts), scale, dequantised
        self.d = len(counts)

    def outside(self, symbols: np.ndarray) -> np.ndarray:
        return (symbols < 0) | (symbols >= self.counts)

    def cumulative(self, outputs: np.ndarray, j: int) -> np.ndarray:
        """Return the cumulative frequencies of one feature, shape (n + 1, m)."""
        n = int(self.counts[j])
        raw = outputs.reshape(-1, self.d, outputs.shape[1])[:, j]
        parts = _FINE_PARTS if n <= _FEW_STEPS else _PARTS
        first, of_all = (parts, n) if self.dequantised else (parts // 2, n - 1)
        logs = self._logs(j, raw, parts * of_all)
        logs -= logs.max(axis=0)
        logs *= 2.0**RAW_BITS
        mass = curve("exp", -_FAR_LOG, 0, scale=2**_MASS_BITS)(logs, bits=RAW_BITS)
        np.add.accumulate(mass, axis=0, out=mass)
        below = np.zeros((n + 1, mass.shape[1]))
        below[1:n] = mass[first - 1 : -1 : parts]
        below[n] = mass[-1]
        below /= mass[-1]
        below *= float((1 << self.bits) - n)
        np.floor(below, out=below)
        below += np.arange(n + 1.0)[:, None]
        return below

    def _logs(self, j: int, raw: np.ndarray, n: int) -> np.ndarray:
        """Return log densities in the middles of n parts, up to a constant, (n, m)."""
        sharpness = np.minimum(1.0 / _scales(self.scale, raw, j), _MOST_SHARPNESS)
        middle = np.arange(n) + 0.5
        logs = (log_two(middle) - log_two(np.array([float(n)]))) * (_LOG_TWO * 2.0**-32)
        share, rest = (sharpness * _shares(each) for each in (raw[0], -raw[0]))
        return logs[:, None] * share + logs[::-1, None] * rest

    def intervals(self, outputs: np.ndarray, symbols: np.ndarray) -> Intervals:
        below, above = np.empty(symbols.shape), np.empty(symbols.shape)
        for j, own in enumerate(symbols):
            cumulative = self.cumulative(outputs, j)
            below[j], above[j] = (
                np.take_along_axis(cumulative, each[None], axis=0)[0] for each in (own, own + 1)
            )
        return Intervals.between(symbols, below, above)

    def reader(self, outputs: np.ndarray) -> AbstractReader:
        return _BetaReader(self, outputs)

    def expected(self, outputs: np.ndarray) -> np.ndarray:
        return _means(self.cumulative, outputs, self.d)

    def state(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "counts": self.counts,
            "scale": self.scale.state(),
            "dequantised": self.dequantised,
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "BetaSymbols":
        """Undo :meth:`state`."""
        return cls(state["counts"], ScaleRule(**state["scale"]), state["dequantised"])


class _BetaReader(AbstractReader):
    def __init__(self, family: BetaSymbols, outputs: np.ndarray):
        self._family, self._outputs = family, outputs

    def find(self, j: int, target: np.ndarray) -> Intervals:
        own = self._family.cumulative(self._outputs, j)[:, None]
        return CumulativeReader(lambda outputs, at: own, own, len(own) - 1).find(0, target)


@dataclasses.dataclass(frozen=True)
class Cuts:
    """Curves of m rows of one feature, of which what is within [0, 1] counts; each of shape (m,).

    Parameters
    ----------
    location : middle of the normal; of exponentials the end that is favoured, 0 or 1
    rate : one over its scale; of exponentials |η|
    first, last : the curve at 0 and at 1
    """

    location: np.ndarray
    rate: np.ndarray
    first: np.ndarray
    last: np.ndarray

    def rows(self, at: np.ndarray) -> "Cuts":
        """Return those of some rows."""
        location, rate = self.location.take(at), self.rate.take(at)
        return Cuts(location, rate, self.first.take(at), self.last.take(at))


class CutSymbols(AbstractFamily):
    r"""Steps of [0, 1] with ``TruncatedNormal`` or ``ContinuousBernoulli`` noise.

    The curve is a normal's around m, or an exponential's e^{ηy}, between the edges of a step, as
    a share of that between 0 and 1. Steps are as those of :class:`BetaSymbols`.

    The decoder's outputs are d logits of m in 2^-16, and d raw scales in 2^-10 where scales depend
    on z; of exponentials, d numbers η before their limit, in 2^-10.

    Parameters
    ----------
    counts : n, int64, shape (d,)
    scale : ScaleRule of d features, in 2^-28; None of exponentials
    limits : of η, int64, shape (d,), in 2^-10, 0 for none; None of normals
    dequantised : whether the first and the last step have both halves
    """

    kind = "cut"
    bits = 28

    def __init__(
        self,
        counts: np.ndarray,
        scale: ScaleRule | None,
        limits: np.ndarray | None,
        dequantised: bool,
    ):
        if (scale is None) == (limits is None):
            raise ValueError("a column has either a scale or a limit.")
        self.counts, self.scale, self.limits = _checked(counts), scale, limits
        self.dequantised, self.d = dequantised, len(counts)

    def outside(self, symbols: np.ndarray) -> np.ndarray:
        return (symbols < 0) | (symbols >= self.counts)

    def cuts(self, outputs: np.ndarray, j: int) -> Cuts:
        """Return the curves of one feature."""
        raw = outputs.reshape(-1, self.d, outputs.shape[1])[:, j]
        if self.limits is not None:
            eta = _limited(raw[0], int(self.limits[j]))
            location, rate = (eta > 0).astype(float), np.abs(eta)
        else:
            location, rate = _shares(raw[0]), 1.0 / _scales(self.scale, raw, j)
        rate = np.maximum(rate, _LEAST_RATE)  # from where on all curves are straight
        first, last = (self._curve(end, location, rate) for end in (0.0, 1.0))
        return Cuts(location, rate, first, last)

    def _curve(self, place: Any, location: np.ndarray, rate: np.ndarray) -> np.ndarray:
        """Return a rising curve at places, whole numbers."""
        away = (place - location) * rate
        if self.scale is not None:
            table = curve("normal", -_NORMAL, _NORMAL, scale=2**_CURVE_BITS)
            return table(np.clip(away, -_NORMAL, _NORMAL), bits=0)
        table = curve("exp", -_EXPONENTIAL, 0, scale=2**_CURVE_BITS)
        level = table(np.maximum(-np.abs(away), -_EXPONENTIAL), bits=0)
        return np.where(location > 0, level, 2.0**_CURVE_BITS - level)

    def below(self, j: int, symbol: np.ndarray, cuts: Cuts) -> np.ndarray:
        """Return the cumulative frequency below symbols of feature j: each adds at least one."""
        n = int(self.counts[j])
        place = symbol / n if self.dequantised else (symbol - 0.5) / (n - 1.0)
        total = self._curve(np.clip(place, 0.0, 1.0), cuts.location, cuts.rate) - cuts.first
        total /= cuts.last - cuts.first
        total *= float((1 << self.bits) - n)
        np.floor(total, out=total)
        total += symbol
        total[symbol <= 0] = 0.0
        np.copyto(total, float(1 << self.bits), where=symbol >= n)
        return total

    def intervals(self, outputs: np.ndarray, symbols: np.ndarray) -> Intervals:
        below, above = np.empty(symbols.shape), np.empty(symbols.shape)
        for j, own in enumerate(symbols):
            cuts = self.cuts(outputs, j)
            below[j], above[j] = (self.below(j, each, cuts) for each in (own, own + 1))
        return Intervals.between(symbols, below, above)

    def reader(self, outputs: np.ndarray) -> AbstractReader:
        return _CutReader(self, outputs)

    def guess(self, j: int, target: np.ndarray, cuts: Cuts) -> np.ndarray:
        """Return about the symbols of targets: they decide how long the search takes."""
        share = (target + 0.5) * 2.0**-self.bits
        level = (cuts.first + share * (cuts.last - cuts.first)) * 2.0**-_CURVE_BITS
        if self.scale is not None:
            away = ndtri(np.clip(level, 1e-15, 1.0 - 1e-15))
        else:
            favoured = np.where(cuts.location > 0, level, 1.0 - level)
            away = np.log(np.maximum(favoured, 1e-10)) * np.where(cuts.location > 0, 1.0, -1.0)
        place, n = np.clip(cuts.location + away / cuts.rate, 0.0, 1.0), int(self.counts[j])
        step = place * n if self.dequantised else place * (n - 1.0) + 0.5
        return np.clip(np.floor(step), 0, n - 1)

    def expected(self, outputs: np.ndarray) -> np.ndarray:
        return _means(self._cumulative, outputs, self.d)

    def _cumulative(self, outputs: np.ndarray, j: int) -> np.ndarray:
        cuts, symbol = self.cuts(outputs, j), np.arange(self.counts[j] + 1)
        every = np.repeat(symbol[:, None], outputs.shape[1], axis=1)
        return self.below(j, every, cuts)

    def state(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "counts": self.counts,
            "scale": None if self.scale is None else self.scale.state(),
            "limits": self.limits,
            "dequantised": self.dequantised,
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "CutSymbols":
        """Undo :meth:`state`."""
        scale = None if state["scale"] is None else ScaleRule(**state["scale"])
        return cls(state["counts"], scale, state["limits"], state["dequantised"])


class _CutReader(AbstractReader):
    def __init__(self, family: CutSymbols, outputs: np.ndarray):
        self._family, self._outputs = family, outputs

    def find(self, j: int, target: np.ndarray) -> Intervals:
        cuts = self._family.cuts(self._outputs, j)

        def below(symbol: np.ndarray, at: np.ndarray | None) -> np.ndarray:
            return self._family.below(j, symbol, cuts if at is None else cuts.rows(at))

        guess = self._family.guess(j, target, cuts)
        return near(below, target, guess, int(self._family.counts[j]))


def _checked(counts: np.ndarray) -> np.ndarray:
    if ((counts < 2) | (counts > MOST_STEPS + 1)).any():
        raise ValueError("a column has too many steps.")
    return counts


def _shares(logits: np.ndarray) -> np.ndarray:
    """Return locations on [0, 1] of logits in 2^-16, multiples of 2^-30."""
    share = curve("sigmoid", -_FAR, _FAR, scale=2**_SHARE_BITS)(logits, bits=LOCATION_BITS)
    return share * 2.0**-_SHARE_BITS


def _scales(rule: ScaleRule | None, raw: np.ndarray, j: int) -> np.ndarray:
    """Return the scales of feature j, shape (m,) or (1,)."""
    assert rule is not None
    own = rule.scales(raw[1:] if rule.times is not None else None, slice(j, j + 1))
    return np.broadcast_to(own[0] * 2.0 ** -(SCALE_BITS + WIDTH_BITS), raw[0].shape)


def _means(cumulative: Callable[..., np.ndarray], outputs: np.ndarray, d: int) -> np.ndarray:
    """Return the rounded means of symbols, int64, shape (d, m)."""
    means = np.empty((d, outputs.shape[1]), np.int64)
    for j in range(d):
        below = cumulative(outputs, j)
        # The mean is the sum of the tails P(symbol ≥ v); all of them whole numbers.
        means[j] = np.floor((below[-1] - below[1:-1]).sum(axis=0) / below[-1] + 0.5)
    return means


def _limited(raw: np.ndarray, limit: int) -> np.ndarray:
    """η of numbers in 2^-10: see :func:`wellposed.numerics.bounded`."""
    if limit:
        share = raw / float(limit)
        raw = raw / np.sqrt(1.0 + share * share)
    return raw * 2.0**-LIMIT_BITS
