"""Levels from a binomial whose chance is beta."""

from typing import Any

import numpy as np

from ..integer import curve
from ..logs import RAW_BITS
from .counts import MEAN_BITS, grown
from .family import AbstractLevels

_FAR = 24  # log odds beyond are as this one
_SHARE_BITS = 30
_LEAST = -200  # powers of two below the largest probability, from which one is zero


class BetaBinomialSymbols(AbstractLevels):
    """Levels 0, …, n of beta-binomials: ``BetaBinomial``.

    Probabilities are products of ratios P(v + 1)/P(v), each operation a correctly rounded one of
    float64; their powers of two are kept apart, so that none overflows.

    The decoder's outputs are d log odds, and d log growths of concentrations, in 2^-10.

    Parameters
    ----------
    totals : concentrations a + b at raw zero, int64, shape (d,), in 2^-20
    levels : n + 1
    """

    kind = "beta-binomial"
    bits = 24

    def __init__(self, totals: np.ndarray, levels: int):
        self.totals, self.levels, self.d = totals, levels, len(totals)

    def cumulative(self, outputs: np.ndarray, at: slice) -> np.ndarray:
        odds, growth = outputs.reshape(2, self.d, -1)[:, at]
        total, n = grown(self.totals[at], growth), self.levels - 1
        a, b = (self._part(total, sign * odds) for sign in (1.0, -1.0))
        mantissa = np.empty((self.levels, *odds.shape))
        power = np.zeros(mantissa.shape, np.int64)
        mantissa[0] = 1.0
        one = 2.0**MEAN_BITS
        for v in range(n):
            ratio = (v * one + a) * ((n - v) / (v + 1.0))
            ratio /= (n - 1.0 - v) * one + b
            ratio *= mantissa[v]
            mantissa[v + 1], shift = np.frexp(ratio)
            power[v + 1] = power[v] + shift
        power -= power.max(axis=0)
        each = np.ldexp(mantissa, np.maximum(power, _LEAST))
        each[power <= _LEAST] = 0.0
        below = np.zeros((self.levels + 1, *odds.shape))
        np.add.accumulate(each, axis=0, out=below[1:])
        below /= below[-1].copy()
        below *= float((1 << self.bits) - self.levels)
        np.floor(below, out=below)
        below += np.arange(self.levels + 1.0)[:, None, None]
        return below

    def _part(self, total: np.ndarray, odds: np.ndarray) -> np.ndarray:
        """A share of the concentration, at least one."""
        share = curve("sigmoid", -_FAR, _FAR, scale=2**_SHARE_BITS)(odds, bits=RAW_BITS)
        share *= 2.0**-_SHARE_BITS
        share *= total
        return np.floor(share, out=share) + 1.0

    def state(self) -> dict[str, Any]:
        return {"kind": self.kind, "totals": self.totals, "levels": self.levels}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "BetaBinomialSymbols":
        """Undo :meth:`state`."""
        return cls(state["totals"], state["levels"])
