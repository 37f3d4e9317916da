"""One number, the fineness, for the cells of all latents: what it costs, and what it gives."""

import functools

import numpy as np

from ..protocol import MISSING
from .codec import QuantisedCodec, lanes_of
from .quantiser import MOST_CELLS, Quantiser
from .shares import Shares

_PARTS = 64  # finenesses to a halving of the cells
_LANE_BITS = 37  # a word that a lane begins with, and the length of its last state
_FINEST = 2.0**-5  # of a width of one


class Finenesses:
    r"""Quantisers of rising fineness, by what they do to a sample of rows.

    With σ the deviation of q(z | x) of a latent, as a rule over the rows, and v the variance of
    its means, the width of its cells is proportional to

    .. math:: \sigma \sqrt{1 + \sigma^2 / v}

    so that each latent adds as much to the error of the reconstruction, and one that does not
    depend on the rows is a single cell. Fineness 0 has one cell for each latent, and each step
    after it narrows the cells by 2^(1/64).

    Parameters
    ----------
    codec : integer model
    symbols : of the sample, int64, shape (m, n_features)
    scale : of a symbol in units of the data, shape (m, n_features) or (n_features,); zero leaves it
        out of the error
    n_rows : of which the rows are a sample, that are coded together

    References: Cover & Thomas (2006), chapter 10, for reverse water-filling.
    """

    def __init__(self, codec: QuantisedCodec, symbols: np.ndarray, scale: np.ndarray, n_rows: int):
        self._codec, self._n = codec, max(n_rows, len(symbols))
        features, self._known = codec.codec.taken_apart(symbols)
        d = features.shape[1]
        self._symbols = features
        scale = np.where(symbols == MISSING, 0.0, scale)[:, :d]
        self._scale, self._count = scale, np.count_nonzero(scale)
        self._means, spreads = codec.latents(symbols)
        self._widths = _widths(self._means, spreads)
        self._centre = np.rint(self._means.mean(axis=1)).astype(np.int64)
        away = np.abs(self._means - self._centre[:, None]).max(axis=1)
        with np.errstate(divide="ignore"):
            ratio = np.where(self._widths < np.inf, away / self._widths, 0.0)
        self._coarsest = 2.0 * (ratio.max(initial=0.0) + 1e-9) * 1.01
        self.finest = max(0, int(np.ceil(_PARTS * np.log2(self._coarsest / _FINEST))))
        self.bits = functools.cache(self._bits)
        self.rmse = functools.cache(self._rmse)

    def quantiser(self, fineness: int) -> Quantiser:
        """Return the cells of a fineness, 0 to ``finest``."""
        times = self._coarsest * 2.0 ** (-fineness / _PARTS)
        most = np.abs(self._means).max(axis=1) + np.abs(self._centre) + 1
        with np.errstate(over="ignore"):
            width = np.minimum(times * self._widths, 4.0 * most)
        step = np.rint(np.maximum(width, np.ceil(most / MOST_CELLS))).astype(np.int64)
        return Quantiser.fitted(self._means, np.maximum(step, 1), self._centre)

    def _bits(self, fineness: int) -> float:
        """Bits a row of latents and of their shares."""
        quantiser = self.quantiser(fineness)
        cells = quantiser.cells(self._means)
        repeat = self._n / max(1, cells.shape[1])
        total = 8.0 * len(quantiser.pack()) + _LANE_BITS * lanes_of(self._n, len(quantiser.active))
        for j in quantiser.active:
            own = Shares.fitted(cells[j], repeat)
            total += own.bits(np.bincount(cells[j] - own.low), repeat)
        return total / max(1, self._n)

    def _rmse(self, fineness: int) -> float:
        """Root mean squared error over the cells of the sample."""
        quantiser = self.quantiser(fineness)
        places = quantiser.places(quantiser.cells(self._means))
        return self._error(self._codec.means(places, self._known))

    def rmse_of_means(self) -> float:
        """Return that of the reconstruction from latents that are not quantised."""
        return self._error(self._codec.means(np.rint(self._means), self._known))

    def _error(self, features: np.ndarray) -> float:
        away = (features.T - self._symbols) * self._scale
        return float(np.sqrt((away**2).sum() / max(1, self._count)))

    def for_bits(self, target: float) -> int:
        """Return the finest that takes at most ``target`` bits a row."""
        return _last(lambda fineness: self.bits(fineness) <= target, self.finest)

    def for_rmse(self, target: float) -> int:
        """Return the coarsest whose error is at most ``target``."""
        return 1 + _last(lambda fineness: self.rmse(fineness) > target, self.finest)


def _widths(means: np.ndarray, spreads: np.ndarray) -> np.ndarray:
    square = (spreads**2).mean(axis=1)
    variance = means.var(axis=1)
    with np.errstate(divide="ignore"):
        return np.sqrt(square * (1.0 + square / variance))


def _last(holds, most: int) -> int:
    """Return the last of 0, …, most for which ``holds``, which it does up to some number."""
    low, high = 0, most + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low
