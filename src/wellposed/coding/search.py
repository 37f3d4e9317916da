"""Symbols by their cumulative frequencies, and back."""

import dataclasses
from collections.abc import Callable

import numpy as np

# From symbols, as int64, and the positions of their rows (None for all) to the cumulative
# frequency below each symbol: rising, zero at symbol 0.
Below = Callable[[np.ndarray, np.ndarray | None], np.ndarray]
# From symbols to the cumulative frequencies below them and below the next ones.
Ends = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


@dataclasses.dataclass(frozen=True)
class Intervals:
    """Symbols with the intervals of frequencies that stand for them; each of one shape.

    Parameters
    ----------
    symbol : int64
    start, freq : uint64
    """

    symbol: np.ndarray
    start: np.ndarray
    freq: np.ndarray

    @classmethod
    def between(cls, symbol: np.ndarray, below: np.ndarray, above: np.ndarray) -> "Intervals":
        """Return the intervals [below, above), given as whole numbers in float64."""
        return cls(symbol, below.astype(np.uint64), (above - below).astype(np.uint64))

    def without(self, gaps: np.ndarray, precision: int) -> "Intervals":
        """Return the same with the whole range, which has no bits, where there are gaps."""
        start = np.where(gaps, np.uint64(0), self.start)
        return Intervals(self.symbol, start, np.where(gaps, np.uint64(1 << precision), self.freq))

    def bits(self, precision: int) -> np.ndarray:
        """Return the length of the code of each symbol, in bits."""
        return precision - np.log2(self.freq.astype(np.float64))


def bisect(below: Below, target: np.ndarray, n: int) -> Intervals:
    """Return the symbols 0 ≤ s < n with below(s) ≤ target < below(s + 1).

    Examples
    --------
    >>> found = bisect(lambda s, at: 10.0 * s, np.array([0, 25], np.uint64), 4)
    >>> found.symbol.tolist(), found.start.tolist(), found.freq.tolist()
    ([0, 2], [0, 20], [10, 10])
    """
    low = np.zeros(len(target), np.int64)
    return _halve(below, target.astype(np.float64), low, np.full_like(low, n), None)


def near(
    below: Below, target: np.ndarray, guess: np.ndarray, n: int, ends: Ends | None = None
) -> Intervals:
    """Return the same as :func:`bisect`; fast where most of the guesses are right.

    Parameters
    ----------
    guess : whole numbers as float64, within 0 and n − 1; what they are does not change the result
    ends : ``below`` of symbols and of the next ones, where both at once take less time
    """
    target = target.astype(np.float64)
    symbol = guess.astype(np.int64)
    start, end = ends(symbol) if ends else (below(symbol, None), below(symbol + 1, None))
    wrong = ((target < start) | (target >= end)).nonzero()[0]
    if wrong.size:
        own = (each.take(wrong) for each in (target, symbol, start, end))
        symbol[wrong], start[wrong], end[wrong] = _beside(below, *own, n=n, at=wrong)
    return Intervals.between(symbol, start, end)


def _beside(
    below: Below,
    target: np.ndarray,
    guess: np.ndarray,
    start: np.ndarray,
    end: np.ndarray,
    *,
    n: int,
    at: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the symbols of targets that are not in [start, end) of the guesses, and their ends.

    Most are the symbol next to the guess, for which one end is known.
    """
    left = target < start
    symbol, far = np.where(left, guess - 1, guess + 1), np.where(left, guess - 1, guess + 2)
    reached = below(far, at)
    low, high = np.where(left, reached, end), np.where(left, start, reached)
    farther = ((target < low) | (target >= high)).nonzero()[0]
    if farther.size:
        own = (each.take(farther) for each in (target, far, left, at))
        found = _stride(below, *own, n=n)
        symbol[farther] = found.symbol
        low[farther] = found.start
        high[farther] = found.start + found.freq
    return symbol, low, high


def _stride(
    below: Below, target: np.ndarray, edge: np.ndarray, left: np.ndarray, at: np.ndarray, *, n: int
) -> Intervals:
    """Go from an edge by strides until the symbol is passed, then halve."""
    low, high = np.where(left, 0, edge), np.where(left, edge, n)
    for stride in (1, 4):
        tried = np.where(left, np.maximum(high - stride, low), np.minimum(low + stride, high))
        tried = np.minimum(tried, n - 1)
        reached = below(tried, at) <= target
        low, high = np.where(reached, np.maximum(low, tried), low), np.where(reached, high, tried)
    return _halve(below, target, low, high, at)


def _halve(
    below: Below, target: np.ndarray, low: np.ndarray, high: np.ndarray, at: np.ndarray | None
) -> Intervals:
    """Return the symbols low ≤ s < high that the targets are in, where there is one."""
    for _ in range(int((high - low - 1).max(initial=0)).bit_length()):
        middle = (low + high) >> 1
        # Where the ends have met, the middle is the low end, which is reached.
        reached = below(middle, at) <= target
        low, high = np.where(reached, middle, low), np.where(reached, high, middle)
    return Intervals.between(low, below(low, at), below(low + 1, at))
