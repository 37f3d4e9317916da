"""Tails of Student t densities as tables, by degrees of freedom and by distance."""

import functools

import numpy as np

from ..integer import curve

# Even degrees have tails in closed form; those between are mixtures of two, in shares of 1/ν.
DEGREES = (2, 4, 6, 8, 12, 16, 24, 32, 64)
INVERSE_BITS = 20  # fractional bits of 1/ν
_INVERSE = np.array([*(round(2**INVERSE_BITS / nu) for nu in DEGREES), 0], np.float64)
_SHARE = 2.0**10
_KNOTS = 64  # to an octave of 1 + |t|
_OCTAVES = 30
_LAST = float(_OCTAVES * _KNOTS)


def places(inverse: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the table of each 1/ν in 2^-20, and its share of 2^10; the next has the rest.

    Examples
    --------
    >>> table, share = places(np.array([2.0**20 / 3]))
    >>> DEGREES[int(table[0])], round(float(share[0]) / 2**10, 2)
    (2, 0.33)
    """
    kept = np.clip(inverse, 0.0, _INVERSE[0])
    table = np.clip(len(_INVERSE) - np.searchsorted(_INVERSE[::-1], kept, "left") - 1, 0, None)
    table = np.minimum(table, len(_INVERSE) - 2)
    low, high = _INVERSE.take(table + 1), _INVERSE.take(table)
    return table, np.floor((kept - low) * _SHARE / (high - low))


class StudentCurve:
    """Cumulative frequencies of t densities of scale one, of an even total.

    Parameters
    ----------
    total : of all of the line
    """

    def __init__(self, total: int):
        if total % 2:
            raise ValueError("A total must be even, for both halves of the line.")
        self._total = float(total)
        self._values, self._slopes = _tables(total)
        self._width = self._values.shape[1]

    def at(self, point: np.ndarray, table: np.ndarray, share: np.ndarray) -> np.ndarray:
        """Return them at points in 64ths of a scale, for tables and shares of their shape."""
        mantissa, exponent = np.frexp(np.abs(point) + _KNOTS)
        way = (mantissa - 0.5) * (2.0 * _KNOTS) + (exponent - 7.0) * _KNOTS
        np.minimum(way, _LAST, out=way)
        knot = way.astype(np.int64)
        way -= knot
        knot = knot + table * self._width
        tail = self._between(knot, way) * share
        tail += self._between(knot + self._width, way) * (_SHARE - share)
        tail = np.floor(tail * (1.0 / _SHARE))
        return np.where(point < 0, tail, self._total - tail)

    def _between(self, knot: np.ndarray, way: np.ndarray) -> np.ndarray:
        between = way * self._slopes.take(knot)
        between += self._values.take(knot)
        return np.floor(between, out=between)


@functools.cache
def _tables(total: int) -> tuple[np.ndarray, np.ndarray]:
    """Values and slopes of all tables, each of shape (tables, knots)."""
    names = [*(f"student:{nu}" for nu in DEGREES), "student:inf"]
    curves = [curve(name, 0, _OCTAVES, per_unit=_KNOTS, scale=total) for name in names]
    return np.stack([c.values for c in curves]), np.stack([c.slopes for c in curves])
