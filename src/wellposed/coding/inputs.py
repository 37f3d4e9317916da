"""Symbols as the input of an integer encoder."""

import dataclasses
from typing import Any

import numpy as np

from .integer import curve

_LOG_BITS = 16
SIZE_BITS = 20  # of a typical total of a row, and of the weight of its logarithm
_MANTISSAS = 2**12  # knots of the logarithm between one half and one


def log_one_plus(counts: np.ndarray) -> np.ndarray:
    """log(1 + s) of counts below 2^53, whole numbers of 2^-16 divided by 2^16, from tables.

    Examples
    --------
    >>> log_one_plus(np.array([0.0, 9.0])).round(3).tolist()
    [0.0, 2.303]
    """
    mantissa, exponent = np.frexp(np.maximum(counts, 0.0) + 1.0)
    table = curve("log", 0, 1, per_unit=_MANTISSAS, scale=2**_LOG_BITS)
    logs = table.at((mantissa - 0.5) * (2.0 * _MANTISSAS))
    two = table.values[-1]
    return (logs + two * (exponent - 1.0)) * 2.0**-_LOG_BITS


@dataclasses.dataclass(frozen=True)
class Inputs:
    r"""⌊m s + b⌋, kept within limits: a symbol s in the encoder's units, whole numbers of 2^−bits.

    For counts it is ⌊m log(1 + s) + b⌋, and for amounts ⌊m log(s − s₀) + b⌋ with a value of its own
    where s = s₀, which is zero. Counts whose row has a total T are divided by (T + ½)/(T₀ + ½)
    first, and w times the logarithm of that is added to the logarithm of each.

    Parameters
    ----------
    times, plus : m and b, int64, shape (d,), in units of 2^−16 of the result's
    low, high : limits of the result, int64, shape (d,)
    logs : 1 for counts, 2 for amounts and 0 for others, int64, shape (d,)
    zeros, at_zero : s₀ and the value there, int64, shape (d,); None without amounts
    totals : g of the features whose sum is the g-th total, −g of others that have w alone, and
        else 0, int64, shape (d,); None without totals
    sizes, size_weights : T₀ + ½ and w of each total, int64, in 2^-20
    """

    times: np.ndarray
    plus: np.ndarray
    low: np.ndarray
    high: np.ndarray
    logs: np.ndarray
    zeros: np.ndarray | None = None
    at_zero: np.ndarray | None = None
    totals: np.ndarray | None = None
    sizes: np.ndarray | None = None
    size_weights: np.ndarray | None = None

    _FINER = 16

    @classmethod
    def rounded(
        cls,
        times: np.ndarray,
        plus: np.ndarray,
        low: np.ndarray,
        high: np.ndarray,
        logs: np.ndarray,
        *,
        bits: int,
    ) -> "Inputs":
        """Round the map of symbols s to s·times + plus, kept within low and high."""
        fine = 2.0 ** (bits + cls._FINER)
        ends = (np.clip(np.rint(end * 2.0**bits), -(2**40), 2**40) for end in (low, high))
        whole = (np.rint(times * fine), np.rint(plus * fine) + 2 ** (cls._FINER - 1), *ends)
        return cls(*(each.astype(np.int64) for each in (*whole, logs)))

    @property
    def limit(self) -> np.ndarray:
        """Largest absolute value of each input, shape (d,)."""
        return np.maximum(np.abs(self.low), np.abs(self.high)).astype(np.float64)

    def __call__(self, symbols: np.ndarray) -> np.ndarray:
        """Return the inputs, float64 that hold integers, for symbols of shape (d, m)."""
        fine = 2.0**-self._FINER
        values = symbols.astype(np.float64)
        counts, amounts = np.flatnonzero(self.logs == 1), np.flatnonzero(self.logs == 2)
        logs_of_sizes = self._divide(values)
        if counts.size:
            values[counts] = log_one_plus(values[counts])
        for own, log in logs_of_sizes:
            values[own] += log
        steps = values[amounts]
        if self.zeros is not None:
            steps -= self.zeros[amounts, None]
            values[amounts] = log_one_plus(steps - 1.0)
        out = values * (self.times * fine)[:, None]
        out += (self.plus * fine)[:, None]
        np.floor(out, out=out)
        if self.at_zero is not None:
            out[amounts] = np.where(steps < 1.0, self.at_zero[amounts, None], out[amounts])
        return np.clip(out, self.low[:, None], self.high[:, None], out=out)

    def _divide(self, counts: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        """Divide counts by their rows' sizes; return what is added to logarithms, and where."""
        if self.totals is None or self.sizes is None or self.size_weights is None:
            return []
        added, one = [], 2.0**SIZE_BITS
        for g, (size, weight) in enumerate(zip(self.sizes, self.size_weights, strict=True), 1):
            own = np.flatnonzero(self.totals == g)
            total = np.add.accumulate(counts[own], axis=0)[-1]
            counts[own] /= (total + 0.5) * one / float(size)
            typical = log_one_plus(np.array([2.0 * float(size) / one - 1.0]))
            log = (log_one_plus(2.0 * total) - typical) * (float(weight) / one)
            added.append((np.flatnonzero(np.abs(self.totals) == g), log))
        return added

    def state(self) -> dict[str, Any]:
        """Return what the map is made of."""
        return {name: each for name, each in vars(self).items() if each is not None}
