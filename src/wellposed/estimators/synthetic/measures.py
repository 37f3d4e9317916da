"""Distances between tables in the numbers of a schema, in which levels are positions.

A column is given as its numbers, NaN where a cell is missing, with a flag for levels.
"""

import dataclasses
import math
from typing import Any

import numpy as np
import scipy.stats

_CHUNK = 1 << 25  # entries of an array of differences


@dataclasses.dataclass(frozen=True, eq=False)
class Numbers:
    """A table in numbers.

    Parameters
    ----------
    values : array of shape (n, d); NaN is a missing cell
    levels : array of shape (d,), bool: columns whose numbers are positions of levels
    """

    values: np.ndarray
    levels: np.ndarray


def marginal_distance(x: np.ndarray, y: np.ndarray, is_level: bool) -> float:
    """Return the distance of two samples of a column, from 0 to 1.

    Parameters
    ----------
    x, y : arrays of shape (n,) and (m,); missing cells are left out of numbers, and are a level
    is_level : the total variation of levels, ½ Σ |p − q|; otherwise the Kolmogorov–Smirnov
        distance, sup |F − G|

    Examples
    --------
    >>> marginal_distance(np.array([0.0, 1, 1, 1]), np.array([0.0, 0, 1, 1]), True)
    0.25
    """
    if is_level:
        codes = [np.where(np.isnan(each), -1, each).astype(int) + 1 for each in (x, y)]
        size = max(int(each.max()) for each in codes) + 1
        p, q = (np.bincount(each, minlength=size) / len(each) for each in codes)
        return float(np.abs(p - q).sum() / 2)
    x, y = x[~np.isnan(x)], y[~np.isnan(y)]
    if not len(x) or not len(y):
        return math.nan
    result: Any = scipy.stats.ks_2samp(x, y, method="asymp")
    return float(result.statistic)


def associations(table: Numbers) -> np.ndarray:
    """Return the association of each pair of columns, shape (d, d), from 0 to 1.

    Between numbers |ρ| of Spearman, between levels V of Cramér, between both the correlation
    ratio η of the number's ranks. Rows in which one of the two is missing are left out; NaN where
    a column does not vary.
    """
    d = table.values.shape[1]
    found = np.ones((d, d))
    for i in range(d):
        for j in range(i):
            found[i, j] = found[j, i] = _association(table, i, j)
    return found


def _association(table: Numbers, i: int, j: int) -> float:
    present = ~np.isnan(table.values[:, [i, j]]).any(axis=1)
    x, y = table.values[present, i], table.values[present, j]
    if len(x) < 2 or (x == x[0]).all() or (y == y[0]).all():
        return math.nan
    if table.levels[i] and table.levels[j]:
        return _cramer(x, y)
    if table.levels[i]:
        return _correlation_ratio(x, scipy.stats.rankdata(y))
    if table.levels[j]:
        return _correlation_ratio(y, scipy.stats.rankdata(x))
    ranks = scipy.stats.rankdata(x), scipy.stats.rankdata(y)
    return float(abs(np.corrcoef(*ranks)[0, 1]))


def _cramer(x: np.ndarray, y: np.ndarray) -> float:
    _, rows = np.unique(x, return_inverse=True)
    _, columns = np.unique(y, return_inverse=True)
    counts = np.zeros((rows.max() + 1, columns.max() + 1))
    np.add.at(counts, (rows, columns), 1)
    expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0) / len(x)
    squared = ((counts - expected) ** 2 / expected).sum() / len(x)
    return float(np.sqrt(squared / (min(counts.shape) - 1)))


def _correlation_ratio(groups: np.ndarray, values: np.ndarray) -> float:
    _, group = np.unique(groups, return_inverse=True)
    counts = np.bincount(group)
    means = np.bincount(group, weights=values) / counts
    between = (counts * (means - values.mean()) ** 2).sum()
    return float(np.sqrt(between / ((values - values.mean()) ** 2).sum()))


def closest_distances(rows: Numbers, train: Numbers) -> np.ndarray:
    r"""Return the distance of each row to the closest row of the training, shape (n,).

    .. math:: \frac1d \sum_j \delta_j, \qquad \delta_j = 1[x_j \neq y_j] \text{ of levels}, \quad
       \min(1, |x_j - y_j|/(q_{0.95} - q_{0.05})) \text{ of numbers}

    with quantiles q of the training, and δ = 1 where one of the two cells is missing (Gower 1971).

    Parameters
    ----------
    rows : table of shape (n, d)
    train : table of shape (m, d)
    """
    low, high = np.nanquantile(train.values, (0.05, 0.95), axis=0)
    widest = np.nanmax(train.values, axis=0) - np.nanmin(train.values, axis=0)
    spread = np.where(high > low, high - low, np.where(widest > 0, widest, 1.0))
    scale = np.where(train.levels, 1.0, spread)
    scaled = [(each.values / scale).astype(np.float32) for each in (rows, train)]
    gaps = [np.isnan(each) for each in scaled]
    x, y = (np.nan_to_num(each) for each in scaled)
    n = max(1, _CHUNK // len(y))
    parts = []
    for start in range(0, len(x), n):
        part = slice(start, start + n)
        total = np.zeros((len(x[part]), len(y)), np.float32)
        for j, is_level in enumerate(train.levels):
            difference = np.abs(x[part, j, None] - y[None, :, j])
            each = (difference > 0).astype(np.float32) if is_level else np.minimum(difference, 1)
            one_missing = gaps[0][part, j, None] ^ gaps[1][None, :, j]
            total += np.where(one_missing, np.float32(1), each)
        parts.append(total.min(axis=1) / len(train.levels))
    return np.concatenate(parts)
