"""Features that never varied: the constant, or an exception, by Laplace's rule."""

from typing import Any

import numpy as np

from ..search import Intervals, near
from .family import AbstractFamily, AbstractReader


class ConstantSymbols(AbstractFamily):
    """One of L levels, but for a small share of each other.

    Parameters
    ----------
    value : int64, shape (d,), the constants
    other : frequency of each other level, of 2^24
    levels : L
    """

    kind = "constant"
    bits = 24

    def __init__(self, value: np.ndarray, other: int, levels: int):
        self.value, self.other, self.levels = np.asarray(value, np.int64), other, levels
        self.d = len(self.value)

    @classmethod
    def of(cls, value: np.ndarray, others: float, levels: int) -> "ConstantSymbols":
        """Return them for a probability of each other level."""
        return cls(value, max(1, int(others * (1 << cls.bits))), levels)

    def outside(self, symbols: np.ndarray) -> np.ndarray:
        return (symbols < 0) | (symbols >= self.levels)

    def intervals(self, outputs: np.ndarray, symbols: np.ndarray) -> Intervals:
        del outputs
        value = self.value[:, None]
        below = self._below(value, symbols)
        return Intervals.between(symbols, below, self._below(value, symbols + 1))

    def reader(self, outputs: np.ndarray) -> AbstractReader:
        return _Reader(self)

    def expected(self, outputs: np.ndarray) -> np.ndarray:
        return np.repeat(self.value[:, None], outputs.shape[1], axis=1)

    def _below(self, value: np.ndarray, symbol: np.ndarray) -> np.ndarray:
        extra = (1 << self.bits) - self.levels * self.other
        return self.other * symbol.astype(np.float64) + extra * (symbol > value)

    def state(self) -> dict[str, Any]:
        return {"kind": self.kind, "value": self.value, "other": self.other, "levels": self.levels}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "ConstantSymbols":
        """Undo :meth:`state`."""
        return cls(state["value"], state["other"], state["levels"])


class _Reader(AbstractReader):
    def __init__(self, family: ConstantSymbols):
        self._family = family

    def find(self, j: int, target: np.ndarray) -> Intervals:
        value = self._family.value[j : j + 1]
        guess = np.full(target.shape, float(value[0]))
        return near(
            lambda symbol, at: self._family._below(value, symbol),
            target,
            guess,
            self._family.levels,
        )
