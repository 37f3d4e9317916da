"""Judgement of an imputer on observed entries that were hidden from its fit."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from wellposed import datasets
from wellposed._errors import DataError, named_features
from wellposed._text import cut
from wellposed.evaluation.predictive.crps import fair_crps

_DRAWS = 100  # of each hidden entry, for its CRPS
_LEVEL = 0.9
_TRIES = 20


@dataclasses.dataclass(frozen=True, eq=False)
class FillScore:
    """Errors of fills of hidden entries.

    Parameters
    ----------
    rmse : shape (d,), root mean squared error of each column, data units; NaN where none is hidden
    standardised_rmse : over all entries, each column in units of its standard deviation
    coverage : share of hidden entries in their 90 % intervals
    crps : mean continuous ranked probability score, each column in units of its standard deviation
    accuracy : share of the hidden entries of columns of levels that are filled with their level;
        NaN without such columns, which the other figures leave out
    """

    rmse: np.ndarray
    standardised_rmse: float
    coverage: float
    crps: float
    accuracy: float = float("nan")


@dataclasses.dataclass(frozen=True, eq=False)
class HoldoutScore:
    """An imputer beside others, on entries hidden from the fits of all.

    Parameters
    ----------
    n_hidden : number of hidden entries
    scores : :class:`FillScore` by name: of the imputer by the name of its class; of "mean", whose
        prediction is the distribution of the column's observed entries; of other imputers
    names : of the columns
    """

    n_hidden: int
    scores: dict[str, FillScore]
    names: tuple[str, ...]

    @property
    def imputer(self) -> FillScore:
        """Score of the imputer itself."""
        return next(iter(self.scores.values()))

    @property
    def mean(self) -> FillScore:
        """Score of mean imputation."""
        return self.scores["mean"]

    def __str__(self) -> str:
        every = self.scores.values()
        table = [
            ("RMSE, standard deviations", [score.standardised_rmse for score in every]),
            ("CRPS, standard deviations", [score.crps for score in every]),
            ("share in 90 % intervals", [score.coverage for score in every]),
            ("share of levels that are right", [score.accuracy for score in every]),
        ]
        if np.isnan(self.imputer.accuracy):
            table.pop()
        for j, name in enumerate(self.names):
            if not np.isnan(self.imputer.rmse[j]):
                table.append((f"RMSE of {cut(name, 21)}", [score.rmse[j] for score in every]))
        head = "".join(f" {name:>16}" for name in self.scores)
        lines = [f"{f'{self.n_hidden} hidden entries':30}{head}"]
        lines += [f"{what:30}" + "".join(f" {x:16.4g}" for x in values) for what, values in table]
        poor = np.flatnonzero(self.imputer.rmse >= self.mean.rmse)
        if poor.size:
            listed = named_features(poor, names=self.names)
            lines.append(f"No better than their mean: {listed}. Use draws of these columns.")
        return "\n".join(lines)


def holdout_score(
    imputers: Sequence[Any],
    rows: np.ndarray,
    names: Sequence[str] | None,
    *,
    share: float,
    seed: int,
) -> HoldoutScore:
    """Hide a share of the observed entries, fit imputers, and judge their fills.

    Parameters
    ----------
    imputers : estimators with :class:`ImputerMethods`, of which the first is judged and the others
        stand beside it; each is fitted
    rows : array of shape (n, d), float64; NaN is a gap
    names : of the columns
    share : of the observed entries that are hidden
    seed : of the choice of entries and of the draws
    """
    generator = np.random.default_rng(seed)
    kept = np.asarray(~np.isnan(rows).all(axis=0))
    rows = rows[:, kept]
    hidden_rows = _hide(rows, share, generator)
    hidden = np.isnan(hidden_rows) & ~np.isnan(rows)
    levels = imputers[0].level_columns(rows.shape[1])
    entries = _Entries(rows, hidden, levels)
    own, *others = (_of_imputer(imputer, entries, hidden_rows, seed) for imputer in imputers)
    scores = {type(imputers[0]).__name__: own}
    scores["mean"] = _of_columns(entries, hidden_rows, generator)
    for place, score in enumerate(others, start=1):
        name = type(imputers[place]).__name__
        scores[f"{name}, {place}" if name in scores else name] = score
    labels = [str(j) for j in range(len(kept))] if names is None else [str(name) for name in names]
    listed = tuple(np.array(labels, dtype=object)[kept])
    return HoldoutScore(int(hidden.sum()), scores, listed)


def _of_imputer(imputer: Any, entries: "_Entries", hidden_rows: np.ndarray, seed: int) -> FillScore:
    imputer._fit_rows(hidden_rows, seed)
    means = imputer._means(hidden_rows)
    low, high = imputer._bounds(hidden_rows, _LEVEL, seed)
    draws = imputer._draws(hidden_rows, _DRAWS, seed=seed, proper=False)[:, entries.hidden]
    return entries.score(means, low, high, draws)


def _hide(rows: np.ndarray, share: float, generator: np.random.Generator) -> np.ndarray:
    for _ in range(_TRIES):
        hidden = datasets.hide_completely_at_random(rows, share, generator)
        if not np.isnan(hidden).all(axis=0).any() and (np.isnan(hidden) != np.isnan(rows)).any():
            return hidden
    raise DataError(
        f"A share of {share:g} of the observed entries must hide some of them and leave one in "
        f"each column; it does not in {len(rows)} rows of {rows.shape[1]} columns. Use more rows "
        "or another share."
    )


def _of_columns(
    entries: "_Entries", hidden_rows: np.ndarray, generator: np.random.Generator
) -> FillScore:
    """Score of the observed entries of each column as prediction of its hidden ones.

    The fill is their mean, of levels the most frequent one.
    """
    rows, hidden = entries.rows, entries.hidden
    fills = np.nanmean(hidden_rows, axis=0)
    for j in np.flatnonzero(entries.levels):
        levels, counts = np.unique(hidden_rows[:, j], return_counts=True, equal_nan=False)
        counts[np.isnan(levels)] = 0
        fills[j] = levels[counts.argmax()]
    means = np.broadcast_to(fills, rows.shape)
    ends = np.nanquantile(hidden_rows, [0.5 - _LEVEL / 2, 0.5 + _LEVEL / 2], axis=0)
    low, high = (np.broadcast_to(end, rows.shape) for end in ends)
    draws = np.empty((_DRAWS, int(hidden.sum())))
    of = np.nonzero(hidden)[1]
    for j in np.unique(of):
        observed = hidden_rows[~np.isnan(hidden_rows[:, j]), j]
        draws[:, of == j] = generator.choice(observed, (_DRAWS, int((of == j).sum())))
    return entries.score(means, low, high, draws)


@dataclasses.dataclass(frozen=True, eq=False)
class _Entries:
    """Rows (n, d), the mask of their hidden entries, and of the columns of levels, (d,)."""

    rows: np.ndarray
    hidden: np.ndarray
    levels: np.ndarray

    def score(
        self, means: np.ndarray, low: np.ndarray, high: np.ndarray, draws: np.ndarray
    ) -> FillScore:
        """Score fills and interval ends, each (n, d), and draws of the hidden entries."""
        rows, spread = self.rows, np.nanstd(self.rows, axis=0)
        unit = np.where(spread > 0, spread, 1.0)
        numbers, coded = self.hidden & ~self.levels, self.hidden & self.levels
        error = np.where(numbers, means - rows, 0.0)
        truth, of = rows[numbers], np.nonzero(numbers)[1]
        with np.errstate(invalid="ignore", divide="ignore"):
            rmse = np.sqrt((error**2).sum(axis=0) / numbers.sum(axis=0))
        with jax.enable_x64(True):
            drawn = jnp.asarray(draws[:, numbers[self.hidden]])
            crps = np.asarray(fair_crps(jnp.asarray(truth), drawn))
        return FillScore(
            rmse=rmse,
            standardised_rmse=_mean((error / unit)[numbers] ** 2) ** 0.5,
            coverage=_mean((low[numbers] <= truth) & (truth <= high[numbers])),
            crps=_mean(crps / unit[of]),
            accuracy=_mean(np.rint(means[coded]) == rows[coded]),
        )


def _mean(values: np.ndarray) -> float:
    """Mean, NaN of nothing."""
    return float(np.mean(values)) if values.size else float("nan")
