"""q(z | x) as frequencies of cells."""

import numpy as np

from ..integer import curve
from ..logs import RAW_BITS
from ..search import Intervals, bisect
from .grid import PLACE_BITS, Grid

# Of frequencies. A cell far from q has a frequency of one, and a z drawn there costs its row dozens
# of bits: of 32 latents with 2^12 cells, one row in two thousand; with 24 bits one in 130.
BITS = 28

_KNOTS = 64
_RATE_BITS = 14  # fractional bits of 1/σ: with those of places and of the table not over 53
_FAR = 8
_FARTHEST_MEAN = 32.0 * 2**PLACE_BITS
# Raw scales from here upwards: no σ is below 2^-12, of which cells tell nothing.
_LEAST_RAW, _MOST_RAW = -9, 40


class Posterior:
    """The Gaussian posterior with independent latents, of integer means and raw scales.

    Parameters
    ----------
    outputs : of the encoder, shape (2k, m): means in 2^-16, then raw scales in 2^-10
    grid : cells of each latent
    """

    def __init__(self, outputs: np.ndarray, grid: Grid):
        k = len(outputs) // 2
        self._grid, self.k = grid, k
        self._mean = np.clip(outputs[:k], -_FARTHEST_MEAN, _FARTHEST_MEAN)
        inverse = curve("inverse_positive", _LEAST_RAW, _MOST_RAW, scale=2**_RATE_BITS)
        self._rate = inverse(outputs[k:], bits=RAW_BITS) * (
            _KNOTS * 2.0 ** -(PLACE_BITS + _RATE_BITS)
        )
        self._normal = curve("normal", -_FAR, _FAR, scale=(1 << BITS) - grid.n_cells)

    @property
    def means(self) -> np.ndarray:
        """Means in 2^-16, whole numbers in float64, shape (k, m)."""
        return self._mean

    @property
    def spreads(self) -> np.ndarray:
        """Standard deviations in 2^-16, shape (k, m)."""
        return _KNOTS / self._rate

    def find(self, j: int, target: np.ndarray) -> Intervals:
        """Return the cells of latent j whose intervals hold the targets, shape (m,)."""
        return bisect(lambda cell, at: self._below(j, cell, at), target, self._grid.n_cells)

    def intervals(self, j: int, cells: np.ndarray) -> Intervals:
        """Return the intervals of given cells of latent j, shape (m,)."""
        return Intervals.between(cells, self._below(j, cells), self._below(j, cells + 1))

    def _below(self, j: int, cell: np.ndarray, at: np.ndarray | None = None) -> np.ndarray:
        """Cumulative frequency below a cell: each cell adds at least one."""
        mean, rate = self._mean[j], self._rate[j]
        if at is not None:
            mean, rate = mean.take(at), rate.take(at)
        point = self._grid.edges[j].take(cell)
        point -= mean
        point *= rate
        point += _FAR * _KNOTS
        return self._normal.at(point) + cell
