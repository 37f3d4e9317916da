"""Levels each with a probability of its own."""

from typing import Any

import numpy as np

from ..logs import shares
from .family import AbstractLevels, tiles


class CategoricalSymbols(AbstractLevels):
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

    def cumulative(self, outputs: np.ndarray, at: slice) -> np.ndarray:
        logs = outputs.reshape(self.levels, self.d, -1)[:, at]
        each = shares(logs, (1 << self.bits) - self.levels) + 1.0
        return np.concatenate([np.zeros((1, *each.shape[1:])), each.cumsum(axis=0)])

    def expected(self, outputs: np.ndarray) -> np.ndarray:
        likely = np.empty((self.d, outputs.shape[1]), np.int64)
        for at in tiles(self.d, outputs.shape[1] * self.levels):
            likely[at] = np.diff(self.cumulative(outputs, at), axis=0).argmax(axis=0)
        return likely

    def state(self) -> dict[str, Any]:
        return {"kind": self.kind, "d": self.d, "levels": self.levels}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "CategoricalSymbols":
        """Undo :meth:`state`."""
        return cls(state["d"], state["levels"])
