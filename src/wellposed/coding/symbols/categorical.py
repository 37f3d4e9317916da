"""Levels each with a probability of its own."""

from typing import Any

import numpy as np

from ..logs import shares
from ..search import Intervals
from .family import AbstractFamily, AbstractReader, CumulativeReader, tiles


class CategoricalSymbols(AbstractFamily):
    """Levels 0, …, L − 1 by a softmax: ``Categorical``.

    The decoder's outputs are L blocks of d log probabilities, up to a constant.

    Parameters
    ----------
    d, levels : features and L
    """

    kind = "categorical"
    bits = 24

    def __init__(self, d: int, levels: int):
        self.d, self.levels = d, levels

    def outside(self, symbols: np.ndarray) -> np.ndarray:
        return (symbols < 0) | (symbols >= self.levels)

    def cumulative(self, outputs: np.ndarray, at: slice) -> np.ndarray:
        """Return the cumulative frequencies of some features, shape (L + 1, d', m)."""
        logs = outputs.reshape(self.levels, self.d, -1)[:, at]
        each = shares(logs, (1 << self.bits) - self.levels) + 1.0
        return np.concatenate([np.zeros((1, *each.shape[1:])), each.cumsum(axis=0)])

    def intervals(self, outputs: np.ndarray, symbols: np.ndarray) -> Intervals:
        below, above = np.empty(symbols.shape), np.empty(symbols.shape)
        for at in tiles(self.d, symbols.shape[1] * self.levels):
            cumulative = self.cumulative(outputs, at)
            ends = (symbols[at], symbols[at] + 1)
            below[at], above[at] = (
                np.take_along_axis(cumulative, each[None], axis=0)[0] for each in ends
            )
        return Intervals.between(symbols, below, above)

    def reader(self, outputs: np.ndarray) -> AbstractReader:
        return CumulativeReader(self.cumulative, outputs, self.levels)

    def state(self) -> dict[str, Any]:
        return {"kind": self.kind, "d": self.d, "levels": self.levels}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "CategoricalSymbols":
        """Undo :meth:`state`."""
        return cls(state["d"], state["levels"])
