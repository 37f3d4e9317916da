"""The standard normal prior: every cell is as likely."""

from typing import Any

import numpy as np

from ..ans import Lanes
from .grid import Grid

_BITS = 24


class StandardPrior:
    """Equal shares for the cells of each latent.

    Parameters
    ----------
    grid : of the latents
    """

    kind = "standard"

    def __init__(self, grid: Grid):
        self.grid = grid

    def push(self, lanes: Lanes, cells: np.ndarray, flips: np.ndarray) -> np.ndarray:
        """Code cells of shape (k, m); return the bits of each row, shape (m,)."""
        del flips
        each = np.uint64(_BITS - self.grid.bits)
        for row in cells[::-1].astype(np.uint64):
            freq = np.full(row.shape, np.uint64(1) << each)
            lanes.push(row << each, freq, bits=_BITS)
        return np.full(cells.shape[1], float(self.grid.k * self.grid.bits))

    def pop(self, lanes: Lanes, flips: np.ndarray) -> np.ndarray:
        """Return the cells of m rows, shape (k, m), int64; flips are theirs of :meth:`push`."""
        each, m = np.uint64(_BITS - self.grid.bits), len(flips)
        cells = np.zeros((self.grid.k, m), np.int64)
        for row in cells:
            cell = lanes.target(m, bits=_BITS) >> each
            lanes.advance(cell << each, np.full(m, np.uint64(1) << each), bits=_BITS)
            row[:] = cell
        return cells

    def state(self) -> dict[str, Any]:
        """Return what the prior is made of."""
        return {"kind": self.kind, "grid": self.grid.state()}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "StandardPrior":
        """Undo :meth:`state`."""
        return cls(Grid(**state["grid"]))
