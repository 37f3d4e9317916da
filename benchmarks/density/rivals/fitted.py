"""What every rival returns, and the choice among its candidates by validation."""

import dataclasses
from collections.abc import Callable, Mapping

import numpy as np

LogDensity = Callable[[np.ndarray], np.ndarray]  # rows (m, d) to nats (m,)
Fit = Callable[[np.ndarray], LogDensity]
_VALIDATION_SHARE = 5  # one training row in so many


class SkippedError(Exception):
    """A rival that is not run on a table; its text is the reason."""


@dataclasses.dataclass(frozen=True, eq=False)
class Fitted:
    """A density of rows in data units, and what was chosen."""

    log_density: LogDensity
    chosen: str


Rival = Callable[[np.ndarray], Fitted]


def on_standardised(fit: Callable[[np.ndarray], Fitted]) -> Rival:
    """Return the rival that sees standardised columns and answers in data units."""

    def rival(train: np.ndarray) -> Fitted:
        mean, sd = train.mean(axis=0), train.std(axis=0)
        fitted = fit((train - mean) / sd)
        shift = np.log(sd).sum()
        return Fitted(lambda rows: fitted.log_density((rows - mean) / sd) - shift, fitted.chosen)

    return rival


def by_validation(train: np.ndarray, candidates: Mapping[str, Fit]) -> Fitted:
    """Fit each candidate on four fifths of the rows, and the best on the rest again on all.

    A candidate whose fit raises ``ValueError``, as a mixture with a singular component does, or
    whose validation is not finite, is out.

    Raises
    ------
    RuntimeError
        If all candidates are out.
    """
    order = np.random.default_rng(2).permutation(len(train))
    n_held_out = max(1, len(order) // _VALIDATION_SHARE)
    held_out, part = train[order[:n_held_out]], train[order[n_held_out:]]
    scores = {}
    for name, fit in candidates.items():
        try:
            score = float(np.mean(fit(part)(held_out)))
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
