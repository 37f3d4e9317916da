"""Counts of a row given their total, one feature after another."""

from collections.abc import Callable
from typing import Any

import numpy as np

from wellposed._errors import DamagedFileError

from ..ans import Lanes
from ..escapes import pop_rest, push_rest
from ..integer import curve
from ..logs import RAW_BITS
from ..search import Intervals, bisect
from ..totals import MOST, PART_BITS, Totals
from .family import AbstractJoint

_FAR = 24  # nats below the largest share, from which all shares are as this one
_SHARE_BITS = 32
_LEAST_SHARE = 1e-6  # of the concentration of a feature
_STEEPEST = 0.99
_MOST_ESCAPE = 2**12
_NEVER = -(2**30)  # the power of two of a probability that is zero


class CompositionSymbols(AbstractJoint):
    r"""A multinomial or Dirichlet-multinomial of a row's total: counts with ``library=True``.

    The total is coded first, then each feature but the last given what those before it leave: a
    binomial or a beta-binomial. With n left, w the weight of the feature, and W that of those
    after it,

    .. math:: \frac{P(v + 1)}{P(v)} = \frac{n - v}{v + 1} \frac{w}{W} \quad\text{or}\quad
       \frac{n - v}{v + 1} \frac{w + v}{W + n - v - 1}

    Counts 0, …, V − 1 of a feature have a frequency each, and larger ones share that of an escape,
    which bits beside it tell apart. The decoder's outputs are d logits of shares.

    Parameters
    ----------
    totals : law of the total
    concentration : of the Dirichlet-multinomial, in 2^-20; None for the multinomial
    escapes : V, int64, shape (d,)
    """

    kind = "composition"
    bits = 24
    independent = False
    taken = 0.5  # many counts are zero

    def __init__(self, totals: Totals, concentration: int | None, escapes: np.ndarray):
        self.totals, self.concentration, self.escapes = totals, concentration, escapes
        self.d = len(escapes)
        if ((escapes < 1) | (escapes > _MOST_ESCAPE)).any():
            raise ValueError("a column has too many counts.")

    def outside(self, symbols: np.ndarray) -> np.ndarray:
        total = np.clip(symbols, 0, MOST).sum(axis=1, keepdims=True)
        return (symbols < 0) | (total >= MOST)

    def push(self, lanes: Lanes, outputs: np.ndarray, symbols: np.ndarray) -> np.ndarray:
        weights, after = self._weights(outputs)
        left = np.add.accumulate(symbols[::-1], axis=0)[::-1]
        net = np.zeros(symbols.shape[1])
        for j in range(self.d - 2, -1, -1):
            escape = int(self.escapes[j])
            below = self._cumulative(j, left[j], weights[j], after[j])
            kept = np.minimum(symbols[j], escape)
            ends = (np.take_along_axis(below, each[None], axis=0)[0] for each in (kept, kept + 1))
            found = Intervals.between(kept, *ends)
            net += push_rest(lanes, symbols[j] - escape) + found.bits(self.bits)
            lanes.push(found.start, found.freq, bits=self.bits)
        return net + self.totals.push(lanes, left[0])

    def pop(self, lanes: Lanes, outputs: np.ndarray) -> np.ndarray:
        weights, after = self._weights(outputs)
        m = outputs.shape[1]
        symbols, left = np.empty((self.d, m), np.int64), self.totals.pop(lanes, m)
        for j in range(self.d - 1):
            escape = int(self.escapes[j])
            below = _at_rows(self._cumulative(j, left, weights[j], after[j]))
            found = bisect(below, lanes.target(m, bits=self.bits), escape + 1)
            lanes.advance(found.start, found.freq, bits=self.bits)
            symbols[j] = found.symbol + pop_rest(lanes, found.symbol == escape)
            left = left - symbols[j]
        if (left < 0).any():
            raise DamagedFileError("counts of a row exceed their total.")
        symbols[-1] = left
        return symbols

    def expected(self, outputs: np.ndarray) -> np.ndarray:
        """Those of a row of average size."""
        weights, after = self._weights(outputs)
        mean = weights / (weights[0] + after[0]) * (self.totals.mean * 2.0**-PART_BITS)
        return np.floor(mean + 0.5).astype(np.int64)

    def _weights(self, outputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return w of all features, and their sum over those after each, (d, m)."""
        logs = outputs - outputs.max(axis=0)
        weights = curve("exp", -_FAR, 0, scale=2**_SHARE_BITS)(logs, bits=RAW_BITS)
        weights = np.maximum(weights, 1.0)
        if self.concentration is not None:
            share = self.concentration * 2.0**-PART_BITS / np.add.accumulate(weights, axis=0)[-1]
            weights = weights * share + _LEAST_SHARE
        after = np.zeros_like(weights)
        after[:-1] = np.add.accumulate(weights[:0:-1], axis=0)[::-1]
        return weights, after

    def _cumulative(
        self, j: int, left: np.ndarray, weight: np.ndarray, after: np.ndarray
    ) -> np.ndarray:
        """Return cumulative frequencies of a feature but the last, (V + 2, m), of counts (m,)."""
        count = np.arange(float(self.escapes[j]))[:, None]
        more = np.maximum(left - count, 0.0)
        ratio = more / (count + 1.0)
        if self.concentration is None:
            ratio *= weight / after
        else:
            ratio *= (weight + count) / (np.maximum(more - 1.0, 0.0) + after)
        each = _products(ratio)
        # The tail as a geometric series of the last ratio.
        each[-1] /= 1.0 - np.minimum(ratio[-1], _STEEPEST)
        below = np.zeros((len(each) + 1, each.shape[1]))
        np.add.accumulate(each, axis=0, out=below[1:])
        below /= below[-1].copy()
        below *= float((1 << self.bits) - len(each))
        np.floor(below, out=below)
        below += np.arange(len(each) + 1.0)[:, None]
        return below

    def state(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "mean": self.totals.mean,
            "size": self.totals.concentration,
            "concentration": self.concentration,
            "escapes": self.escapes,
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "CompositionSymbols":
        """Undo :meth:`state`."""
        totals = Totals(state["mean"], state["size"])
        return cls(totals, state["concentration"], state["escapes"])


def _products(ratio: np.ndarray) -> np.ndarray:
    """Return 1 and the products of ratios (V, m), up to a factor of each column, (V + 1, m).

    Powers of two are kept apart, so that none overflows.
    """
    mantissa, power = np.frexp(ratio)
    mantissa, more = np.frexp(np.multiply.accumulate(mantissa, axis=0))
    power = np.where(mantissa > 0, np.add.accumulate(power.astype(np.int64), axis=0) + more, _NEVER)
    first = np.ones((1, ratio.shape[1]))
    each = np.concatenate([0.5 * first, mantissa])
    powers = np.concatenate([first.astype(np.int64), power])
    powers -= powers.max(axis=0)
    return np.ldexp(each, np.maximum(powers, -1000))


def _at_rows(cumulative: np.ndarray) -> Callable[[np.ndarray, np.ndarray | None], np.ndarray]:
    row = np.arange(cumulative.shape[1])
    return lambda symbol, at: cumulative[symbol, row if at is None else at]
