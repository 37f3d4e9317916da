"""Detection of a first line of numbers that are names of columns.

Years, wavelengths and ages are numbers that can be names of columns. The first line is compared
with all rows below, since a lost row and a row of names among the data are both errors.
"""

from dataclasses import dataclass

import numpy as np

_FEWEST_ROWS = 3
_FAR = 5.0  # ranges of a column
_UNLIKELY = 1e-4
_ALIKE = 0.9
_GLANCE = 256  # rows
_BLOCK_CELLS = 1 << 18


@dataclass(frozen=True)
class Judgement:
    """``names``: the line is a header. ``doubt``: it may be a header, and is kept as data."""

    names: bool
    doubt: bool


def judge(values: np.ndarray) -> Judgement:
    """Compare the first row with those below.

    It is a header if its numbers are whole, distinct and sorted, and either are far from every row
    below, or are whole in columns of fractions, too many for chance.
    """
    first, rest = values[0], values[1:]
    if len(first) > 2 and np.isnan(first[0]):  # such as above an index without a name
        others = judge(values[:, 1:])
        return Judgement(names=False, doubt=others.names or others.doubt)
    if len(rest) == 0 or not np.isfinite(first).all() or len(np.unique(first)) < len(first):
        return _DATA
    whole = bool((first == np.round(first)).all())
    # A line near the first rows is data: ordinary tables need no further comparison.
    if not whole and not _Below(rest[:_GLANCE]).is_beyond(first, 1.0):
        return _DATA
    below = _Below(rest)
    far = below.is_beyond(first, _FAR)
    by_fractions = whole and below.has_fractions and below.chance_of_whole < _UNLIKELY
    steps = np.diff(first)
    ordered = len(first) > 1 and bool((steps > 0).all() or (steps < 0).all())
    even = len(first) > 2 and bool(np.allclose(steps, steps[0], rtol=1e-6, atol=0))
    apart = ordered and len(first) > 2 and below.is_beyond(first, 1.0)
    if not (far or apart or (by_fractions and ordered)):
        return _DATA
    # A few sorted numbers may be the first state of a simulation; many, or equal steps, are not.
    if far:
        names = whole and ordered and (even or len(first) >= 5)
    else:
        regular = len(first) >= 5 or (even and len(first) == 4)
        unlike = regular and not below.is_followed_by(first)
        names = by_fractions and ordered and (below.is_beyond(first, 0.0) or unlike)
    names = names and len(rest) >= _FEWEST_ROWS
    return Judgement(names=names, doubt=not names)


_DATA = Judgement(names=False, doubt=False)


class _Below:
    """Range and fractions of each column, a block of rows at a time: tables may be large."""

    def __init__(self, rest: np.ndarray) -> None:
        self._n = len(rest)
        self._low = np.full(rest.shape[1], np.inf)
        self._high = np.full(rest.shape[1], -np.inf)
        self._fractions = np.zeros(rest.shape[1], int)
        step = max(1, _BLOCK_CELLS // rest.shape[1])
        for i in range(0, len(rest), step):
            block = rest[i : i + step]
            finite = np.isfinite(block)
            self._low = np.minimum(self._low, np.where(finite, block, np.inf).min(axis=0))
            self._high = np.maximum(self._high, np.where(finite, block, -np.inf).max(axis=0))
            self._fractions += (finite & (block != np.round(block))).sum(axis=0)

    def is_beyond(self, first: np.ndarray, ranges: float) -> bool:
        """Whether a row is outside the range of every column by a multiple of the range."""
        seen = self._low <= self._high  # a column of gaps has no range
        low, high, first = self._low[seen], self._high[seen], first[seen]
        beyond = np.maximum(first - high, low - first)
        # For few or equal rows the range is unreliable; the size of the numbers is used.
        size = np.maximum(np.abs(low), np.abs(high))
        share = 1.0 if self._n < _FEWEST_ROWS else 0.5
        least = np.maximum(ranges * (high - low), share * size) if ranges else 0.0
        return bool(seen.any() and (beyond > least).all())

    def is_followed_by(self, first: np.ndarray) -> bool:
        """Whether a row has the order of the rows below, as particles that start in a line."""
        middle = (self._low + self._high) / 2
        if not np.isfinite(middle).all() or np.ptp(middle) == 0:
            return False
        return bool(np.corrcoef(first, middle)[0, 1] > _ALIKE)

    @property
    def has_fractions(self) -> bool:
        return bool((self._fractions > 0).all())

    @property
    def chance_of_whole(self) -> float:
        """Return the chance that all numbers of a row are whole, by the shares of the columns."""
        return float(np.prod((self._n - self._fractions + 1) / (self._n + 2)))
