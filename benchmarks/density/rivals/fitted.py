"""What every rival returns, and the choice among its candidates by validation."""

import dataclasses
from collections.abc import Callable, Mapping

import numpy as np

LogDensity = Callable[[np.ndarray], np.ndarray]  # rows (m, d) to nats (m,)
Fit = Callable[[np.ndarray], LogDensity]
FOLDS = 5  # one training row in so many validates a choice


class SkippedError(Exception):
    """A rival that is not run on a table; its text is the reason."""


@dataclasses.dataclass(frozen=True, eq=False)
class Fitted:
    """A density of rows in data units, and what was chosen."""

    log_density: LogDensity
    chosen: str


Rival = Callable[[np.ndarray, int], Fitted]  # rows; the folds that validate a choice, at most


def on_standardised(fit: Rival) -> Rival:
    """Return the rival that sees standardised columns and answers in data units."""

    def rival(train: np.ndarray, folds: int) -> Fitted:
        mean, sd = train.mean(axis=0), train.std(axis=0)
        fitted = fit((train - mean) / sd, folds)
        shift = np.log(sd).sum()
        return Fitted(lambda rows: fitted.log_density((rows - mean) / sd) - shift, fitted.chosen)

    return rival


def by_validation(train: np.ndarray, candidates: Mapping[str, Fit], folds: int) -> Fitted:
    """Choose the candidate that scores best on rows held out, and fit it again on all rows.

    Each of the first ``folds`` fifths of the rows is held out in turn. A candidate whose fit
    raises ``ValueError``, as a mixture with a singular component does, or whose score is not
    finite, is out.

    Raises
    ------
    RuntimeError
        If all candidates are out.
    """
    order = np.random.default_rng(2).permutation(len(train))
    fifths = np.array_split(order, FOLDS)[:folds]
    scores = {}
    for name, fit in candidates.items():
        try:
            score = sum(_validated(train, fit, held_out) for held_out in fifths)
        except ValueError:
            continue
        if np.isfinite(score):
            scores[name] = score
    for name in sorted(scores, key=scores.__getitem__, reverse=True):
        try:
            return Fitted(candidates[name](train), name)
        except ValueError:
            continue
    raise RuntimeError(f"none of {len(candidates)} candidates can be fitted to {train.shape} rows")


def _validated(train: np.ndarray, fit: Fit, held_out: np.ndarray) -> float:
    """Sum of the log density of the rows held out under a fit to the others."""
    part = np.delete(train, held_out, axis=0)
    return float(np.sum(fit(part)(train[held_out])))
