"""Shares from zero to one at their resolution: densities summed over parts of steps."""

from typing import Any

import numpy as np

from ..integer import curve, log_two
from ..logs import RAW_BITS
from ..search import Intervals
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
_LOG_TWO = 0.6931471805599453


class UnitSymbols(AbstractFamily):
    r"""Steps 0, …, n_j − 1 of [0, 1] with ``Beta``, ``TruncatedNormal`` or other noise there.

    A step is from half a unit below its number to half a unit above, and the first and the last
    have one half each; or, for levels that were dequantised, all n have both. The density f is
    taken in the middle of each half, or quarter of up to 129 steps, whose mass is in proportion to
    it; so they sum to one without a distribution function:

    .. math:: \log f = \tfrac1s [m \log y + (1 - m) \log(1 - y)], \quad
       -\tfrac1{2 s^2} (y - m)^2 \quad\text{or}\quad η y

    The decoder's outputs are d logits of locations m in 2^-16, and d raw scales in 2^-10 where
    scales depend on z; of "exponential", d numbers η before their limit, in 2^-10.

    Parameters
    ----------
    base : "beta", "normal" or "exponential"
    counts : n, int64, shape (d,)
    scale : ScaleRule of s of d features, in 2^-28; None of "exponential"
    limits : of η, int64, shape (d,), in 2^-10, 0 for none; None of others
    dequantised : whether the first and the last step have both halves
    """

    kind = "unit"
    bits = 28

    def __init__(
        self,
        base: str,
        counts: np.ndarray,
        scale: ScaleRule | None,
        limits: np.ndarray | None = None,
        dequantised: bool = False,
    ):
        self.base, self.counts, self.scale, self.limits = base, counts, scale, limits
        self.dequantised, self.d = dequantised, len(counts)
        if ((counts < 2) | (counts > MOST_STEPS + 1)).any():
            raise ValueError("a column has too many steps.")

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
        middle = np.arange(n) + 0.5
        if self.limits is not None:
            return _limited(raw[0], int(self.limits[j])) * (middle / n)[:, None]
        location = curve("sigmoid", -_FAR, _FAR, scale=2**_SHARE_BITS)
        share = location(raw[0], bits=LOCATION_BITS) * 2.0**-_SHARE_BITS
        scale = self._scale(j, raw)
        if self.base == "normal":
            away = ((middle / n)[:, None] - share) / scale
            return -0.5 * (away * away)
        sharpness = np.minimum(1.0 / scale, _MOST_SHARPNESS)
        rest = location(-raw[0], bits=LOCATION_BITS) * 2.0**-_SHARE_BITS
        logs = (log_two(middle) - log_two(np.array([float(n)]))) * (_LOG_TWO * 2.0**-32)
        return logs[:, None] * (sharpness * share) + logs[::-1, None] * (sharpness * rest)

    def _scale(self, j: int, raw: np.ndarray) -> np.ndarray:
        assert self.scale is not None
        own = self.scale.scales(raw[1:] if self.scale.times is not None else None, slice(j, j + 1))
        return own[0] * 2.0 ** -(SCALE_BITS + WIDTH_BITS)

    def intervals(self, outputs: np.ndarray, symbols: np.ndarray) -> Intervals:
        below, above = np.empty(symbols.shape), np.empty(symbols.shape)
        for j, own in enumerate(symbols):
            cumulative = self.cumulative(outputs, j)
            below[j], above[j] = (
                np.take_along_axis(cumulative, each[None], axis=0)[0] for each in (own, own + 1)
            )
        return Intervals.between(symbols, below, above)

    def reader(self, outputs: np.ndarray) -> AbstractReader:
        return _Reader(self, outputs)

    def expected(self, outputs: np.ndarray) -> np.ndarray:
        means = np.empty((self.d, outputs.shape[1]), np.int64)
        for j in range(self.d):
            below = self.cumulative(outputs, j)
            # The mean is the sum of the tails P(symbol ≥ v); all of them whole numbers.
            means[j] = np.floor((below[-1] - below[1:-1]).sum(axis=0) / below[-1] + 0.5)
        return means

    def state(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "base": self.base,
            "counts": self.counts,
            "scale": None if self.scale is None else self.scale.state(),
            "limits": self.limits,
            "dequantised": self.dequantised,
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "UnitSymbols":
        """Undo :meth:`state`."""
        scale = None if state["scale"] is None else ScaleRule(**state["scale"])
        return cls(state["base"], state["counts"], scale, state["limits"], state["dequantised"])


class _Reader(AbstractReader):
    def __init__(self, family: UnitSymbols, outputs: np.ndarray):
        self._family, self._outputs = family, outputs

    def find(self, j: int, target: np.ndarray) -> Intervals:
        own = self._family.cumulative(self._outputs, j)[:, None]
        return CumulativeReader(lambda outputs, at: own, own, len(own) - 1).find(0, target)


def _limited(raw: np.ndarray, limit: int) -> np.ndarray:
    """η of numbers in 2^-10: see :func:`wellposed.numerics.bounded`."""
    if limit:
        share = raw / float(limit)
        raw = raw / np.sqrt(1.0 + share * share)
    return raw * 2.0**-LIMIT_BITS
