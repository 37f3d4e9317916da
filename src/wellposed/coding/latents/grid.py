"""The cells of a latent: equal shares of a standard normal."""

import functools

import numpy as np

from ..integer import curve

# Fractional bits of places on the line, and of the standard normal's distribution function.
PLACE_BITS = 16
_MASS_BITS = 40
_FAR = 8  # deviations, beyond which a normal has less than 2^-48
_OUTSIDE = 2.0**26  # a place beyond all others


class Grid:
    """2^bits cells, each with the same share of a standard normal, up to rounding.

    Parameters
    ----------
    bits : 1 to 16

    Examples
    --------
    >>> grid = Grid(2)
    >>> [round(float(v), 3) for v in grid.edges[1:-1] / 2.0**PLACE_BITS]
    [-0.674, 0.0, 0.674]
    """

    def __init__(self, bits: int):
        self.bits, self.n_cells = bits, 1 << bits
        self.edges, self._centres = _places(bits)

    def centres(self, cells: np.ndarray, *, bits: int) -> np.ndarray:
        """Return the middles of cells, whole numbers of 2^-bits, float64."""
        return np.floor(self._centres * 2.0 ** (bits - PLACE_BITS)).take(cells)

    def most(self, *, bits: int) -> float:
        """Largest absolute middle, in 2^-bits."""
        return float(np.abs(self._centres).max() * 2.0 ** (bits - PLACE_BITS)) + 1.0


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
    edges = np.append(places[::2], _OUTSIDE)
    edges[0] = -_OUTSIDE
    return edges, places[1::2]
