"""Whole numbers without a largest one: Poisson and negative binomial counts."""

from typing import Any

import numpy as np

from ..integer import curve
from ..logs import RAW_BITS
from ..search import Intervals
from .family import AbstractFamily, AbstractReader, CumulativeReader, table_means, tiles

MEAN_BITS = 20  # fractional bits of means and of concentrations
_GROWTH_BITS = 20
_FAR, _MOST_LOG = 24, 10  # logs of growth: below are as zero, above as the largest
_LARGEST_MEAN = 600.0 * 2**MEAN_BITS  # e to the mean is a float64
_STEEPEST = 0.99


class CountSymbols(AbstractFamily):
    """Counts 0, …, V − 1, and an escape for all larger ones, which bits beside it tell apart.

    Probabilities are products of ratios P(v + 1)/P(v), each operation a correctly rounded one of
    float64, which is the same on every machine.

    The decoder's outputs are d log growths of means, and d of concentrations where these depend
    on z.

    Parameters
    ----------
    means : at raw zero, int64, shape (d,), in 2^-20
    concentrations : at raw zero, int64, shape (d,), in 2^-20; None for Poisson
    conditional : whether concentrations depend on z
    escape : V
    """

    kind = "counts"
    bits = 24

    def __init__(
        self,
        means: np.ndarray,
        concentrations: np.ndarray | None,
        conditional: bool,
        escape: int,
    ):
        self.means, self.concentrations, self.conditional = means, concentrations, conditional
        self.escape = self.largest = escape
        self.d = len(means)

    def outside(self, symbols: np.ndarray) -> np.ndarray:
        return (symbols < 0) | (symbols >= self.largest + 2**self.bits)

    def cumulative(self, outputs: np.ndarray, at: slice) -> np.ndarray:
        """Return cumulative frequencies of some features, shape (V + 2, d', m)."""
        blocks = outputs.reshape(-1, self.d, outputs.shape[1])[:, at]
        mean = np.minimum(grown(self.means[at], blocks[0]), _LARGEST_MEAN)
        each = np.empty((self.largest + 1, *mean.shape))
        each[0] = 1.0
        for v, ratio in enumerate(self._ratios(mean, blocks[1:], at)):
            np.multiply(each[v], ratio, out=each[v + 1])
        # The tail as a geometric series of the last ratio.
        each[-1] /= 1.0 - np.minimum(ratio, _STEEPEST)
        below = np.zeros((self.largest + 2, *mean.shape))
        np.add.accumulate(each, axis=0, out=below[1:])
        below /= below[-1].copy()
        below *= float((1 << self.bits) - self.largest - 1)
        np.floor(below, out=below)
        below += np.arange(self.largest + 2.0)[:, None, None]
        return below

    def _ratios(self, mean: np.ndarray, raw: np.ndarray, at: slice) -> Any:
        """P(v + 1)/P(v) for v = 0, …, V − 1."""
        if self.concentrations is None:
            mean = mean * 2.0**-MEAN_BITS
            yield from (mean / (v + 1.0) for v in range(self.largest))
            return
        size = self.concentrations[at, None].astype(np.float64)
        if self.conditional:
            size = np.minimum(grown(self.concentrations[at], raw[0]), 2.0**50)
        share = mean / (mean + size)
        for v in range(self.largest):
            ratio = (size + v * 2.0**MEAN_BITS) * share
            ratio /= (v + 1.0) * 2.0**MEAN_BITS
            yield ratio

    def intervals(self, outputs: np.ndarray, symbols: np.ndarray) -> Intervals:
        kept = np.minimum(symbols, self.largest)
        below, above = np.empty(symbols.shape), np.empty(symbols.shape)
        for at in tiles(self.d, symbols.shape[1] * (self.largest + 2)):
            cumulative = self.cumulative(outputs, at)
            below[at], above[at] = (
                np.take_along_axis(cumulative, each[None], axis=0)[0]
                for each in (kept[at], kept[at] + 1)
            )
        return Intervals.between(kept, below, above)

    def reader(self, outputs: np.ndarray) -> AbstractReader:
        return CumulativeReader(self.cumulative, outputs, self.largest + 1)

    def expected(self, outputs: np.ndarray) -> np.ndarray:
        return table_means(self.cumulative, outputs, self.d, self.largest + 1)

    def state(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "means": self.means,
            "concentrations": self.concentrations,
            "conditional": self.conditional,
            "escape": self.largest,
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "CountSymbols":
        """Undo :meth:`state`."""
        names = ("means", "concentrations", "conditional", "escape")
        return cls(*(state[name] for name in names))


def grown(start: np.ndarray, log_growth: np.ndarray) -> np.ndarray:
    """A start (d',) times the exponential of logs (d', m) in 2^-10; at least one."""
    grown = curve("exp", -_FAR, _MOST_LOG, scale=2**_GROWTH_BITS)(log_growth, bits=RAW_BITS)
    grown *= start[:, None] * 2.0**-_GROWTH_BITS
    return np.maximum(np.floor(grown, out=grown), 1.0, out=grown)
