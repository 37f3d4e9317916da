"""Summaries of columns with gaps."""

import dataclasses

import numpy as np

from ._summary import Summary, summarise


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


def summarise_observed(
    rows: np.ndarray,
    resolution: float | np.ndarray | None = None,
    *,
    one_unit: bool | None = None,
    generator: np.random.Generator,
) -> Summary:
    """Summarise the observed entries of data with gaps.

    Means and variances are those of the observed entries; all else is that of the rows filled by
    :func:`fill_from_columns`.

    Parameters
    ----------
    rows : array of shape (n, d), float; NaN is a gap. Each column has an observed entry
    resolution, one_unit : see :func:`summarise`
    generator : of the shuffles that fill gaps

    Raises
    ------
    DataError
        If no feature varies.

    Examples
    --------
    >>> rows = np.array([[1.0, 5.0], [np.nan, 6.0], [3.0, 8.0]])
    >>> summarise_observed(rows, generator=np.random.default_rng(0)).mean.round(9).tolist()
    [2.0, 6.333333333]
    """
    filled = fill_from_columns(rows, generator)
    summary = summarise(filled, resolution, one_unit=one_unit)
    if filled is rows:
        return summary
    shift = summary.low
    deviations = rows.astype(np.float64) - shift
    mean = np.nanmean(deviations, axis=0)
    variance = np.nanmean((deviations - mean) ** 2, axis=0)
    varies = summary.varies
    return dataclasses.replace(
        summary,
        mean=np.where(varies, shift + mean, summary.low),
        variance=np.where(varies, variance, 0.0),
    )
