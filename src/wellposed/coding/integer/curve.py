"""Functions of one number as integers at knots, with straight lines between them."""

import functools

import numpy as np

from .decimals import values


class Curve:
    """A piecewise linear function on [low, high], constant beyond; all of it integers.

    Points are in units of knots, counted from ``low``; with up to 53 bits in a point's fraction
    and the curve's values together no operation rounds, and a rising table gives a rising function.

    Parameters
    ----------
    low, high : ends, whole numbers
    per_unit : knots to a unit, a power of two
    values : (high − low)·per_unit + 1 whole numbers

    Examples
    --------
    >>> curve = Curve(0, 2, 1, np.array([0.0, 10.0, 40.0]))
    >>> curve.at(np.array([-1.0, 0.5, 1.25, 7.0])).tolist()
    [0.0, 5.0, 17.0, 40.0]
    """

    def __init__(self, low: int, high: int, per_unit: int, values: np.ndarray):
        self.low, self.per_unit = low, per_unit
        self.values = np.asarray(values, np.float64)
        self.slopes = np.append(np.diff(self.values), 0.0)
        self.last = float(len(self.values) - 1)
        if self.last != (high - low) * per_unit:
            raise ValueError("A curve must have a value at each knot.")

    def at(self, point: np.ndarray) -> np.ndarray:
        """Return the curve at points in knots from ``low``, rounded down; overwrites ``point``."""
        # As np.clip, which takes several times as long for the few points of a feature.
        np.maximum(point, 0.0, out=point)
        np.minimum(point, self.last, out=point)
        knot = point.astype(np.int32)
        point -= knot
        point *= self.slopes.take(knot)
        point += self.values.take(knot)
        return np.floor(point, out=point)

    def __call__(self, x: np.ndarray, *, bits: int) -> np.ndarray:
        """Return the curve, rounded down, at whole numbers x of 2^-bits units."""
        point = x * (self.per_unit * 2.0**-bits)
        point -= self.low * self.per_unit
        return self.at(point)


@functools.cache
def curve(name: str, low: int, high: int, *, per_unit: int = 64, scale: int) -> Curve:
    """Return a function of :mod:`decimals` as a curve of values times ``scale``."""
    table = values(name, low, high, per_unit, scale)
    return Curve(low, high, per_unit, np.array(table, np.float64))


OCTAVE_BITS = 32  # fractional bits of logarithms
_MANTISSAS = 2**12  # knots in each octave


def log_two(values: np.ndarray) -> np.ndarray:
    """Return log₂ of positive numbers below 2^31 with at most one binary place, in 2^-32.

    A rising function; its error is below 2^-26.

    Examples
    --------
    >>> (log_two(np.array([0.5, 1.0, 10.0])) / 2**32).round(4).tolist()
    [-1.0, 0.0, 3.3219]
    """
    mantissa, exponent = np.frexp(values)
    table = curve("log2", 0, 1, per_unit=_MANTISSAS, scale=2**OCTAVE_BITS)
    within = table.at((2.0 * mantissa - 1.0) * _MANTISSAS)
    return within + (exponent - 1.0) * 2.0**OCTAVE_BITS
