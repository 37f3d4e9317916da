"""Real numbers at their resolution, each of which regresses on its neighbours already coded."""

import dataclasses
from typing import Any

import numpy as np

from ..logs import RAW_BITS
from ..search import Intervals
from .family import AbstractFamily, AbstractReader, tiles
from .real import RealSymbols, Shapes
from .window import neighbours

WEIGHT_BITS = 16  # fractional bits of regression weights
_MOST = 2.0**26  # of residuals and locations, in 2^-12 of places


class CausalGaussianSymbols(AbstractFamily):
    """Steps of real features whose residuals regress on their neighbours': ``CausalGaussian``.

    The decoder's outputs are those of :class:`RealSymbols`, and d raw weights of each place of
    the window where weights depend on z.

    Parameters
    ----------
    real : of the innovations
    own : positions of the features that vary, int64, shape (d,)
    grid : (H, W, C), of all features
    window : side of the window
    weights : int64, shape (places, d), in 2^-16; None where they depend on z
    """

    kind = "causal-gaussian"
    bits = RealSymbols.bits
    independent = False

    def __init__(
        self,
        real: RealSymbols,
        own: np.ndarray,
        grid: tuple[int, int, int],
        window: int,
        weights: np.ndarray | None,
    ):
        self.real, self.own, self.grid, self.window, self.weights = real, own, grid, window, weights
        self.d = real.d
        # Place 0 of a row's residuals is an empty one.
        self.near = neighbours(grid, window)[own]
        self._rows = real.d * (1 if real.scale.times is None else 2)

    def outside(self, symbols: np.ndarray) -> np.ndarray:
        return self.real.outside(symbols)

    def canvas(self, m: int) -> np.ndarray:
        """Return residuals of m rows before any feature, shape (1 + H·W·C, m)."""
        return np.zeros((1 + self.grid[0] * self.grid[1] * self.grid[2], m))

    def regressed(self, shapes: Shapes, near: np.ndarray, weights: np.ndarray) -> Shapes:
        """Return densities that are moved by weights (places, …) times residuals."""
        moved = (near * weights).sum(axis=0)
        moved *= 2.0**-WEIGHT_BITS
        moved = np.floor(moved, out=moved) + shapes.location
        return dataclasses.replace(shapes, location=np.clip(moved, -_MOST, _MOST))

    def weights_of(self, outputs: np.ndarray, at: slice) -> np.ndarray:
        """Return the weights of some features, shape (places, d', m) or (places, d', 1)."""
        if self.weights is not None:
            return self.weights[:, at, None].astype(np.float64)
        raw = outputs[self._rows :].reshape(-1, self.d, outputs.shape[1])[:, at]
        raw = np.clip(raw, -(2.0**20), 2.0**20)
        return np.floor(raw * 2.0**WEIGHT_BITS / (2.0**RAW_BITS + np.abs(raw).sum(axis=0)))

    def shapes(self, outputs: np.ndarray) -> Shapes:
        """Return the densities of all features without their neighbours."""
        return self.real.parameters(outputs[: self._rows], slice(None))

    def residual(self, j: Any, symbols: np.ndarray, location: np.ndarray) -> np.ndarray:
        """Return what symbols are beyond locations."""
        return np.clip(self.real.middle(j, symbols) - location, -_MOST, _MOST)

    def intervals(self, outputs: np.ndarray, symbols: np.ndarray) -> Intervals:
        m = symbols.shape[1]
        shapes, canvas = self.shapes(outputs), self.canvas(m)
        every = (slice(None), None)
        canvas[self.own + 1] = self.residual(every, symbols, shapes.location)
        below, above = np.empty(symbols.shape), np.empty(symbols.shape)
        for at in tiles(self.d, self.near.shape[1] * m):
            near = canvas.take(self.near[at].T, axis=0)
            moved = self.regressed(shapes.at(at), near, self.weights_of(outputs, at))
            below[at] = self.real.below((at, None), symbols[at], moved)
            above[at] = self.real.below((at, None), symbols[at] + 1, moved)
        return Intervals.between(symbols, below, above)

    def reader(self, outputs: np.ndarray) -> AbstractReader:
        return _Reader(self, outputs)

    def expected(self, outputs: np.ndarray) -> np.ndarray:
        return self.real.expected(outputs[: self._rows])

    def state(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "real": self.real.state(),
            "own": self.own,
            "grid": list(self.grid),
            "window": self.window,
            "weights": self.weights,
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "CausalGaussianSymbols":
        """Undo :meth:`state`."""
        real = RealSymbols.from_state(state["real"])
        height, width, channels = state["grid"]
        grid = (height, width, channels)
        return cls(real, state["own"], grid, state["window"], state["weights"])


class _Reader(AbstractReader):
    """Features one after another: the residual of each moves the next."""

    def __init__(self, family: CausalGaussianSymbols, outputs: np.ndarray):
        self._family, self._outputs = family, outputs
        self._shapes, self._canvas = family.shapes(outputs), family.canvas(outputs.shape[1])

    def find(self, j: int, target: np.ndarray) -> Intervals:
        family, shapes = self._family, self._shapes.at(j)
        near = self._canvas.take(family.near[j], axis=0)
        weights = family.weights_of(self._outputs, slice(j, j + 1))[:, 0]
        found = family.real.find(j, target, family.regressed(shapes, near, weights))
        self._canvas[family.own[j] + 1] = family.residual(j, found.symbol, shapes.location)
        return found
