"""Frequencies of a latent's cells, from two numbers or from counts of cells."""

import dataclasses

import numpy as np

from wellposed._errors import DamagedFileError

from ..container.varint import Cursor, pack_number
from ..integer import curve
from .quantiser import MOST_CELLS, folded, unfolded

BITS = 24
_KNOTS, _FAR = 64, 8
_POINT_BITS = 16
_SPREAD_PARTS = 16  # of a cell: the unit of a spread
_MOST_COUNTED = 4096  # cells whose counts are tried


@dataclasses.dataclass(frozen=True, eq=False)
class Shares:
    """Cumulative frequencies, which sum to 2^24, of cells from ``low`` on.

    Parameters
    ----------
    low : the first cell
    cumulative : int64, of one more than the cells
    packed : how they are written
    """

    low: int
    cumulative: np.ndarray
    packed: bytes

    @classmethod
    def fitted(cls, cells: np.ndarray, repeat: float = 1.0) -> "Shares":
        """Return the shares, of a normal or counted, by which cells (n,) take fewer bits.

        Where these are a sample, each stands for ``repeat`` rows.
        """
        low = int(cells.min(initial=0))
        counts = np.bincount(cells - low, minlength=1)
        spread = _spread(cells)
        tried = [cls._normal(low, len(counts), spread)]
        if len(counts) <= _MOST_COUNTED:
            tried.append(cls._counted(low, counts))
        return min(tried, key=lambda own: own.bits(counts, repeat))

    @classmethod
    def read(cls, cursor: Cursor) -> "Shares":
        """Read ``packed``."""
        low, n, spread = unfolded(cursor.number()), cursor.number() + 1, cursor.number()
        if abs(low) > MOST_CELLS or n > 2 * MOST_CELLS + 1:
            raise DamagedFileError("a latent has more cells than any model's.")
        if spread:
            return cls._normal(low, n, spread)
        counts = np.array([cursor.number() for _ in range(n)], np.int64)
        if counts.sum(dtype=object) >= 2**53 or not counts.any():
            raise DamagedFileError("the counts of cells are not those of rows.")
        return cls._counted(low, counts)

    @classmethod
    def _normal(cls, low: int, n: int, spread: int) -> "Shares":
        """A normal around cell 0, its deviation in sixteenths of a cell."""
        edges = 2.0 * (low + np.arange(n + 1)) - 1.0
        point = np.floor(edges * (_SPREAD_PARTS * _KNOTS // 2 << _POINT_BITS) / spread)
        point *= 2.0**-_POINT_BITS
        point += _FAR * _KNOTS
        below = curve("normal", -_FAR, _FAR, scale=1 << BITS).at(point).astype(np.int64)
        below[0], below[-1] = 0, 1 << BITS
        # Each cell has at least one.
        below = (below * ((1 << BITS) - n) >> BITS) + np.arange(n + 1)
        return cls(low, below, _head(low, n) + pack_number(spread))

    @classmethod
    def _counted(cls, low: int, counts: np.ndarray) -> "Shares":
        n, total = len(counts), int(counts.sum())
        each = [int(count) * ((1 << BITS) - n) // max(total, 1) + 1 for count in counts]
        each[int(counts.argmax())] += (1 << BITS) - sum(each)
        written = b"".join(pack_number(int(count)) for count in counts)
        cumulative = np.concatenate([[0], np.cumsum(np.array(each, np.int64))])
        return cls(low, cumulative, _head(low, n) + pack_number(0) + written)

    def bits(self, counts: np.ndarray, repeat: float = 1.0) -> float:
        """Return the bits of counted cells, and of what is written of the shares."""
        each = BITS - np.log2(np.diff(self.cumulative).astype(float))
        return float(repeat * (counts * each).sum()) + 8.0 * len(self.packed)

    def intervals(self, cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return starts and frequencies of cells, uint64."""
        at = cells - self.low
        start = self.cumulative.take(at)
        return start.astype(np.uint64), (self.cumulative.take(at + 1) - start).astype(np.uint64)

    def find(self, target: np.ndarray) -> np.ndarray:
        """Return the cells whose intervals hold the targets."""
        place = np.searchsorted(self.cumulative, target.astype(np.int64), side="right")
        return self.low + place - 1


def _head(low: int, n: int) -> bytes:
    return pack_number(folded(low)) + pack_number(n - 1)


def _spread(cells: np.ndarray) -> int:
    """The deviation of cells from cell 0, rounding to cells taken out, in sixteenths."""
    square = float((cells.astype(float) ** 2).mean()) if len(cells) else 0.0
    return max(1, round(_SPREAD_PARTS * max(square - 1 / 12, 0.04) ** 0.5))
