"""Real numbers at their resolution that share a few factors, one after another."""

import dataclasses
from typing import Any

import numpy as np

from ..search import Intervals
from .family import AbstractFamily, AbstractReader
from .real import PLACE_BITS, RealSymbols, Shapes
from .scales import SCALE_BITS, rates

_MOST = 2.0**25  # of locations, in 2^-12 of places
_FINE = 2.0**-PLACE_BITS
_MOST_SCALE, _MOST_RATE = 2.0**50, 2.0**27


class LowRankSymbols(AbstractFamily):
    r"""Steps of real features y = μ + Wᵀε + σe with r shared normals ε: ``LowRankGaussian``.

    Each feature is coded given those before it, whose residuals change the mean m and the
    covariance P of ε. With w its row of W and s = wᵀPw + σ²,

    .. math:: y \sim N(μ + w^\top m, s), \qquad m ← m + P w (y - μ - w^\top m)/s, \quad
       P ← P - P w w^\top P/s

    each operation on numbers correctly rounded, in one order. The decoder's outputs are d locations
    and r rows of d factors, in 2^-12 of places, and d raw scales where scales depend on z.

    Parameters
    ----------
    real : of the diagonal noise
    rank : r
    """

    kind = "low-rank"
    bits = RealSymbols.bits
    independent = False

    def __init__(self, real: RealSymbols, rank: int):
        self.real, self.rank, self.d = real, rank, real.d

    def outside(self, symbols: np.ndarray) -> np.ndarray:
        return self.real.outside(symbols)

    def intervals(self, outputs: np.ndarray, symbols: np.ndarray) -> Intervals:
        below, above = np.empty(symbols.shape), np.empty(symbols.shape)
        state = _State(self, outputs)
        for j, own in enumerate(symbols):
            shapes = state.shapes(j)
            below[j] = self.real.below(j, own, shapes)
            above[j] = self.real.below(j, own + 1, shapes)
            state.update(j, own)
        return Intervals.between(symbols, below, above)

    def reader(self, outputs: np.ndarray) -> AbstractReader:
        return _Reader(self, outputs)

    def expected(self, outputs: np.ndarray) -> np.ndarray:
        return self.real.expected(own_rows(outputs, self.d, self.rank))

    def state(self) -> dict[str, Any]:
        return {"kind": self.kind, "real": self.real.state(), "rank": self.rank}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "LowRankSymbols":
        """Undo :meth:`state`."""
        return cls(RealSymbols.from_state(state["real"]), state["rank"])


def own_rows(outputs: np.ndarray, d: int, rank: int) -> np.ndarray:
    """Return the decoder's outputs without factors, those of the diagonal noise."""
    m = outputs.shape[1]
    blocks = outputs.reshape(-1, d, m)
    return np.concatenate([blocks[:1], blocks[1 + rank :]]).reshape(-1, m)


class _State:
    """The factors of rows of one chunk, given the features before."""

    def __init__(self, family: LowRankSymbols, outputs: np.ndarray):
        d, r, m = family.d, family.rank, outputs.shape[1]
        self._factor = outputs.reshape(-1, d, m)[1 : 1 + r] * _FINE
        self._each = family.real.parameters(own_rows(outputs, d, r), slice(None))
        self._real, self._m = family.real, m
        self._mean, self._covariance = np.zeros((r, m)), np.zeros((r, r, m))
        self._covariance[np.arange(r), np.arange(r)] = 1.0
        self._towards, self._variance = np.zeros((r, m)), np.ones(m)
        self._location = np.zeros(m)

    def shapes(self, j: int) -> Shapes:
        """Return the density of feature j given those before it."""
        own, w = self._each.at(j), self._factor[:, j]
        sigma = own.scale * 2.0**-SCALE_BITS
        own_variance = sigma * sigma
        self._towards = _sum(self._covariance[b] * w[b] for b in range(len(w)))
        along = _sum(w[a] * self._towards[a] for a in range(len(w)))
        self._variance = np.maximum(along + own_variance, own_variance)
        moved = _sum(w[a] * self._mean[a] for a in range(len(w))) * (1.0 / _FINE)
        self._location = np.clip(np.floor(own.location + moved), -_MOST, _MOST)
        scale = np.floor(np.sqrt(self._variance) * 2.0**SCALE_BITS)
        scale = np.clip(scale, 1.0, _MOST_SCALE)
        rate = np.minimum(rates(scale), _MOST_RATE)
        return dataclasses.replace(own, location=self._location, scale=scale, rate=rate)

    def update(self, j: int, symbols: np.ndarray) -> None:
        """Take the symbols of feature j into account, after :meth:`shapes`."""
        beyond = (self._real.middle(j, symbols) - self._location) * _FINE
        gain = self._towards / self._variance
        self._mean += gain * beyond
        self._covariance -= gain[:, None] * self._towards[None]


def _sum(terms: Any) -> Any:
    """The sum of arrays in their order."""
    total = None
    for term in terms:
        total = term if total is None else total + term
    return total


class _Reader(AbstractReader):
    """Features one after another: each changes the factors."""

    def __init__(self, family: LowRankSymbols, outputs: np.ndarray):
        self._family, self._state = family, _State(family, outputs)

    def find(self, j: int, target: np.ndarray) -> Intervals:
        found = self._family.real.find(j, target, self._state.shapes(j))
        self._state.update(j, found.symbol)
        return found
