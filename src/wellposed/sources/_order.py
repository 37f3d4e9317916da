"""Order of the rows of a pass: a function of seed, epoch and chunk."""

from typing import Any

import numpy as np

from ._permutation import Permutation
from ._pieces import Piece
from ._source import BlockSource

_MOST_ROWS, _FEWEST_ROWS = 65_536, 1_024
_CHUNK_BYTES = 1 << 26
_BLOCKS, _ROWS = 0, 1  # words of a permutation: what it orders


class Order:
    """Shuffled rows of a source in chunks, each of which can be found without those before it.

    Blocks come in random order, and a chunk holds the rows of those that follow one another, so
    that rows of all parts of the source meet in it. Of blocks of several lengths the order of a
    pass is kept, a number a block. Within a chunk rows are shuffled where they
    are used. A block longer than a chunk is shuffled as well. A last block that is shorter than
    the others stays last.

    Parameters
    ----------
    source : BlockSource
    seed : whole number ≥ 0
    chunk_rows : rows of each chunk but the last; see :func:`chunk_rows_of`

    Examples
    --------
    >>> from wellposed.sources import ArraySource
    >>> source = ArraySource(np.zeros((10, 1)), block_rows=2)
    >>> order = Order(source, seed=0, chunk_rows=4)
    >>> order.n_chunks, sum(piece.count for piece in order.pieces(0, 0))
    (3, 4)
    """

    def __init__(self, source: BlockSource, seed: int, chunk_rows: int):
        self.source, self.seed, self.chunk_rows = source, seed, chunk_rows
        self._of_epoch: tuple[int, Any, Any] = -1, None, None

    @property
    def n_chunks(self) -> int:
        """Chunks of a pass."""
        return -(-self.source.n_rows // self.chunk_rows)

    def pieces(self, epoch: int, chunk: int) -> list[Piece]:
        """Return the pieces of a chunk, in order."""
        start = chunk * self.chunk_rows
        stop = min(start + self.chunk_rows, self.source.n_rows)
        found = []
        for block, begin in zip(*self._blocks(epoch, start, stop), strict=True):
            first, last = self.source.span(int(block))
            low, high = max(start, begin), min(stop, begin + last - first)
            found.append(Piece(int(block), int(low - begin), int(high - begin)))
        return found

    def arrange(self, epoch: int, block: int, places: np.ndarray) -> np.ndarray:
        """Return the shuffled places of a block in its own order."""
        first, last = self.source.span(block)
        return Permutation(last - first, [self.seed, epoch, _ROWS, block])(places)

    @property
    def arranges(self) -> bool:
        """Whether rows are shuffled within blocks: where a block is longer than a chunk."""
        return self.source.block_rows > self.chunk_rows

    def _blocks(self, epoch: int, start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the blocks of positions of a pass, and the position at which each begins."""
        source, words = self.source, [self.seed, epoch, _BLOCKS]
        if source.starts is None:
            slots = np.arange(start // source.block_rows, -(-stop // source.block_rows))
            full = source.n_rows // source.block_rows
            last = slots[slots >= full]
            blocks = Permutation(max(full, 1), words)(slots[slots < full])
            return np.append(blocks, last), slots * source.block_rows
        if self._of_epoch[0] != epoch:
            order = Permutation(source.n_blocks, words)(np.arange(source.n_blocks))
            self._of_epoch = epoch, order, np.cumsum(np.diff(source.starts)[order])
        _, order, ends = self._of_epoch
        low, high = np.searchsorted(ends, [start, stop - 1], side="right")
        blocks = order[low : high + 1]
        return blocks, ends[low : high + 1] - np.diff(source.starts)[blocks]


def chunk_rows_of(n_features: int, n_rows: int | None = None) -> int:
    """Return a power of two of rows, of about 64 MiB as float32, but 1,024 to 65,536.

    Of fewer rows, the least power of two that holds them.
    """
    rows = max(1, _CHUNK_BYTES // (4 * max(n_features, 1)))
    rows = min(max(1 << rows.bit_length() - 1, _FEWEST_ROWS), _MOST_ROWS)
    return rows if n_rows is None else min(rows, 1 << max(n_rows - 1, 1).bit_length())
