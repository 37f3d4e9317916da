"""Validation of arrays, frames and paths, and conversion to rows of one type."""

import contextlib
import numbers
from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state

from wellposed._compiled import keep_compiled
from wellposed._errors import DataError, SettingError
from wellposed._forks import check_process
from wellposed.transforms import is_whole

from .containers import table_of
from .names import check_features, keep_features
from .table import Table

_LARGE = 2**20  # entries: 8 MiB as float64


@contextlib.contextmanager
def restore_on_failure(estimator: BaseEstimator) -> Iterator[None]:
    """Restore the state of the estimator if fitting fails, so that an earlier fit is kept."""
    before = dict(vars(estimator))
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise


def open_table(X: Any) -> Table:
    """Read rows from a container of any supported type; see :func:`table_of`."""
    check_process()
    keep_compiled()  # before the first program of this process
    return table_of(X)


def check_labels(labels: Any, n_rows: int) -> None:
    """Refuse labels that are not one a row; None is no labels.

    Raises
    ------
    DataError
        If there are more or fewer, or they are no vector.
    """
    if labels is not None and np.shape(labels) != (n_rows,):
        raise DataError(
            f"There must be one label a row; got labels of shape {np.shape(labels)} for "
            f"{n_rows} rows. Pass the labels of these rows, or none."
        )


def validate_rows(
    estimator: BaseEstimator, X: Any, *, reset: bool, gaps: bool = False, empty: bool = False
) -> np.ndarray:
    """Check rows of data, and convert them to the type that their values determine.

    Equal values give equal rows, so that results do not depend on the container; see
    :func:`narrow`.

    Parameters
    ----------
    estimator : whose ``n_features_in_`` and ``feature_names_in_`` are set or compared
    X : anything that ``table_of`` reads
    reset : whether this is a fit
    gaps : whether entries may be missing; rows are then floats, in which NaN is a gap
    empty : whether a fit with gaps takes columns without an observed entry

    Raises
    ------
    DataError
        For data that are no table of real, finite numbers, for too few rows or features, and for
        columns other than those of the fit; with gaps, for infinity and, in a fit, for columns
        without an observed entry, unless ``empty``.
    """
    table = table_of(X)
    n, d = table.values.shape
    check_fewest(n, d, 2 if reset else 1)
    (keep_features if reset else check_features)(estimator, table)
    if not gaps:
        table.check_finite(ignorable="missing" in estimator.get_params(deep=False))
        return narrow(table.values)
    table.check_gaps(observed=reset and not empty)
    values = table.values
    return np.ascontiguousarray(values, None if values.dtype.kind == "f" else np.float64)


def check_fewest(n: int, d: int, fewest: int = 2) -> None:
    """Refuse data of fewer rows than a use needs, or without features, in scikit-learn's words.

    Raises
    ------
    DataError
        Naming the shape.
    """
    if n < fewest:
        raise DataError(
            f"Found array with {n} sample(s) (shape=({n}, {d})) while a minimum of {fewest} is "
            "required. Pass more rows."
        )
    if d < 1:
        raise DataError(
            f"Found array with 0 feature(s) (shape=({n}, 0)) while a minimum of 1 is required. "
            "Pass at least one column."
        )


def seed_of(random_state: Any) -> int:
    """Draw one seed from a random state of scikit-learn.

    Raises
    ------
    SettingError
        For a value that is no random state.
    """
    if isinstance(random_state, numbers.Integral):
        random_state = int(random_state)
    try:
        return int(check_random_state(random_state).randint(2**31 - 1))
    except (ValueError, TypeError) as error:
        raise SettingError(
            f"random_state must be None, a whole number from 0 to 2**32 - 1 or a "
            f"numpy.random.RandomState; got {random_state!r}. Pass a number such as 0."
        ) from error


def narrow(rows: np.ndarray) -> np.ndarray:
    """Convert rows to the type that their values and number determine, not their container.

    Large arrays of whole numbers stay integers, which saves memory; all others are floats,
    so that tables of whole numbers and of fractions share compiled programs. Rows are contiguous:
    sums over another layout differ in the last digit.
    """
    if rows.size > _LARGE:
        low, high = rows.min(), rows.max()
        for narrow in (np.uint8, np.int32):
            bounds = np.iinfo(narrow)
            if bounds.min <= low and high <= bounds.max and is_whole(rows):
                return np.ascontiguousarray(rows, narrow)
    return np.ascontiguousarray(rows, None if rows.dtype.kind == "f" else np.float64)
