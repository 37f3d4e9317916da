"""The standard normal prior: every cell is as likely."""

from typing import Any

import numpy as np

from ..ans import Lanes
from .grid import Grid

_BITS = 24


class StandardPrior:
    """Equal shares for the cells of k latents.

    Parameters
    ----------
    k : number of latents
    grid : the cells of each
    """

    kind = "standard"

    def __init__(self, k: int, grid: Grid):
        self.k, self.grid = k, grid

    def push(self, lanes: Lanes, cells: np.ndarray) -> np.ndarray:
        """Code cells of shape (k, m); return the bits of each row, shape (m,)."""
        each = np.uint64(_BITS - self.grid.bits)
        for row in cells[::-1].astype(np.uint64):
            freq = np.full(row.shape, np.uint64(1) << each)
            lanes.push(row << each, freq, bits=_BITS)
        return np.full(cells.shape[1], float(self.k * self.grid.bits))

    def pop(self, lanes: Lanes, m: int) -> np.ndarray:
        """Return the cells of m rows, shape (k, m), int64."""
        each = np.uint64(_BITS - self.grid.bits)
        cells = np.zeros((self.k, m), np.int64)
        for j in range(self.k):
            cell = lanes.target(m, bits=_BITS) >> each
            lanes.advance(cell << each, np.full(m, np.uint64(1) << each), bits=_BITS)
            cells[j] = cell
        return cells

    def state(self) -> dict[str, Any]:
        """Return what the prior is made of."""
        return {"kind": self.kind, "k": self.k, "bits": self.grid.bits}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "StandardPrior":
        """Undo :meth:`state`."""
        return cls(state["k"], Grid(state["bits"]))
