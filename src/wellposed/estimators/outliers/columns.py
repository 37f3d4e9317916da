"""Scores of rows by the tails of their columns, and quantiles that cover as their levels say."""

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from wellposed._errors import SettingError
from wellposed.evaluation.outliers import central_quantiles, central_ranks, tail_surprise

from .._vae import VAE
from .tail import Tail

_LEVELS = (0.025, 0.15, 0.5, 0.85, 0.975)  # of the heads


def quantile_noise() -> Any:
    """Return the noise of a VAE whose noise is "auto", where rows are scored by quantiles."""
    from wellposed.noise import Quantile

    return Quantile(_LEVELS, scale="feature")


def check_levels(levels: ArrayLike) -> np.ndarray:
    """Return levels as an array of shape (h,).

    Raises
    ------
    SettingError
        Unless there is one or more, each in (0, 1).
    """
    found = np.asarray(levels, np.float64).ravel()
    if not len(found) or not ((found > 0) & (found < 1)).all():
        raise SettingError(
            f"levels must be numbers in (0, 1); got {levels}. (0.15, 0.5, 0.85) are a median and, "
            "for a Gaussian, one standard deviation on either side."
        )
    return found


@dataclasses.dataclass(frozen=True, eq=False)
class Columns:
    r"""Minus the sum over columns of log p_j, with p_j the share of reference rows as far out.

    How far out a cell is: the smaller tail of p(x_j | z), z ~ q(z | x). As z depends on x, these
    tails are not p-values; their ranks among rows held out of training are, see :class:`Tail`.

    Parameters
    ----------
    surprise : of the cells of the reference rows, rising in each column, shape (r, d)
    ranks : P(X_j ≤ x_j | E[z | x]) of cells of rows that were not in the training, calibration
        rows among them, rising in each column, shape (q, d)
    """

    surprise: np.ndarray
    ranks: np.ndarray

    @classmethod
    def fit(cls, vae: VAE, reference: np.ndarray, held: np.ndarray) -> "Columns":
        """Score the cells of rows that were not in the training, as the model takes them.

        Parameters
        ----------
        vae : fitted
        reference : array of shape (r, d + c)
        held : the calibration rows, which correct the levels of quantiles alone, shape (m, d + c)
        """
        key = vae.key("score")
        surprise = np.asarray(tail_surprise(vae.model_, reference, key=key), np.float64)
        ranks = central_ranks(vae.model_, np.concatenate([reference, held]), key=key)
        return cls(np.sort(surprise, axis=0), np.sort(ranks, axis=0))

    def score(self, vae: VAE, rows: np.ndarray) -> np.ndarray:
        """Return the score of rows, shape (n,), larger for outliers."""
        found = np.asarray(tail_surprise(vae.model_, rows, key=vae.key("score")), np.float64)
        each = [Tail(known)(s) for known, s in zip(self.surprise.T, found.T, strict=True)]
        return np.sum(each, axis=0)

    def quantiles(self, vae: VAE, rows: np.ndarray, levels: np.ndarray) -> np.ndarray:
        """Return quantiles given E[z | x] in data units, shape (n, h, d).

        The level of the noise is the one that such a share of rows held out is below: with q of
        them, a share of new rows within 1/(2 q + 2) of the level asked for is expected below.
        """
        q = len(self.ranks)
        place = np.clip(np.round(levels * (q + 1)).astype(int) - 1, 0, q - 1)
        found = central_quantiles(vae.model_, rows, self.ranks[place], key=vae.key("score"))
        return np.stack([vae.in_data_units(each) for each in np.moveaxis(found, 1, 0)], axis=1)

    @classmethod
    def of_parts(cls, parts: Any, n_columns: int) -> "Columns | None":
        """Return the columns of a file, or None if the parts are not what :meth:`parts` returns."""
        if not (isinstance(parts, tuple) and len(parts) == 2):
            return None
        sound = all(
            isinstance(a, np.ndarray)
            and a.dtype == np.float64
            and a.ndim == 2
            and a.shape[1:] == (n_columns,)
            and len(a) > 0
            and np.isfinite(a).all()
            and (np.diff(a, axis=0) >= 0).all()
            for a in parts
        )
        return cls(*parts) if sound else None

    def parts(self) -> tuple[Any, ...]:
        """Return what a file has of it."""
        return self.surprise, self.ranks
