"""Means and variances of columns from rows that arrive in pieces."""

import numpy as np

BLOCK_ROWS = 512


class ColumnSums:
    """Sums of each column and of its squares, shifted by the first row so that nothing cancels.

    In float64 whatever the data's type, so that equal numbers have equal moments. Pieces whose
    numbers of rows are multiples of 512, but for the last, give the same bits as all rows at once.

    Examples
    --------
    >>> sums = ColumnSums.of(np.array([[0.0], [2.0]]))
    >>> sums.mean.tolist(), sums.variance.tolist()
    ([1.0], [1.0])
    """

    def __init__(self, shift: np.ndarray):
        self._shift = np.nan_to_num(np.asarray(shift, np.float64))
        self._first, self._second = np.zeros(len(shift)), np.zeros(len(shift))
        self.count = np.zeros(len(shift))

    @classmethod
    def of(cls, rows: np.ndarray) -> "ColumnSums":
        """Return the sums of rows of shape (n, d)."""
        own = cls(rows[0])
        own.add(rows)
        return own

    def add(self, rows: np.ndarray) -> None:
        """Add rows of shape (m, d); NaN counts for nothing."""
        ones = np.ones(BLOCK_ROWS)
        gaps = rows.dtype.kind == "f" and bool(np.isnan(rows).any())
        for start in range(0, len(rows), BLOCK_ROWS):
            block = rows[start : start + BLOCK_ROWS] - self._shift
            seen = ones[: len(block)]
            if gaps:
                self.count += (~np.isnan(block)).sum(axis=0)
                block = np.nan_to_num(block, copy=False, nan=0.0)
            else:
                self.count += len(block)
            self._first += seen @ block
            self._second += np.einsum("nd,nd->d", block, block)

    @property
    def mean(self) -> np.ndarray:
        """Mean of each column over what was observed of it, shape (d,)."""
        return self._shift + self._first / np.maximum(self.count, 1.0)

    @property
    def variance(self) -> np.ndarray:
        """Variance of each column, shape (d,)."""
        n = np.maximum(self.count, 1.0)
        return np.maximum(self._second / n - (self._first / n) ** 2, 0.0)
