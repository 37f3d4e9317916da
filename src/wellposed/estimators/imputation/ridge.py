"""Choice of the ridge of a Gaussian on hidden entries."""

import numpy as np

from wellposed import datasets, models

_PSEUDO_ROWS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0)
_FIRST = 5  # the ridge from which the search begins
_SHARE = 0.1  # of the observed entries that are hidden
_ENTRIES = 4_000  # hidden entries after which no further mask is drawn
_MASKS = 4
_ROWS = 5_000  # largest number of rows of a fit
_TOLERANCE = 1e-5  # of the fits that are compared
_TRIES = 20


def choose_ridge(rows: np.ndarray, generator: np.random.Generator) -> float:
    """Return the pseudo-rows with the least squared error of hidden entries, standardised.

    The search descends on a grid; the result is the vertex of a parabola through the logarithms of
    the best ridge and its neighbours.

    Parameters
    ----------
    rows : array of shape (n, d), float64; NaN is a gap, every column has an observed entry
    generator : of the hidden entries
    """
    if len(rows) > _ROWS:
        part = rows[generator.choice(len(rows), _ROWS, replace=False)]
        rows = part if not np.isnan(part).all(axis=0).any() else rows
    errors = _Errors(rows, _masks(rows, generator))
    if not errors.masks:
        return _PSEUDO_ROWS[_FIRST]
    at, last = _FIRST, len(_PSEUDO_ROWS) - 1
    step = -1 if errors(at - 1) < errors(at) else 1
    while 0 < at + step < last and errors(at + step) < errors(at):
        at += step
    places = np.array([at - 1, at, at + 1])
    log_ridges = np.log([_PSEUDO_ROWS[i] for i in places])
    bend, slope, _ = np.polyfit(log_ridges, [errors(i) for i in places], 2)
    if not bend > 0:
        return _PSEUDO_ROWS[at]
    return float(np.exp(np.clip(-slope / (2 * bend), log_ridges[0], log_ridges[2])))


class _Errors:
    """Squared errors of hidden entries for each ridge of the grid, each computed once."""

    def __init__(self, rows: np.ndarray, masks: list[np.ndarray]):
        spread = np.nanstd(rows, axis=0)
        self.rows, self.masks = rows, masks
        self.unit = np.where(spread > 0, spread, 1.0)
        self._known: dict[int, float] = {}
        self._starts: list[models.GaussianModel | None] = [None] * len(masks)

    def __call__(self, place: int) -> float:
        if place not in self._known:
            self._known[place] = sum(self._error(place, i) for i in range(len(self.masks)))
        return self._known[place]

    def _error(self, place: int, i: int) -> float:
        hidden, ridge = self.masks[i], _PSEUDO_ROWS[place] / len(self.rows)
        fit = models.gaps.gaussian(hidden, ridge=ridge, start=self._starts[i], tol=_TOLERANCE)
        self._starts[i] = fit.model
        gone = np.isnan(hidden) & ~np.isnan(self.rows)
        deviations = (fit.model.conditional(hidden)[0] - self.rows) / self.unit
        return float((deviations[gone] ** 2).sum())


def _masks(rows: np.ndarray, generator: np.random.Generator) -> list[np.ndarray]:
    """Copies of the rows with hidden entries that leave one in each column."""
    found, entries = [], 0
    for _ in range(_TRIES):
        hidden = datasets.hide_completely_at_random(rows, _SHARE, generator)
        gone = int(np.isnan(hidden).sum() - np.isnan(rows).sum())
        if gone and not np.isnan(hidden).all(axis=0).any():
            found.append(hidden)
            entries += gone
        if len(found) == _MASKS or entries >= _ENTRIES:
            break
    return found
