"""Levels from curves cut into cells: their cumulative frequencies, and the way back."""

import dataclasses

import numpy as np
from scipy.special import ndtri

from ..integer import curve
from ..logs import WEIGHT_BITS, weights
from ..search import Intervals, near
from .scales import RATE_BITS, SCALE_BITS, rates

LOCATION_BITS = 10
_KNOTS = 64  # to a scale
_FAR = {"logistic": 20, "normal": 8}  # scales beyond which a tail has nothing
_TABLE = {"logistic": "sigmoid", "normal": "normal"}
_TO_KNOTS = _KNOTS * 2.0 ** -(LOCATION_BITS + RATE_BITS)
_BEYOND = 4  # times the number of levels: locations are kept within, so that no product rounds
_QUANTILES = 16  # of an expected level
_FEW_LEVELS = 32
_OUTSIDE = 2.0**40  # an edge beyond all locations


@dataclasses.dataclass(frozen=True)
class Cells:
    """Parameters of c components, whole numbers in float64, each of shape (c, …, m).

    Parameters
    ----------
    locations : levels in 2^-10
    scales : levels in 2^-16
    rates : one over the scales, in 2^-24
    weights : of 2^16; None for one component
    """

    locations: np.ndarray
    scales: np.ndarray
    rates: np.ndarray
    weights: np.ndarray | None

    @classmethod
    def of(
        cls, locations: np.ndarray, scales: np.ndarray, logs: np.ndarray | None, levels: int
    ) -> "Cells":
        """Keep the locations near the levels; logs are log weights in 2^-10."""
        reach = _BEYOND * levels * 2.0**LOCATION_BITS
        kept = np.clip(locations, -reach, reach)
        return cls(kept, scales, rates(scales), None if logs is None else weights(logs))

    def feature(self, j: int) -> "Cells":
        """Return those of one feature of an array (c, d, m)."""
        own = None if self.weights is None else self.weights[:, j]
        return Cells(self.locations[:, j], self.scales[:, j], self.rates[:, j], own)

    def twice(self) -> "Cells":
        """Return those of an array (c, m) for levels of shape (2, m)."""
        own = None if self.weights is None else self.weights[:, None]
        return Cells(self.locations[:, None], self.scales, self.rates[:, None], own)

    def flat(self) -> "Cells":
        """Return those of all features and rows as (c, d·m)."""
        kept = (None if a is None else a.reshape(len(a), -1) for a in vars(self).values())
        return Cells(*kept)  # pyright: ignore[reportArgumentType]

    def rows(self, at: np.ndarray) -> "Cells":
        """Return those of some rows of an array (c, m), without scales."""
        own = None if self.weights is None else self.weights.take(at, axis=1)
        locations, rates = (a.take(at, axis=1) for a in (self.locations, self.rates))
        return Cells(locations, self.scales, rates, own)


class LevelCurve:
    """Levels 0, …, L − 1 cut out of logistics or normals, as frequencies of 2^bits.

    Parameters
    ----------
    base : "logistic" or "normal"
    levels : L
    bits : of frequencies
    """

    def __init__(self, base: str, levels: int, bits: int):
        self.base, self.levels, self.bits = base, levels, bits
        far = _FAR[base]
        # A level adds one to its curve's share, so that none has a frequency of zero.
        scale = (1 << bits) - levels
        self._table = curve(_TABLE[base], -far, far, per_unit=_KNOTS, scale=scale)
        self._offset = far * _KNOTS
        edges = np.arange(levels + 1) * 2.0**LOCATION_BITS - 2.0 ** (LOCATION_BITS - 1)
        edges[0], edges[-1] = -_OUTSIDE, _OUTSIDE
        self._edges = edges

    def below(self, cells: Cells, level: np.ndarray) -> np.ndarray:
        """Return the cumulative frequency below levels of shape (…, m)."""
        point = self._edges.take(level) - cells.locations
        point *= cells.rates
        point *= _TO_KNOTS
        point += self._offset
        each = self._table.at(point)
        if cells.weights is None:
            total = each[0]
        else:
            each *= cells.weights
            total = each.sum(axis=0)
            total *= 2.0**-WEIGHT_BITS
            np.floor(total, out=total)
        total += level
        return total

    def intervals(self, cells: Cells, level: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the cumulative frequencies below levels and below the next ones."""
        return self.below(cells, level), self.below(cells, level + 1)

    def find(self, cells: Cells, target: np.ndarray) -> Intervals:
        """Return the levels whose intervals hold the targets; cells of shape (c, m)."""
        return self._near(cells, target, self._guess(cells, target))

    def _near(self, cells: Cells, target: np.ndarray, guess: np.ndarray) -> Intervals:
        def below(level: np.ndarray, at: np.ndarray | None) -> np.ndarray:
            return self.below(cells if at is None else cells.rows(at), level)

        def ends(level: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            both = np.empty((2, len(level)), np.int64)
            both[0] = level
            np.add(level, 1, out=both[1])
            start, end = self.below(twice, both)
            return start, end

        twice = cells.twice()

        return near(below, target, guess, self.levels, ends)

    def means(self, cells: Cells) -> np.ndarray:
        """Return the expected levels, rounded, int64, of cells of shape (c, …, m).

        Of few levels exactly, of many as the mean of 16 quantiles of equal shares, the first and
        the last of which agree for most features of an image, so that the others are left out.
        """
        shape = cells.locations.shape[1:]
        flat = cells.flat()
        if self.levels <= _FEW_LEVELS:
            total = np.zeros(flat.locations.shape[1])
            for level in range(1, self.levels):
                total -= self.below(flat, np.full(total.shape, level))
            total *= 2.0**-self.bits
            return (np.floor(total + 0.5).astype(np.int64) + self.levels - 1).reshape(shape)
        first, last = (self._quantile(flat, i) for i in (0, _QUANTILES - 1))
        total = first * (_QUANTILES // 2) + last * (_QUANTILES // 2)
        open_ = np.flatnonzero(first != last)
        if open_.size:
            scales = flat.scales.take(open_, axis=1)
            own, some = dataclasses.replace(flat.rows(open_), scales=scales), (first + last)[open_]
            for i in range(1, _QUANTILES - 1):
                some += self._quantile(own, i)
            total[open_] = some
        return ((total + _QUANTILES // 2) // _QUANTILES).reshape(shape)

    def _quantile(self, cells: Cells, i: int) -> np.ndarray:
        target = (2 * i + 1 << self.bits) // (2 * _QUANTILES)
        targets = np.full(cells.locations.shape[1], target, np.uint64)
        return self._near(cells, targets, self._guess(cells, np.float64(target))).symbol

    def _guess(self, cells: Cells, target: np.ndarray | np.float64) -> np.ndarray:
        """The quantile of the curve, or of a component that its weight draws.

        A guess decides how long the search takes, and not what it finds.
        """
        share = target + 0.5
        share *= 2.0**-self.bits
        location, scale = cells.locations[0], cells.scales[0]
        if cells.weights is not None:
            row = np.arange(cells.locations.shape[1])
            likely = cells.weights.argmax(axis=0)
            location, scale = cells.locations[likely, row], cells.scales[likely, row]
        away = np.log(share / (1.0 - share)) if self.base == "logistic" else ndtri(share)
        places = away * (scale * 2.0**-SCALE_BITS)
        places += location * 2.0**-LOCATION_BITS
        np.rint(places, out=places)
        return np.minimum(np.maximum(places, 0.0, out=places), self.levels - 1.0, out=places)
