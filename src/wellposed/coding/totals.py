"""Totals of rows of counts: their size, then the rest of their bits."""

import functools

import numpy as np

from .ans import Lanes

PART_BITS = 20  # fractional bits of a mean and of a concentration
MOST = 2**24  # totals are below
_BITS = 24
_FINE = 7  # bits of a total after its first that have a frequency of their own
_SMALL = 1 << _FINE
_DEVIATIONS = 40.0


class Totals:
    r"""Negative binomial totals T of mean M and variance M + M²/r, whatever the latents are.

    Totals below 128 have a frequency each. Larger ones share it with those that begin with the same
    eight bits, and the other bits follow as they are. The probabilities are products of ratios
    away from the mode, each operation a correctly rounded one of float64.

    Parameters
    ----------
    mean, concentration : M and r in 2^-20

    Examples
    --------
    >>> lanes, totals = Lanes.for_encoding(2), Totals(100 << PART_BITS, 3 << PART_BITS)
    >>> lanes.open(2)
    >>> bits = totals.push(lanes, np.array([7, 100_000]))
    >>> totals.pop(lanes, 2).tolist()
    [7, 100000]
    """

    def __init__(self, mean: int, concentration: int):
        self.mean, self.concentration = mean, concentration
        if min(mean, concentration) < 1:
            raise ValueError("the law of totals has no mean or no concentration.")

    def push(self, lanes: Lanes, total: np.ndarray) -> np.ndarray:
        """Code totals 0 ≤ T < 2^24 of the first lanes; return their bits, shape (m,)."""
        size, free = _size(total)
        unit = np.uint64(1) << np.uint64(_BITS) - free
        rest = total.astype(np.uint64) & (np.uint64(1) << free) - np.uint64(1)
        lanes.push(rest * unit, unit, bits=_BITS)
        start, freq = self._interval(size)
        lanes.push(start, freq, bits=_BITS)
        return _BITS - np.log2(freq.astype(np.float64)) + free

    def pop(self, lanes: Lanes, m: int) -> np.ndarray:
        """Undo :meth:`push` of m lanes."""
        target = lanes.target(m, bits=_BITS).astype(np.float64)
        size = np.searchsorted(self._below, target, "right") - 1
        lanes.advance(*self._interval(size), bits=_BITS)
        free = _free(size).astype(np.uint64)
        unit = np.uint64(1) << np.uint64(_BITS) - free
        rest = lanes.target(m, bits=_BITS) // unit
        lanes.advance(rest * unit, unit, bits=_BITS)
        return _edges().take(size) + rest.astype(np.int64)

    def _interval(self, size: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        start, end = self._below.take(size), self._below.take(size + 1)
        return start.astype(np.uint64), (end - start).astype(np.uint64)

    @property
    def _below(self) -> np.ndarray:
        return _cumulative(self.mean, self.concentration)


def _size(total: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the size of totals, whole numbers from 0, and how many of their bits it leaves."""
    digits = np.frexp(total.astype(np.float64))[1]
    free = np.maximum(digits - (_FINE + 1), 0).astype(np.int64)
    return (total >> free) + free * _SMALL, free.astype(np.uint64)


def _free(size: np.ndarray) -> np.ndarray:
    return np.maximum(size // _SMALL - 1, 0)


@functools.cache
def _edges() -> np.ndarray:
    """Smallest total of each size, and 2^24."""
    last = int(_size(np.array([MOST - 1]))[0][0])
    size = np.arange(last + 1)
    free = _free(size)
    return np.append((size - free * _SMALL) << free, MOST)


@functools.lru_cache(maxsize=8)
def _cumulative(mean: int, concentration: int) -> np.ndarray:
    """Return the cumulative frequency below each size, of 2^24: each has at least one."""
    below, edges = _shares(mean, concentration), _edges()
    n = len(edges) - 1
    reached = below.take(np.minimum(edges, len(below) - 1)) / below[-1]
    return np.floor(reached * ((1 << _BITS) - n)) + np.arange(n + 1.0)


def _shares(mean: int, concentration: int) -> np.ndarray:
    """Return sums of probabilities below 0, 1, …, up to a factor."""
    one = 2.0**PART_BITS
    m, r = mean / one, concentration / one
    deviation = np.sqrt(m + m * (m / r))
    most = int(min(np.ceil(m + _DEVIATIONS * deviation) + _SMALL, MOST))
    mode = int(min(max(np.floor((r - 1.0) * m / r), 0.0), most - 1))
    share = m / (m + r)
    each = np.ones(most)
    after, before = np.arange(mode, most - 1.0), np.arange(mode, 0.0, -1.0)
    each[mode + 1 :] = np.multiply.accumulate((after + r) / (after + 1.0) * share)
    each[:mode] = np.multiply.accumulate(before / ((before - 1.0 + r) * share))[::-1]
    return np.concatenate([[0.0], np.add.accumulate(each)])
