"""The cells of a latent: equal shares of a standard normal."""

import functools
from typing import Any

import numpy as np

from ..integer import curve

# Fractional bits of places on the line, and of the standard normal's distribution function.
PLACE_BITS = 16
_MASS_BITS = 40
_FAR = 8  # deviations, beyond which a normal has less than 2^-48
_OUTSIDE = 2.0**26  # a place beyond all others


class Grid:
    """2^bits cells of each latent, with equal shares of a normal, up to rounding.

    Parameters
    ----------
    bits : 1 to 16
    mean, spread : of each latent's normal, int64, shape (k,), in 2^-16

    Examples
    --------
    >>> grid = Grid.standard(2, k=1)
    >>> [round(float(v), 3) for v in grid.edges[0, 1:-1] / 2.0**PLACE_BITS]
    [-0.674, 0.0, 0.674]
    """

    def __init__(self, bits: int, mean: np.ndarray, spread: np.ndarray):
        self.bits, self.n_cells, self.mean, self.spread = bits, 1 << bits, mean, spread
        edges, middles = _places(bits)
        self.edges, self.middles = self._moved(edges), self._moved(middles)
        self.edges[:, 0], self.edges[:, -1] = -_OUTSIDE, _OUTSIDE

    @classmethod
    def standard(cls, bits: int, *, k: int) -> "Grid":
        """Return the cells of k standard normals."""
        return cls(bits, np.zeros(k, np.int64), np.full(k, 1 << PLACE_BITS, np.int64))

    @property
    def k(self) -> int:
        """Number of latents."""
        return len(self.mean)

    def places(self, cells: np.ndarray) -> np.ndarray:
        """Return the middles of cells of shape (k, m), whole numbers of 2^-16, float64."""
        return np.take_along_axis(self.middles, cells, axis=1)

    def most(self) -> np.ndarray:
        """Largest absolute middle of each latent, shape (k,)."""
        return np.abs(self.middles).max(axis=1)

    def _moved(self, places: np.ndarray) -> np.ndarray:
        fine = self.spread[:, None] * 2.0**-PLACE_BITS
        return np.floor(fine * places) + self.mean[:, None]

    def state(self) -> dict[str, Any]:
        """Return what the grid is made of."""
        return {"bits": self.bits, "mean": self.mean, "spread": self.spread}


@functools.cache
def _places(bits: int) -> tuple[np.ndarray, np.ndarray]:
    """Quantiles of i/2^bits and of (i + ½)/2^bits, whole numbers of 2^-PLACE_BITS."""
    normal = curve("normal", -_FAR, _FAR, per_unit=128, scale=2**_MASS_BITS)
    mass = normal.values.astype(np.int64)
    shares = np.arange(2 << bits, dtype=np.int64) << (_MASS_BITS - bits - 1)
    knot = np.clip(np.searchsorted(mass, shares, side="right") - 1, 0, len(mass) - 2)
    step = 1 << PLACE_BITS - 7
    within = (shares - mass[knot]) * step // (mass[knot + 1] - mass[knot])
    places = (knot * step + within - (_FAR << PLACE_BITS)).astype(np.float64)
    return np.append(places[::2], 0.0), places[1::2]
