"""An ensemble of scores: densities of a VAE and of Gaussians, and distances to the nearest rows."""

import dataclasses
from typing import Any

import numpy as np

from .calibration import Split
from .densities import Densities
from .neighbours import distances
from .tail import Tail

# Of log p(x) of the VAE and of the mixtures, and of the distances to the first and the fifth
# neighbour: densities and distances count half each.
WEIGHTS = (1 / 6, 1 / 6, 1 / 6, 1 / 4, 1 / 4)
WITHOUT_VAE = (0.0, 1 / 4, 1 / 4, 1 / 4, 1 / 4)
_FEWEST_REFERENCE = 30  # rows to put log p(x) of the VAE on a scale by
_MOST_KNOWN = 20_000  # rows that are kept
_NEIGHBOURS = 5
_FOLDED, _FOLDS = 2_000, 5  # rows below which every row trains what does not score it


@dataclasses.dataclass(frozen=True, eq=False)
class Ensemble:
    r"""The mean of log(1 + surprise) over scores of a row, each on the scale of :class:`Tail`.

    The scores are -log p(x) of the VAE and of mixtures of five and of ten Gaussians, and the
    distances to the first and the fifth neighbour among rows of the fit, in standardised columns.
    Densities and distances have half of the weight each. The logarithm keeps one score from
    outvoting the others.

    Parameters
    ----------
    mean, scale : of each column that varies, shape (d,)
    varies : which columns do, shape of a row
    known : rows of the fit, standardised, shape (m, d)
    densities : mixtures of standardised columns
    tails : of each kind of score in turn, those of rows that did not train it, rising, shape (r,)
    weights : of each kind of score
    distinct : whether a known row is no neighbour of rows equal to it: where the rows to score may
        be those of the fit
    """

    mean: np.ndarray
    scale: np.ndarray
    varies: np.ndarray
    known: np.ndarray
    densities: Densities
    tails: tuple[np.ndarray, ...]
    weights: tuple[float, ...]
    distinct: bool = False

    @classmethod
    def fit(
        cls, rows: np.ndarray, split: Split, vae_surprise: np.ndarray, *, seed: int
    ) -> tuple["Ensemble", np.ndarray]:
        """Fit the models, the scales of the scores, and score the calibration rows.

        The VAE trains on the rows that are not held out, and has no weight where fewer than 30
        reference rows can put it on a scale, from 300 rows on. Of few rows, the other models train
        on all: a row has scores of models of which its fold was no part, and distances to the
        other rows. Folds of the calibration rows are a fifth of these, so that new rows, scored
        by models of all rows, are much like them; folds of the others give the scale.

        Parameters
        ----------
        rows : array of shape (n, d)
        split : positions of m calibration rows, of the reference rows that put scores on scales,
            and of rows to train nothing on, where rows of the fit may be outliers
        vae_surprise : −log p(x) of the VAE of the calibration rows, then of the reference rows
        seed : of the choice of rows, and of the starts of the mixtures

        Returns
        -------
        the ensemble, and the score of the calibration rows, shape (m,), larger for outliers
        """
        rows, m = np.asarray(rows, np.float64), len(split.held)
        few = len(rows) < _FOLDED
        base = np.setdiff1d(np.arange(len(rows)), split.left_out) if few else split.trained
        seen = rows[split.trained]  # the VAE takes the columns that vary there
        varies = seen.max(axis=0) > seen.min(axis=0)
        mean, scale = rows[base][:, varies].mean(axis=0), rows[base][:, varies].std(axis=0)
        units = (rows[:, varies] - mean) / scale
        order = np.random.default_rng(seed).permutation(base)
        densities = Densities.fit(units[order], seed=seed)
        if few:
            others = order[~np.isin(order, split.held)]
            out, of = np.append(split.held, others), (split.held, others)
            two = [_folded(units, order, part, seed=seed) for part in of]
            each = [np.concatenate(kind) for kind in zip(*two, strict=True)]
        else:
            out, each = split.out, densities.surprise(units[split.out])
        distinct = len(split.left_out) > 0
        others = np.append(out[~np.isin(out, split.left_out)], order[~np.isin(order, out)])
        known = units[others[:_MOST_KNOWN]]
        # Of the rows known, each is its own nearest.
        skipped, nearest = 0 if distinct else 1, _neighbours(len(known) - 1)
        near = distances(units[out], known, skipped + nearest, distinct=distinct)[:, skipped:]
        found = [np.asarray(vae_surprise, np.float64), *each, near[:, 0], near[:, -1]]
        places = [split.out, *[out] * len(found[1:])]
        typical = [~np.isin(each[m:], split.left_out) for each in places]
        tails = tuple(np.sort(s[m:][own]) for s, own in zip(found, typical, strict=True))
        scaled = len(tails[0]) >= _FEWEST_REFERENCE
        weights = WEIGHTS if scaled else WITHOUT_VAE
        own = cls(mean, scale, varies, known, densities, tails, weights, distinct)
        return own, own._joined([s[:m] for s in found])

    def surprise(self, rows: np.ndarray, vae_surprise: np.ndarray) -> np.ndarray:
        """Return the score of rows of shape (n, d), shape (n,), larger for outliers."""
        units = (np.asarray(rows, np.float64)[:, self.varies] - self.mean) / self.scale
        nearest = _neighbours(len(self.known) - self.distinct)
        near = distances(units, self.known, nearest, distinct=self.distinct)
        each = self.densities.surprise(units)
        vae = np.asarray(vae_surprise, np.float64)
        return self._joined([vae, *each, near[:, 0], near[:, -1]])

    def _joined(self, each: list[np.ndarray]) -> np.ndarray:
        """Return the weighted mean over scores, each of shape (n,)."""
        scaled = [np.log1p(Tail(tail)(s)) for tail, s in zip(self.tails, each, strict=True)]
        return np.average(scaled, axis=0, weights=self.weights)

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
        mean, scale, varies, known, mixtures, tails, weights = parts
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
        densities = Densities.of_parts(mixtures, d)
        if densities is None:
            return None
        sound = known.ndim == 2 and known.shape[1] == d
        sound = sound and len(known) > 0 and len(tails) == len(WEIGHTS)
        sound = sound and weights in (WEIGHTS, WITHOUT_VAE)
        sound = sound and all(t.ndim == 1 and len(t) for t in tails)
        sound = sound and all((np.diff(t) >= 0).all() for t in tails)
        own = cls(mean, scale, varies, known, densities, tails, weights)
        return own if sound else None

    def parts(self) -> tuple[Any, ...]:
        """Return what a file has of it."""
        mixtures = self.densities.mixtures
        own = self.mean, self.scale, self.varies, self.known, mixtures, self.tails
        return *own, self.weights


def _folded(
    units: np.ndarray, order: np.ndarray, out: np.ndarray, *, seed: int
) -> list[np.ndarray]:
    """Return −log p(x) of each mixture for rows, by fits without their fold.

    Parameters
    ----------
    units : all rows, standardised, shape (n, d)
    order : of the rows in a training, shape (n,)
    out : positions of the rows to score
    seed : of the starts
    """
    found = []
    for part in np.array_split(out, min(_FOLDS, len(out))):
        rest = units[order[~np.isin(order, part)]]
        found.append(Densities.fit(rest, seed=seed).surprise(units[part]))
    return [np.concatenate(kind) for kind in zip(*found, strict=True)]


def _neighbours(n: int) -> int:
    return max(1, min(_NEIGHBOURS, n))
