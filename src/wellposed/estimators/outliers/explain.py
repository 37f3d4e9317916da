"""Explanations of outliers by log p of parts of a row."""

import dataclasses
import warnings
from typing import Any

import numpy as np

from wellposed import evaluation, models
from wellposed._errors import DataWarning
from wellposed.evaluation import Explanation, conformal_p_values
from wellposed.evaluation.outliers import (
    fewest_calibration_rows,
    log_density_of_parts,
    with_gaps,
    without_each,
)

from .._vae import VAE
from .._words import Rows
from ..data.table import Table
from .calibration import least_rate

_WIDTH = 6.0  # standard deviations over which values of a wrong cell spread
_MOST_WRONG = 5  # cells of a row
_CALIBRATED, _CELLS, _FEWEST = 300, 20_000, 100  # rows and cells by which cells are judged


def rows_for_cells(n: int, d: int) -> int:
    """Return how many of n calibration rows are kept, by which cells are judged."""
    return min(n, _CALIBRATED, max(_FEWEST, _CELLS // d))


@dataclasses.dataclass(frozen=True, eq=False)
class Cells:
    """What the cells of a row are judged by.

    Parameters
    ----------
    vae : fitted
    model : of rows with missing entries, with the p(x) of the VAE
    log_wrong : log density of the values of a wrong cell, of each column, shape (d,)
    calibration : −log p(x_j | the other cells) of calibration rows, shape (m, d)
    n_samples : draws of z a row
    """

    vae: VAE
    model: models.VAEModel
    log_wrong: np.ndarray
    calibration: np.ndarray
    n_samples: int

    @classmethod
    def of(cls, vae: VAE, kept: np.ndarray, n_samples: int) -> "Cells":
        """Judge cells by rows that were held out, as the model takes them: (m, d + c)."""
        d, key = vae.n_features_in_, vae.key("score")
        own = kept[:, :d]
        typical = kept[np.isnan(own).sum(axis=1).argmin()]
        model = with_gaps(vae.model_, np.nan_to_num(typical), key=key)
        cells = cls(vae, model, _log_wrong(vae, own), np.empty((0, d)), n_samples)
        seen = ~np.isnan(own)
        whole = cells.log_density(kept, seen[:, None])[:, 0]
        rest = cells.log_density(kept, without_each(seen))
        surprise = np.where(seen, rest - whole[:, None], np.nan)
        return dataclasses.replace(cells, calibration=surprise)

    def log_density(self, rows: np.ndarray, seen: np.ndarray) -> np.ndarray:
        """Return log p of parts of rows: (n, d + c) and (n, p, d) to (n, p)."""
        key = self.vae.key("score")
        return log_density_of_parts(self.model, rows, seen, n_samples=self.n_samples, key=key)

    def p_values(self, surprise: np.ndarray) -> np.ndarray:
        """Return the p-value of each cell, (n, d), from its surprise; 1 where it is NaN."""
        found = np.ones_like(surprise)
        for j in range(surprise.shape[1]):
            some, known = ~np.isnan(surprise[:, j]), self.calibration[:, j]
            known = known[~np.isnan(known)]
            if some.any() and len(known):
                found[some, j] = conformal_p_values(surprise[some, j], known)
        return found


def warn_of_few_cells(level: float, m: int) -> None:
    """Warn of a level that the p-values of cells, by m calibration rows, cannot reach."""
    if level * (m + 1) >= 1:
        return
    warnings.warn(
        f"No cell can be named at level={level:g}: cells are judged by {m} rows held out of "
        f"training, whose smallest p-value is 1/(m + 1). Pass level={least_rate(m):g} or more, or "
        f"fit with n_calibration={fewest_calibration_rows(level)}, on more rows if needed.",
        DataWarning,
        stacklevel=3,
    )


def explain(cells: Cells, X: Rows, table: Table, log_p: np.ndarray, level: float) -> Explanation:
    """Name the wrong cells of rows one by one, and split −log p(x) between columns.

    Parameters
    ----------
    cells : what they are judged by
    X : the rows as they were passed
    table : the same rows
    log_p : log p(x) of each, shape (n,)
    level : share of right cells that are named
    """
    vae = cells.vae
    rows, d = np.asarray(vae.rows(table), np.float64), vae.n_features_in_
    named = _name(cells, rows, log_p, level)
    contributions = _chain(cells, rows, named, log_p)
    names = table.labels or tuple(f"column {j}" for j in range(d))
    like = None if isinstance(X, Table) else X
    expected, observed = (
        vae.as_given(values, like=like, covariates=table.given)
        for values in (_expected(cells, rows, named.wrong), rows[:, :d])
    )
    return Explanation(
        -log_p, contributions, named.order, named.p, named.wrong, expected, tuple(names), observed
    )


@dataclasses.dataclass(frozen=True, eq=False)
class _Named:
    """Order of the columns of each row, p-values of cells, and which are wrong, each (n, d)."""

    order: np.ndarray
    p: np.ndarray
    wrong: np.ndarray


def _name(cells: Cells, rows: np.ndarray, log_p: np.ndarray, level: float) -> _Named:
    """Hide the most suspicious cell of each row, as long as its p-value is at most the level."""
    n, d = len(rows), len(cells.log_wrong)
    right = ~np.isnan(rows[:, :d])
    wrong, p = np.zeros((n, d), bool), np.ones((n, d))
    rank = np.zeros((n, d))  # larger for more suspicious columns
    current, active = log_p.copy(), np.flatnonzero(right.sum(axis=1) > 1)
    for step in range(min(_MOST_WRONG, d - 1) + 1):
        if not active.size:
            break
        shown = right[active]
        rest = cells.log_density(rows[active], without_each(shown))
        surprise = np.where(shown, rest - current[active, None], np.nan)
        now = cells.p_values(surprise)
        p[active] = np.where(shown, now, p[active])
        # Which cell is wrong: log p of the others, times the density of the values of a wrong one.
        belief = np.where(shown, rest + cells.log_wrong, -np.inf)
        rank[active] = np.where(shown, _ranks(belief), rank[active])
        suspect = belief.argmax(axis=1)
        places = np.arange(len(active))
        found = (now[places, suspect] <= level) & (shown.sum(axis=1) > 1)
        found &= step < _MOST_WRONG
        hit, cell = active[found], suspect[found]
        wrong[hit, cell], right[hit, cell] = True, False
        rank[hit, cell] = 2.0 * d + _MOST_WRONG - step
        current[hit] = rest[places[found], cell]
        active = hit
    return _Named(np.argsort(-rank, axis=1, kind="stable"), p, wrong)


def _ranks(belief: np.ndarray) -> np.ndarray:
    """Return 1 for the least of the columns of each row to d for the largest."""
    return belief.argsort(axis=1).argsort(axis=1) + 1.0


def _chain(cells: Cells, rows: np.ndarray, named: _Named, log_p: np.ndarray) -> np.ndarray:
    """Return −log p of each column given those after it in the order of its row, (n, d)."""
    n, d = named.order.shape
    place = np.argsort(named.order, axis=1)  # of each column
    left = place[:, None, :] > np.arange(d)[None, :, None]
    seen = left & ~np.isnan(rows[:, None, :d])
    after = cells.log_density(rows, seen)
    steps = np.diff(np.concatenate([log_p[:, None], after], axis=1), axis=1)
    contributions = np.empty((n, d))
    np.put_along_axis(contributions, named.order, steps, axis=1)
    return contributions


def _expected(cells: Cells, rows: np.ndarray, wrong: np.ndarray) -> np.ndarray:
    """Return rows (n, d) with the wrong cells filled given the right ones."""
    vae, d = cells.vae, wrong.shape[1]
    filled, some = rows[:, :d].copy(), wrong.any(axis=1)
    if not some.any():
        return filled
    hidden = rows[some]
    hidden[:, :d] = np.where(wrong[some], np.nan, hidden[:, :d])
    levels = level_counts(vae)
    made = evaluation.impute(
        cells.model, hidden, key=vae.key("gaps"), n_levels=int(levels.max(initial=0))
    )
    mean = np.asarray(made.mean, np.float64)
    if made.level_probabilities is not None:
        likeliest = np.asarray(made.level_probabilities).argmax(axis=1)
        mean = np.where(levels > 0, likeliest, mean)
    filled[some] = np.where(wrong[some], mean, filled[some])
    return filled


def level_counts(vae: VAE) -> np.ndarray:
    """Return the number of levels of each column, shape (d,), and 0 for numbers."""
    schema = vae.schema_
    if schema is None or schema.one_noise:
        return np.zeros(vae.n_features_in_, int)
    return np.array(
        [
            len(column.levels or (0, 1)) if column.has_levels or column.kind == "boolean" else 0
            for column in schema.kept
        ]
    )


def _log_wrong(vae: VAE, rows: np.ndarray) -> np.ndarray:
    """Return the log density of the values of a wrong cell: even over the width of the column."""
    levels: Any = level_counts(vae)
    spread = np.nanstd(rows, axis=0)
    with np.errstate(divide="ignore"):
        even = np.where(spread > 0, -np.log(_WIDTH * np.where(spread > 0, spread, 1.0)), 0.0)
    return np.where(levels > 0, -np.log(np.maximum(levels, 1)), even)
