"""What the coder needs of a family of noise."""

import abc
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from ..ans import Lanes
from ..search import Intervals, bisect

# Features of an array that is worked on at once: it stays in a processor's cache.
_TILE_NUMBERS = 2**15


class AbstractReader(abc.ABC):
    """The features of a chunk of rows, found one after another."""

    @abc.abstractmethod
    def find(self, j: int, target: np.ndarray) -> Intervals:
        """Return the symbols of feature j whose intervals hold the targets, shape (m,)."""


class AbstractSymbols(abc.ABC):
    """p(y | z) of some features, of integer outputs of the decoder."""

    kind: str
    d: int  # features
    bits: int  # of frequencies, which sum to 2^bits
    independent: bool = True  # whether features are, given z
    taken: float = 1.0  # bits of a feature, roughly; the sizes of the first chunks depend on it

    @abc.abstractmethod
    def outside(self, symbols: np.ndarray) -> np.ndarray:
        """Which symbols cannot be coded, for int64 symbols of shape (n, d)."""

    @abc.abstractmethod
    def expected(self, outputs: np.ndarray) -> np.ndarray:
        """Return the expected symbols, rounded, int64, shape (d, m): the reconstruction of z.

        Of levels without an order it is the most likely one.
        """

    @abc.abstractmethod
    def state(self) -> dict[str, Any]:
        """Return what the family is made of: numbers, names and arrays."""


class AbstractJoint(AbstractSymbols):
    """Features that are coded with what they have in common, such as their total."""

    @abc.abstractmethod
    def push(self, lanes: Lanes, outputs: np.ndarray, symbols: np.ndarray) -> np.ndarray:
        """Code symbols in the first lanes; return their bits, shape (m,).

        Parameters
        ----------
        lanes : coders of m rows or more
        outputs : of the decoder, shape (r, m), whole numbers in float64
        symbols : int64, shape (d, m)
        """

    @abc.abstractmethod
    def pop(self, lanes: Lanes, outputs: np.ndarray) -> np.ndarray:
        """Undo :meth:`push`: return the symbols.

        Raises
        ------
        DamagedFileError
            For symbols that :meth:`push` does not take.
        """


class AbstractFamily(AbstractSymbols):
    """Features with an interval of frequencies each."""

    escape: int | None = None  # the symbol that stands for itself and all larger ones, if any

    @abc.abstractmethod
    def intervals(self, outputs: np.ndarray, symbols: np.ndarray) -> Intervals:
        """Return the intervals of symbols.

        Parameters
        ----------
        outputs : of the decoder, shape (r, m), whole numbers in float64
        symbols : int64, shape (d, m)
        """

    @abc.abstractmethod
    def reader(self, outputs: np.ndarray) -> AbstractReader:
        """Return the reader of rows with these outputs of the decoder."""


AnySymbols: TypeAlias = AbstractFamily | AbstractJoint


def tiles(d: int, m: int) -> list[slice]:
    """Return slices of d features that hold about as many numbers as a cache does."""
    each = max(1, _TILE_NUMBERS // max(m, 1))
    return [slice(first, first + each) for first in range(0, d, each)]


class CumulativeReader(AbstractReader):
    """Reader of features whose cumulative frequencies are tables.

    Parameters
    ----------
    cumulative : from outputs and a slice of features to frequencies, shape (n + 1, features, m)
    outputs : of the decoder
    n : number of symbols
    """

    def __init__(self, cumulative: Callable[..., np.ndarray], outputs: np.ndarray, n: int):
        self._cumulative, self._outputs, self._n = cumulative, outputs, n

    def find(self, j: int, target: np.ndarray) -> Intervals:
        cumulative = self._cumulative(self._outputs, slice(j, j + 1))[:, 0]
        row = np.arange(target.size)

        def below(symbol: np.ndarray, at: np.ndarray | None) -> np.ndarray:
            return cumulative[symbol, row if at is None else at]

        return bisect(below, target, self._n)


class AbstractLevels(AbstractFamily):
    """Levels 0, ..., L - 1 with tables of cumulative frequencies; subclasses have ``levels``, L."""

    levels: int

    @abc.abstractmethod
    def cumulative(self, outputs: np.ndarray, at: slice) -> np.ndarray:
        """Return the cumulative frequencies of some features, shape (L + 1, d', m)."""

    def outside(self, symbols: np.ndarray) -> np.ndarray:
        return (symbols < 0) | (symbols >= self.levels)

    def intervals(self, outputs: np.ndarray, symbols: np.ndarray) -> Intervals:
        below, above = np.empty(symbols.shape), np.empty(symbols.shape)
        for at in tiles(self.d, symbols.shape[1] * self.levels):
            cumulative = self.cumulative(outputs, at)
            ends = (symbols[at], symbols[at] + 1)
            below[at], above[at] = (
                np.take_along_axis(cumulative, each[None], axis=0)[0] for each in ends
            )
        return Intervals.between(symbols, below, above)

    def reader(self, outputs: np.ndarray) -> AbstractReader:
        return CumulativeReader(self.cumulative, outputs, self.levels)

    def expected(self, outputs: np.ndarray) -> np.ndarray:
        return table_means(self.cumulative, outputs, self.d, self.levels)


def table_means(
    cumulative: Callable[..., np.ndarray], outputs: np.ndarray, d: int, n: int
) -> np.ndarray:
    """Return the rounded means of n symbols with tables of cumulative frequencies, (d, m)."""
    means = np.empty((d, outputs.shape[1]), np.int64)
    for at in tiles(d, outputs.shape[1] * n):
        below = cumulative(outputs, at)
        # The mean is the sum of the tails P(symbol ≥ v); all of them whole numbers.
        means[at] = np.floor((below[-1] - below[1:-1]).sum(axis=0) / below[-1] + 0.5)
    return means
