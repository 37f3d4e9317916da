"""Levels that depend on the neighbours already coded, by a network that all features share."""

from typing import Any

import numpy as np

from ..integer import Network
from ..network_state import network_from_state, network_state
from ..search import Intervals
from .cells import Cells, LevelCurve
from .family import AbstractFamily, AbstractReader, tiles
from .scales import ScaleRule
from .window import neighbours

# The decoder's outputs are kept within ±2^8, for the bound on the network's sums.
REACH_BITS = 8


class CausalSymbols(AbstractFamily):
    """Mixtures of logistics on L levels: ``CausalLogistic``.

    Parameters
    ----------
    own : positions of the features that vary, int64, shape (d,)
    grid : (H, W, C), of all features
    window : side of the window
    contexts : of each level as a neighbour, int64, shape (L,), in the network's fractional bits
    fixed : of the features that never vary as neighbours, int64, shape (H·W·C,); zero elsewhere
    network : from neighbours and r outputs to locations, raw scales and log weights, in this order
    components : of the mixture
    scale : ScaleRule of one feature
    """

    kind = "causal"
    bits = 24
    independent = False

    def __init__(
        self,
        own: np.ndarray,
        grid: tuple[int, int, int],
        window: int,
        contexts: np.ndarray,
        fixed: np.ndarray,
        network: Network,
        components: int,
        scale: ScaleRule,
    ):
        self.own, self.grid, self.window, self.contexts = own, grid, window, contexts
        self.fixed, self.network, self.components, self.scale = fixed, network, components, scale
        self.d, self.levels = len(own), len(contexts)
        self.curve = LevelCurve("logistic", self.levels, self.bits)
        # Place 0 of a row's contexts is an empty one.
        self.near = neighbours(grid, window)[own]
        self._context = contexts.astype(np.float64)
        self._reach = 2.0 ** (network.activation.bits + REACH_BITS)

    def outside(self, symbols: np.ndarray) -> np.ndarray:
        return (symbols < 0) | (symbols >= self.levels)

    def canvas(self, m: int) -> np.ndarray:
        """Return the contexts of m rows before any feature that varies, shape (1 + H·W·C, m)."""
        start = np.concatenate([[0.0], self.fixed.astype(np.float64)])
        return np.repeat(start[:, None], m, axis=1)

    def cells(self, near: np.ndarray, outputs: np.ndarray) -> Cells:
        """Return the mixtures of some features.

        Parameters
        ----------
        near : contexts of their neighbours, shape (neighbours, d', m)
        outputs : the decoder's for them, shape (r, d', m)
        """
        joined = np.concatenate([near, np.clip(outputs, -self._reach, self._reach)])
        out = self.network(joined.reshape(len(joined), -1)).reshape(-1, *near.shape[1:])
        c = self.components
        scales = self.scale.scales(out[c : 2 * c], 0)
        return Cells.of(out[:c], scales, out[2 * c :] if c > 1 else None, self.levels)

    def context(self, symbols: np.ndarray) -> np.ndarray:
        """Return levels as neighbours."""
        return self._context.take(symbols)

    def intervals(self, outputs: np.ndarray, symbols: np.ndarray) -> Intervals:
        m = symbols.shape[1]
        canvas = self.canvas(m)
        canvas[self.own + 1] = self.context(symbols)
        blocks = outputs.reshape(-1, self.d, m)
        below, above = np.empty(symbols.shape), np.empty(symbols.shape)
        for at in tiles(self.d, 8 * m):
            cells = self.cells(canvas.take(self.near[at].T, axis=0), blocks[:, at])
            below[at], above[at] = self.curve.intervals(cells, symbols[at])
        return Intervals.between(symbols, below, above)

    def reader(self, outputs: np.ndarray) -> AbstractReader:
        return _Reader(self, outputs)

    def expected(self, outputs: np.ndarray) -> np.ndarray:
        """Each feature given the reconstruction of its neighbours."""
        m = outputs.shape[1]
        canvas, blocks = self.canvas(m), outputs.reshape(-1, self.d, m)
        means = np.empty((self.d, m), np.int64)
        for j in range(self.d):
            near = canvas.take(self.near[j], axis=0)
            cells = self.cells(near[:, None], blocks[:, j : j + 1]).feature(0)
            means[j] = self.curve.means(cells)
            canvas[self.own[j] + 1] = self.context(means[j])
        return means

    def state(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "own": self.own,
            "grid": list(self.grid),
            "window": self.window,
            "contexts": self.contexts,
            "fixed": self.fixed,
            "network": network_state(self.network),
            "components": self.components,
            "scale": self.scale.state(),
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "CausalSymbols":
        """Undo :meth:`state`."""
        height, width, channels = state["grid"]
        return cls(
            state["own"],
            (height, width, channels),
            state["window"],
            state["contexts"],
            state["fixed"],
            network_from_state(state["network"]),
            state["components"],
            ScaleRule(**state["scale"]),
        )


class _Reader(AbstractReader):
    """Features one after another: each becomes a neighbour of the next."""

    def __init__(self, family: CausalSymbols, outputs: np.ndarray):
        self._family = family
        self._blocks = outputs.reshape(-1, family.d, outputs.shape[1])
        self._canvas = family.canvas(outputs.shape[1])

    def find(self, j: int, target: np.ndarray) -> Intervals:
        family = self._family
        near = self._canvas.take(family.near[j], axis=0)
        cells = family.cells(near[:, None], self._blocks[:, j : j + 1]).feature(0)
        found = family.curve.find(cells, target)
        self._canvas[family.own[j] + 1] = family.context(found.symbol)
        return found
