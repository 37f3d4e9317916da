"""An ensemble of scores: densities of three models, and distances to the nearest rows."""

import dataclasses
import warnings
from typing import Any

import numpy as np

from wellposed import models
from wellposed._errors import WellposedWarning

from ..linear import PPCA, MixturePPCA
from .neighbours import distances
from .tail import Tail, blocks

N_SCORES = 5
_MOST_KNOWN, _MOST_MIXED = 20_000, 10_000  # rows that are kept, and that the mixture is fitted to
_NEIGHBOURS = 5
_MOST_LATENTS, _ROWS_A_LATENT = 50, 5
_MOST_MIXED_LATENTS, _ROWS_A_MIXED_LATENT = 20, 30


@dataclasses.dataclass(frozen=True, eq=False)
class Ensemble:
    r"""The mean of log(1 + surprise) over scores of a row, each on the scale of :class:`Tail`.

    The scores are -log p(x) of the VAE, of a mixture of probabilistic PCAs and of one pPCA with
    most directions, and the distances to the first and the fifth neighbour among rows of the fit,
    all in standardised columns. The logarithm keeps one score from outvoting the others.

    Parameters
    ----------
    mean, scale : of each column that varies, shape (d,)
    varies : which columns do, shape of a row
    known : rows of the fit, standardised, shape (m, d)
    linear, mixture : models of standardised columns
    tails : scores of the reference rows, of each kind in turn, rising, each of shape (r,)
    """

    mean: np.ndarray
    scale: np.ndarray
    varies: np.ndarray
    known: np.ndarray
    linear: models.PPCAModel
    mixture: models.MixturePPCAModel
    tails: tuple[np.ndarray, ...]

    @classmethod
    def fit(
        cls, trained: np.ndarray, reference: np.ndarray, vae_surprise: np.ndarray, *, seed: int
    ) -> "Ensemble":
        """Fit the models to rows, and the scales of the scores to other rows.

        Parameters
        ----------
        trained : array of shape (n, d)
        reference : array of shape (r, d), rows that no model was trained on
        vae_surprise : −log p(x) of the VAE of the reference rows, shape (r,)
        seed : of the choice of rows, and of the starts of the mixture
        """
        trained, reference = (np.asarray(a, np.float64) for a in (trained, reference))
        varies = trained.max(axis=0) > trained.min(axis=0)
        mean, scale = trained[:, varies].mean(axis=0), trained[:, varies].std(axis=0)
        order = np.random.default_rng(seed).permutation(len(trained))
        rows = (trained[:, varies] - mean) / scale
        linear, mixture = _fit_models(rows[order], seed)
        own = cls(mean, scale, varies, rows[order][:_MOST_KNOWN], linear, mixture, ())
        tails = own._surprises(reference, vae_surprise)
        # Distances to more rows are shorter; the scales stay those of the fewer.
        known = np.concatenate([own._standardised(reference), own.known])[:_MOST_KNOWN]
        return dataclasses.replace(own, known=known, tails=tuple(map(np.sort, tails)))

    def surprise(self, rows: np.ndarray, vae_surprise: np.ndarray) -> np.ndarray:
        """Return the score of rows of shape (n, d), shape (n,), larger for outliers."""
        each = self._surprises(np.asarray(rows, np.float64), vae_surprise)
        scaled = [np.log1p(Tail(tail)(s)) for tail, s in zip(self.tails, each, strict=True)]
        return np.mean(scaled, axis=0)

    def _standardised(self, rows: np.ndarray) -> np.ndarray:
        return (rows[:, self.varies] - self.mean) / self.scale

    def _surprises(self, rows: np.ndarray, vae_surprise: np.ndarray) -> list[np.ndarray]:
        """Return the scores of each kind, each of shape (n,)."""
        units = self._standardised(rows)
        near = distances(units, self.known, min(_NEIGHBOURS, len(self.known)))
        pairs = [
            (self.linear.log_density(block)[:n], self.mixture.log_density(block)[:n])
            for block, n in blocks(units)
        ]
        linear, mixture = (np.concatenate(part) for part in zip(*pairs, strict=True))
        vae = np.asarray(vae_surprise, np.float64)
        return [vae, -mixture, -linear, near[:, 0], near[:, -1]]

    @classmethod
    def of_parts(cls, parts: Any, n_columns: int) -> "Ensemble | None":
        """Return the ensemble of a file, or None if the parts are not what :meth:`parts` returns.

        Parameters
        ----------
        parts : of the file
        n_columns : columns of a row
        """
        if not (isinstance(parts, tuple) and len(parts) == 7):
            return None
        mean, scale, varies, known, linear, mixture, tails = parts
        flags = isinstance(varies, np.ndarray) and varies.dtype == np.bool_
        if not flags or varies.shape != (n_columns,) or not isinstance(tails, tuple):
            return None
        d = int(varies.sum())
        numbers = all(
            isinstance(a, np.ndarray) and a.dtype == np.float64 and np.isfinite(a).all()
            for a in (mean, scale, known, *tails)
        )
        if not numbers or mean.shape != (d,) or scale.shape != (d,) or not (scale > 0).all():
            return None
        models_fit = isinstance(linear, models.PPCAModel) and isinstance(
            mixture, models.MixturePPCAModel
        )
        if not models_fit or linear.mean.shape != (d,) or mixture.mean.shape[1:] != (d,):
            return None
        sound = known.ndim == 2 and known.shape[1] == d and len(known) > 0
        sound = sound and len(tails) == N_SCORES and all(t.ndim == 1 and len(t) for t in tails)
        sound = sound and all((np.diff(t) >= 0).all() for t in tails)
        return cls(mean, scale, varies, known, linear, mixture, tails) if sound else None

    def parts(self) -> tuple[Any, ...]:
        """Return what a file has of it."""
        return (
            self.mean,
            self.scale,
            self.varies,
            self.known,
            self.linear,
            self.mixture,
            self.tails,
        )


def _fit_models(rows: np.ndarray, seed: int) -> tuple[models.PPCAModel, models.MixturePPCAModel]:
    """Fit pPCA and a mixture of pPCA to standardised rows, in an order by chance."""
    n, d = rows.shape
    k = max(1, min(d - 1, n // _ROWS_A_LATENT, _MOST_LATENTS))
    some = rows[:_MOST_MIXED]
    few = max(1, min(d - 1, _MOST_MIXED_LATENTS, len(some) // _ROWS_A_MIXED_LATENT))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", WellposedWarning)  # of the columns, which the VAE gave
        linear = PPCA(k, random_state=seed).fit(rows)
        mixture = MixturePPCA(
            few, n_init=1, max_iter=300, tol=1e-5, progress=False, random_state=seed
        ).fit(some)
    return linear.model_, mixture.model_
