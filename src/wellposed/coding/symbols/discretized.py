"""Independent levels from logistics and normals, and mixtures of them, cut into cells."""

from typing import Any

import numpy as np

from ..search import Intervals
from .cells import Cells, LevelCurve
from .family import AbstractFamily, AbstractReader, tiles
from .scales import ScaleRule


class DiscretizedSymbols(AbstractFamily):
    """Levels 0, …, L − 1 from curves cut into cells: ``DiscretizedLogistic`` and ``…Gaussian``.

    The decoder's outputs are m blocks of locations in levels, m of raw scales where scales depend
    on z, and m of log weights where m > 1; each block has d rows.

    Parameters
    ----------
    base : "logistic" or "normal"
    d, levels, mixture : features, L and m
    scale : ScaleRule of d features
    """

    kind = "cells"
    bits = 24

    def __init__(self, base: str, d: int, levels: int, mixture: int, scale: ScaleRule):
        self.base, self.d, self.levels, self.mixture, self.scale = base, d, levels, mixture, scale
        self.curve = LevelCurve(base, levels, self.bits)

    def outside(self, symbols: np.ndarray) -> np.ndarray:
        return (symbols < 0) | (symbols >= self.levels)

    def cells(self, outputs: np.ndarray, at: slice) -> Cells:
        """Return the parameters of the features in a slice."""
        m = self.mixture
        blocks = outputs.reshape(-1, self.d, outputs.shape[1])[:, at]
        raw = None if self.scale.times is None else blocks[m : 2 * m]
        scales = np.broadcast_to(self.scale.scales(raw, at), blocks[:m].shape)
        return Cells.of(blocks[:m], scales, blocks[-m:] if m > 1 else None, self.levels)

    def intervals(self, outputs: np.ndarray, symbols: np.ndarray) -> Intervals:
        below, above = np.empty(symbols.shape), np.empty(symbols.shape)
        for at in tiles(self.d, symbols.shape[1] * self.mixture):
            below[at], above[at] = self.curve.intervals(self.cells(outputs, at), symbols[at])
        return Intervals.between(symbols, below, above)

    def reader(self, outputs: np.ndarray) -> AbstractReader:
        return _Reader(self.curve, self.cells(outputs, slice(None)))

    def expected(self, outputs: np.ndarray) -> np.ndarray:
        means = np.empty((self.d, outputs.shape[1]), np.int64)
        for at in tiles(self.d, outputs.shape[1] * self.mixture):
            means[at] = self.curve.means(self.cells(outputs, at))
        return means

    def state(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "base": self.base,
            "d": self.d,
            "levels": self.levels,
            "mixture": self.mixture,
            "scale": self.scale.state(),
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "DiscretizedSymbols":
        """Undo :meth:`state`."""
        scale = ScaleRule(**state["scale"])
        return cls(state["base"], state["d"], state["levels"], state["mixture"], scale)


class _Reader(AbstractReader):
    def __init__(self, curve: LevelCurve, cells: Cells):
        self._curve, self._cells = curve, cells

    def find(self, j: int, target: np.ndarray) -> Intervals:
        return self._curve.find(self._cells.feature(j), target)
