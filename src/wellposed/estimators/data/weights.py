"""Weights of rows: checked, and turned into repeated rows where a method has no weights."""

import numpy as np
from numpy.typing import ArrayLike

from wellposed._errors import DataError


def check_weights(sample_weight: ArrayLike | None, n: int) -> np.ndarray | None:
    """Return the weights as floats, shape (n,); None stays None.

    Raises
    ------
    DataError
        If there is not one finite number ≥ 0 for each row, or if fewer than two are above zero.
    """
    if sample_weight is None:
        return None
    try:
        weights = np.asarray(sample_weight, np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"sample_weight must be numbers, one a row; got {type(sample_weight).__name__} with "
            "other entries. Pass an array of numbers, or None."
        ) from error
    if weights.shape != (n,):
        raise DataError(
            f"sample_weight must have one number a row, shape ({n},); got shape {weights.shape}. "
            "Pass the weights of these rows, or None."
        )
    if not (np.isfinite(weights).all() and (weights >= 0).all()):
        bad = int(np.flatnonzero(~(np.isfinite(weights) & (weights >= 0)))[0])
        raise DataError(
            f"sample_weight must be finite and at least zero; row {bad} has {weights[bad]}. "
            "Correct it; zero leaves a row out."
        )
    if (weights > 0).sum() < 2:
        raise DataError(
            f"At least two rows must have a weight above zero; got {int((weights > 0).sum())}. "
            "Pass larger weights, or None."
        )
    return weights


def repeat_rows(rows: np.ndarray, weights: np.ndarray | None) -> np.ndarray:
    """Return as many rows, each repeated in proportion to its weight.

    For statistics that a training starts from. A row of weight w, where the mean is 1, appears
    ⌊w⌋ or ⌈w⌉ times (systematic resampling, at the midpoints).

    Parameters
    ----------
    rows : array of shape (n, d)
    weights : array of shape (n,), at least zero; None returns the rows
    """
    if weights is None:
        return rows
    n = len(rows)
    edges = np.cumsum(weights)
    places = (np.arange(n) + 0.5) / n * edges[-1]
    return rows[np.searchsorted(edges, places)]
