"""Parts of blocks, and their rows."""

import dataclasses
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from ._identity import check_same
from ._source import BlockSource


@dataclasses.dataclass(frozen=True)
class Piece:
    """Consecutive places of one block.

    Parameters
    ----------
    block : number of the block
    start, stop : places in the block, from 0
    """

    block: int
    start: int
    stop: int

    @property
    def count(self) -> int:
        """Number of rows."""
        return self.stop - self.start


def in_order(source: BlockSource, start: int, stop: int) -> Iterator[Piece]:
    """Yield the pieces that hold the rows from ``start`` to before ``stop``."""
    for place in source.within(start, stop):
        yield Piece(*place)


class Reader:
    """Reads pieces one after another; a block that is read in several pieces is kept for the next.

    Parameters
    ----------
    source : BlockSource
    arrange : function of a block and places in it that returns places in the file's order; None
        keeps that order

    Examples
    --------
    >>> from wellposed.sources import ArraySource
    >>> source = ArraySource(np.arange(6.0).reshape(3, 2))
    >>> Reader(source).read([Piece(0, 1, 3)])[0].tolist()
    [[2.0, 3.0], [4.0, 5.0]]
    """

    def __init__(
        self,
        source: BlockSource,
        arrange: Callable[[int, np.ndarray], np.ndarray] | None = None,
    ):
        self._source, self._arrange = source, arrange
        self._kept: tuple[int, np.ndarray] = -1, np.empty((0, 0))

    def read(self, pieces: Sequence[Piece]) -> tuple[np.ndarray, np.ndarray]:
        """Return rows of shape (m, d), and the numbers that they have in the source, shape (m,)."""
        source, total = self._source, sum(piece.count for piece in pieces)
        rows = np.empty((total, source.n_features), source.dtype)
        numbers, at = np.empty(total, np.int64), 0
        for piece in pieces:
            first, last = source.span(piece.block)
            places = np.arange(piece.start, piece.stop)
            if self._arrange is not None:
                places = self._arrange(piece.block, places)
            target = rows[at : at + piece.count]
            if piece.count == last - first and self._arrange is None:
                source.read(piece.block, target)
            else:
                target[:] = self._block(piece.block)[places]
            numbers[at : at + piece.count] = first + places
            at += piece.count
        return rows, numbers

    def _block(self, block: int) -> np.ndarray:
        if self._kept[0] != block:
            self._kept = -1, np.empty((0, 0))  # given up before the next is read
            self._kept = block, self._source.whole_block(block)
        return self._kept[1]


class SlicedRows:
    """Rows of a source as an array that is read where it is sliced.

    Slices that follow one another read each block once.

    Parameters
    ----------
    source : BlockSource

    Raises
    ------
    DataError
        At the slice that ends with the last row, if the source has changed since it was opened.

    Examples
    --------
    >>> from wellposed.sources import ArraySource
    >>> rows = SlicedRows(ArraySource(np.arange(6.0).reshape(3, 2)))
    >>> rows.shape, rows[1:3].tolist()
    ((3, 2), [[2.0, 3.0], [4.0, 5.0]])
    """

    def __init__(self, source: BlockSource):
        self._source, self._reader = source, Reader(source)
        self._before = source.identity()
        self.shape, self.dtype = (source.n_rows, source.n_features), np.dtype(source.dtype)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice) -> np.ndarray:
        start, stop, step = rows.indices(len(self))
        if step != 1:
            raise IndexError(f"Rows of a source are read in order; got a step of {step}.")
        if stop == len(self):
            check_same(self._before, self._source.identity(), self._source)
        return self._reader.read(list(in_order(self._source, start, stop)))[0]
