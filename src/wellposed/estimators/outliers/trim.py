"""Rows of a fit that lie far from most of the others, which no model is trained on."""

import numpy as np

_MAJORITY = 0.75  # share of the rows that the Gaussian is fitted to
_MOST_STEPS = 15
_RIDGE = 1e-3  # added to the variances of standardised columns
_DIRECTIONS = 40  # beyond which one variance is of all
_MOST_COLUMNS = 200  # more are first reduced to as many directions


def far_rows(rows: np.ndarray, share: float) -> np.ndarray:
    """Return the positions of a share of the rows: the farthest from a Gaussian of most rows.

    The Gaussian is that of the three quarters that are nearest to it, by steps that each lower
    the determinant of its covariance, from the rows whose columns are nearest to their medians.

    Parameters
    ----------
    rows : array of shape (n, d)
    share : above 0 and below 1, of whole rows, at least one

    References: Rousseeuw & Van Driessen (1999), FAST-MCD, theorem 1; Hubert, Rousseeuw & Verdonck
    (2012), for a start that is not random.

    Examples
    --------
    >>> rows = np.append(np.random.default_rng(0).normal(size=(90, 2)), np.full((10, 2), 9.0), 0)
    >>> np.sort(far_rows(rows, 0.1)).tolist()
    [90, 91, 92, 93, 94, 95, 96, 97, 98, 99]
    """
    n = max(1, int(share * len(rows)))
    return np.argsort(distance_of_most(rows), kind="stable")[len(rows) - n :]


def distance_of_most(rows: np.ndarray) -> np.ndarray:
    """Return the squared distance of each row from the Gaussian of most rows, in its own units.

    ``rows`` has shape (n, d). Of more than 200 columns the leading directions are taken.
    """
    units = np.asarray(rows, np.float64)
    spread = units.std(axis=0)
    units = (units - units.mean(axis=0))[:, spread > 0] / spread[spread > 0]
    apart = np.abs(units - np.median(units, axis=0))
    distance = np.log1p(apart / (apart.mean(axis=0) + _RIDGE)).mean(axis=1)
    if units.shape[1] > _MOST_COLUMNS:
        left, values, _ = np.linalg.svd(units, full_matrices=False)
        units = (left * values)[:, :_MOST_COLUMNS]
    size, before = max(2, int(_MAJORITY * len(units))), None
    for _ in range(_MOST_STEPS):
        nearest = np.sort(np.argsort(distance, kind="stable")[:size])
        if before is not None and np.array_equal(nearest, before):
            break
        distance, before = _distances(units, units[nearest]), nearest
    return distance


def _distances(units: np.ndarray, some: np.ndarray) -> np.ndarray:
    """Squared distances of rows from the Gaussian of some of them."""
    d = units.shape[1]
    covariance = np.atleast_2d(np.cov(some, rowvar=False, bias=True))
    values, axes = np.linalg.eigh(covariance)
    values, axes = np.maximum(values[::-1], 0.0), axes[:, ::-1]
    q = min(d, _DIRECTIONS)
    away = units - some.mean(axis=0)
    along = away @ axes[:, :q]
    distance = (along**2 / (values[:q] + _RIDGE)).sum(axis=1)
    if q == d:
        return distance
    rest = np.maximum((away**2).sum(axis=1) - (along**2).sum(axis=1), 0.0)
    return distance + rest / max(float(values[q:].mean()), _RIDGE)
