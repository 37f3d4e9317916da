"""Gammas of amounts: their density of logarithms, summed over a grid."""

import dataclasses

import numpy as np

from ..integer import curve

_CELLS = 256
_LOWEST, _HIGHEST = -24, 12  # logarithms of amounts over their mean
LEAST, MOST = 2.0**-24, 16.0  # scales
_DEVIATIONS = 8.0
_FALL = 20.0  # nats at the ends of a grid
_MASS_BITS, _RATE_BITS, _FAR = 32, 32, 24


@dataclasses.dataclass(frozen=True)
class Grids:
    """Sums of the mass of gammas over grids of logarithms, for m rows of one feature.

    Parameters
    ----------
    low, width : where the grids begin and the width of their cells, over the mean, shape (m,)
    location, log_unit : place of the mean, shape (m,), and the logarithm that a place is of
    below : mass below the knots, shape (cells + 1, m)
    column : of each row here, its column of ``below``, shape (m,)
    """

    low: np.ndarray
    width: np.ndarray
    location: np.ndarray
    log_unit: float
    below: np.ndarray
    column: np.ndarray

    @classmethod
    def of(cls, location: np.ndarray, scale: np.ndarray, log_unit: float) -> "Grids":
        r"""Sum the density of w = log x/m, a gamma's of shape 1/s², over its cells.

        .. math:: \log f(w) = -t^2 ψ(ts) + \text{const}, \quad t = w/s, \quad
           ψ(w) = \frac{e^w - 1 - w}{w^2}

        Below the grid the density falls as exp(w/s²), and is summed in closed form.
        """
        low = np.maximum(-(_FALL * scale + _DEVIATIONS) * scale, float(_LOWEST))
        high = np.minimum(_DEVIATIONS * scale, 4.0 + 0.5 * scale)
        width = (high - low) * (1.0 / _CELLS)
        middle = low + (np.arange(_CELLS) + 0.5)[:, None] * width
        mass = np.concatenate([_density(low[None], scale), _density(middle, scale)])
        mass[0] = np.floor(mass[0] * (scale * scale) / width)
        below = np.add.accumulate(mass, axis=0)
        return cls(low, width, location, log_unit, below, np.arange(len(location)))

    def rows(self, at: np.ndarray) -> "Grids":
        """Return those of some rows."""
        low, width, location, column = (
            each.take(at) for each in (self.low, self.width, self.location, self.column)
        )
        return Grids(low, width, location, self.log_unit, self.below, column)

    def shares(self, place: np.ndarray) -> np.ndarray:
        """Return the share of the mass below places, rising, float64."""
        cell = (place - self.location) * self.log_unit
        cell -= self.low
        cell /= self.width
        np.clip(cell, 0.0, float(_CELLS), out=cell)
        knot = np.minimum(cell.astype(np.int64), _CELLS - 1)
        cell -= knot
        start, end = self.below[knot, self.column], self.below[knot + 1, self.column]
        return (start + cell * (end - start)) / self.below[-1, self.column]

    def place(self, share: np.ndarray) -> np.ndarray:
        """Return about where :meth:`shares` are these."""
        mass = share * self.below[-1, self.column]
        own = self.below if len(share) == self.below.shape[1] else self.below[:, self.column]
        knot = np.clip((own <= mass).sum(axis=0) - 1, 0, _CELLS - 1)
        start, end = self.below[knot, self.column], self.below[knot + 1, self.column]
        cell = knot + (mass - start) / np.maximum(end - start, 1.0)
        return (self.low + cell * self.width) / self.log_unit + self.location


@dataclasses.dataclass(frozen=True)
class GammaShapes:
    """Where the means are and how wide gammas are, each of shape (d, m).

    Parameters
    ----------
    location : in 2^-12 of places
    scale : 1/√a
    log_unit : logarithm that a 2^-12 of a place is of, shape (d,)
    """

    location: np.ndarray
    scale: np.ndarray
    log_unit: np.ndarray

    def at(self, j: int) -> Grids:
        """Return the grids of one feature."""
        return Grids.of(self.location[j], self.scale[j], float(self.log_unit[j]))


def _density(log_ratio: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Density of logarithms over the mean, up to a factor, whole numbers up to 2^32."""
    away = log_ratio / scale
    rate = curve("exp-rest", _LOWEST, _HIGHEST, scale=2**_RATE_BITS)(log_ratio, bits=0)
    nats = away * away * (rate * -(2.0**-_RATE_BITS))
    return curve("exp", -_FAR, 0, scale=2**_MASS_BITS)(nats, bits=0)
