"""Entries hidden by known mechanisms, to measure what models and imputers make of gaps.

References: Rubin (1976), Inference and missing data; Schouten, Lugtig & Vink (2018), Generating
missing values for simulation purposes.
"""

import math

import numpy as np
import scipy.optimize
import scipy.special
from numpy.typing import ArrayLike

from wellposed._checks import check_number
from wellposed._errors import DataError

_SLOPE = 2.0  # log odds a standard deviation
_SEARCH = 1e3  # bound of intercepts, in log odds


def hide_completely_at_random(
    values: ArrayLike, share: float, random_state: int | np.random.Generator
) -> np.ndarray:
    """Hide a share of the entries, each equally likely.

    Parameters
    ----------
    values : array of shape (n, d); NaN is a gap already and stays one
    share : of the observed entries that are hidden, in [0, 1]; rounded down to whole entries
    random_state : seed or generator of the choice

    Returns
    -------
    float64 array of shape (n, d), a copy with NaN for hidden entries

    Raises
    ------
    DataError
        If ``values`` are no table.
    SettingError
        If ``share`` is out of range.

    Examples
    --------
    >>> hidden = hide_completely_at_random(np.ones((10, 2)), 0.25, random_state=0)
    >>> int(np.isnan(hidden).sum())
    5
    """
    table, generator = _table(values, share), np.random.default_rng(random_state)
    observed = np.flatnonzero(~np.isnan(table))
    chosen = generator.choice(observed, math.floor(share * len(observed)), replace=False)
    table.flat[chosen] = np.nan
    return table


def hide_at_random(
    values: ArrayLike, share: float, random_state: int | np.random.Generator
) -> np.ndarray:
    """Hide entries of half of the columns, by chances that depend on the other half.

    The columns that lose entries are drawn; the log odds of a hidden entry rise by two a standard
    deviation of a random combination of the columns that stay complete, one for each column.

    Parameters
    ----------
    values : array of shape (n, d), d ≥ 2, without gaps
    share : expected share of hidden entries in the columns that lose entries, in [0, 1]
    random_state : seed or generator

    Returns
    -------
    float64 array of shape (n, d), a copy with NaN for hidden entries

    Raises
    ------
    DataError
        If ``values`` are no table of two columns or more, or have gaps.
    SettingError
        If ``share`` is out of range.

    Examples
    --------
    >>> rows = np.random.default_rng(0).normal(size=(500, 4))
    >>> (~np.isnan(hide_at_random(rows, 0.5, random_state=0))).all(axis=0).sum().item()
    2
    """
    table, generator = _table(values, share), np.random.default_rng(random_state)
    d = table.shape[1]
    if d < 2 or np.isnan(table).any():
        raise DataError(
            f"Entries are hidden by the values of other columns, of which there must be some, "
            f"without gaps; got {d} columns and {np.isnan(table).sum()} gaps. Use "
            "hide_completely_at_random."
        )
    hidden = generator.permutation(d) < d // 2
    standard = _standardised(table)
    for j in np.flatnonzero(hidden):
        score = standard[:, ~hidden] @ generator.normal(size=(~hidden).sum())
        spread = score.std()
        chance = _chances(_SLOPE * score / (spread if spread > 0 else 1.0), share)
        table[generator.random(len(table)) < chance, j] = np.nan
    return table


def hide_not_at_random(
    values: ArrayLike,
    share: float,
    random_state: int | np.random.Generator,
    *,
    slope: float = _SLOPE,
) -> np.ndarray:
    """Hide entries by chances that depend on the entries themselves: self-masking.

    Parameters
    ----------
    values : array of shape (n, d); NaN is a gap already and stays one
    share : expected share of hidden entries in each column, in [0, 1]
    random_state : seed or generator
    slope : rise of the log odds of a hidden entry with a standard deviation of its column; high
        values are hidden if it is positive, low ones if negative

    Returns
    -------
    float64 array of shape (n, d), a copy with NaN for hidden entries

    Raises
    ------
    DataError
        If ``values`` are no table.
    SettingError
        If ``share`` or ``slope`` is out of range.

    Examples
    --------
    >>> rows = np.random.default_rng(0).normal(size=(2_000, 1))
    >>> bool(np.nanmean(hide_not_at_random(rows, 0.5, random_state=0)) < -0.3)
    True
    """
    slope = check_number("slope", slope, "2 is usual.")
    table, generator = _table(values, share), np.random.default_rng(random_state)
    standard = _standardised(table)
    for j in range(table.shape[1]):
        observed = ~np.isnan(table[:, j])
        chance = np.zeros(len(table))
        chance[observed] = _chances(slope * standard[observed, j], share)
        table[generator.random(len(table)) < chance, j] = np.nan
    return table


def _table(values: ArrayLike, share: float) -> np.ndarray:
    check_number("share", share, "It is a share of entries.", low=0, high=1)
    table = np.array(values, np.float64)
    if table.ndim != 2:
        raise DataError(
            f"Entries are hidden in a table of shape (n, d); got shape {table.shape}. Reshape it."
        )
    return table


def _standardised(table: np.ndarray) -> np.ndarray:
    spread = np.nanstd(table, axis=0)
    return (table - np.nanmean(table, axis=0)) / np.where(spread > 0, spread, 1.0)


def _chances(log_odds: np.ndarray, share: float) -> np.ndarray:
    """Chances with these log odds up to a constant, whose mean is ``share``."""
    if share in (0, 1) or not log_odds.size:
        return np.full(len(log_odds), float(share))
    reach = _SEARCH + np.abs(log_odds).max()
    constant = scipy.optimize.brentq(
        lambda c: float(scipy.special.expit(log_odds + c).mean()) - share, -reach, reach
    )
    return scipy.special.expit(log_odds + constant)
