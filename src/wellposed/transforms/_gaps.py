"""Rows with gaps made complete for summaries of columns."""

import numpy as np


def fill_from_columns(rows: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Fill the gaps of each column by observed values of the same column.

    Range and resolution of each column stay, and so do its moments up to the error of the draws;
    correlations of columns do not. It is for summaries of columns, not for models. The observed
    values are shuffled and taken in turn, so that each is used equally often, give or take one.

    Parameters
    ----------
    rows : array of shape (n, d), float; NaN is a gap. A column of gaps alone stays so
    generator : of the shuffles

    Returns
    -------
    array of shape (n, d); ``rows`` themselves if nothing is missing

    Examples
    --------
    >>> rows = np.array([[1.0, 5.0], [np.nan, 6.0], [1.0, np.nan]])
    >>> fill_from_columns(rows, np.random.default_rng(0))[:, 0].tolist()
    [1.0, 1.0, 1.0]
    """
    missing = np.isnan(rows)
    if not missing.any():
        return rows
    filled = rows.copy()
    for j in np.flatnonzero(missing.any(axis=0)):
        gaps = missing[:, j]
        observed = rows[~gaps, j]
        if observed.size:
            filled[gaps, j] = np.resize(generator.permutation(observed), int(gaps.sum()))
    return filled
