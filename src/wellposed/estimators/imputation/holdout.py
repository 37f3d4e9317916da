"""Judgement of an imputer on observed entries that were hidden from its fit."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from wellposed import datasets
from wellposed._errors import DataError
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
    """

    rmse: np.ndarray
    standardised_rmse: float
    coverage: float
    crps: float


@dataclasses.dataclass(frozen=True, eq=False)
class HoldoutScore:
    """An imputer beside mean imputation, on entries hidden from the fits of both.

    The prediction of mean imputation is the distribution of the column's observed entries.

    Parameters
    ----------
    n_hidden : number of hidden entries
    imputer, mean : :class:`FillScore`
    names : of the columns
    """

    n_hidden: int
    imputer: FillScore
    mean: FillScore
    names: tuple[str, ...]

    def __str__(self) -> str:
        pairs = [
            (
                "RMSE, standard deviations",
                self.imputer.standardised_rmse,
                self.mean.standardised_rmse,
            ),
            ("CRPS, standard deviations", self.imputer.crps, self.mean.crps),
            ("share in 90 % intervals", self.imputer.coverage, self.mean.coverage),
        ]
        for name, own, other in zip(self.names, self.imputer.rmse, self.mean.rmse, strict=True):
            if not np.isnan(own):
                pairs.append((f"RMSE of {name[:20]}", own, other))
        lines = [f"{f'{self.n_hidden} hidden entries':30}  imputer     mean"]
        lines += [f"{what:30} {own:8.4g} {other:8.4g}" for what, own, other in pairs]
        return "\n".join(lines)


def holdout_score(
    imputer: Any, rows: np.ndarray, names: Sequence[str] | None, *, share: float, seed: int
) -> HoldoutScore:
    """Hide a share of the observed entries, fit an imputer, and judge its fills.

    Parameters
    ----------
    imputer : an estimator with :class:`ImputerMethods`, which is fitted
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
    imputer._fit_rows(hidden_rows, seed)
    means = imputer._means(hidden_rows)
    low, high = imputer._bounds(hidden_rows, _LEVEL, seed)
    draws = imputer._draws(hidden_rows, _DRAWS, seed=seed, proper=False)[:, hidden]
    own = _score(rows, hidden, means, low, high, draws)
    labels = [str(j) for j in range(len(kept))] if names is None else [str(name) for name in names]
    return HoldoutScore(
        n_hidden=int(hidden.sum()),
        imputer=own,
        mean=_of_columns(rows, hidden_rows, hidden, generator),
        names=tuple(np.array(labels, dtype=object)[kept]),
    )


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
    rows: np.ndarray, hidden_rows: np.ndarray, hidden: np.ndarray, generator: np.random.Generator
) -> FillScore:
    """Score of the observed entries of each column as prediction of its hidden ones."""
    means = np.broadcast_to(np.nanmean(hidden_rows, axis=0), rows.shape)
    ends = np.nanquantile(hidden_rows, [0.5 - _LEVEL / 2, 0.5 + _LEVEL / 2], axis=0)
    low, high = (np.broadcast_to(end, rows.shape) for end in ends)
    draws = np.empty((_DRAWS, int(hidden.sum())))
    of = np.nonzero(hidden)[1]
    for j in np.unique(of):
        observed = hidden_rows[~np.isnan(hidden_rows[:, j]), j]
        draws[:, of == j] = generator.choice(observed, (_DRAWS, int((of == j).sum())))
    return _score(rows, hidden, means, low, high, draws)


def _score(
    rows: np.ndarray,
    hidden: np.ndarray,
    means: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    draws: np.ndarray,
) -> FillScore:
    spread = np.nanstd(rows, axis=0)
    unit = np.where(spread > 0, spread, 1.0)
    error = np.where(hidden, means - rows, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        rmse = np.sqrt((error**2).sum(axis=0) / hidden.sum(axis=0))
    truth, of = rows[hidden], np.nonzero(hidden)[1]
    with jax.enable_x64(True):
        scores = np.asarray(fair_crps(jnp.asarray(truth), jnp.asarray(draws)))
    return FillScore(
        rmse=rmse,
        standardised_rmse=float(np.sqrt(np.mean((error / unit)[hidden] ** 2))),
        coverage=float(np.mean((low[hidden] <= truth) & (truth <= high[hidden]))),
        crps=float(np.mean(scores / unit[of])),
    )
