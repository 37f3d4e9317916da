"""Means, variances and covariances of the observed entries, from which solvers start."""

from typing import Any

import numpy as np

from wellposed._errors import DataError, named_features

from .._spectrum import Covariance, constant_error, varies

_LEAST = 1e-3  # share of the mean variance, the smallest variance along a direction


def check_observed(rows: np.ndarray) -> None:
    """Refuse rows in which a feature has no observed entry.

    Raises
    ------
    DataError
        With the numbers of the features.
    """
    empty = np.flatnonzero(np.isnan(rows).all(axis=0))
    if empty.size:
        raise DataError(
            f"Every feature must have an observed entry; {empty.size} of {rows.shape[1]} "
            f"({named_features(empty)}) have none. Drop them."
        )


def observed_moments(rows: np.ndarray, *, constant: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of the observed entries of each feature, each of shape (d,).

    Parameters
    ----------
    rows : shape (n, d), float64; NaN is a gap
    constant : whether all features may be constant

    Raises
    ------
    DataError
        If a feature has no observed entry, or no feature varies.
    """
    check_observed(rows)
    first = np.nanmin(rows, axis=0)  # near the mean, so that a mean far from zero is not rounded
    mean = first + np.nanmean(rows - first, axis=0)
    variance = np.nanmean((rows - mean) ** 2, axis=0)
    if not constant and not varies(mean, variance).any():
        raise constant_error(rows.shape[1], len(rows))
    return mean, variance


def complete_covariance(rows: np.ndarray) -> Covariance:
    """Return the covariance of rows without gaps, with its root."""
    mean = rows[0] + (rows - rows[0]).mean(axis=0)
    centred = (rows - mean) / np.sqrt(len(rows))
    root: Any = np.linalg.qr(centred, mode="r") if len(rows) > rows.shape[1] else centred
    return Covariance(mean, root.T @ root, len(rows), root=root)


def pairwise_covariance(values: np.ndarray, seen: np.ndarray) -> Covariance:
    """Covariance of each two features over the rows that have both, made positive definite.

    Parameters
    ----------
    values : shape (n, d), centred, zero at gaps
    seen : shape (n, d), 1.0 where an entry is observed, else 0.0
    """
    counts = seen.T @ seen
    matrix = values.T @ values / np.maximum(counts, 1.0)
    sizes, axes = np.linalg.eigh(matrix)
    sizes = np.maximum(sizes, _LEAST * max(np.trace(matrix) / len(matrix), 0.0))
    return Covariance(np.zeros(len(matrix)), (axes * sizes) @ axes.T, len(values))
