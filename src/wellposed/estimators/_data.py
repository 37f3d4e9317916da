"""From what users have (arrays, frames, paths) to rows that a model can read."""

import contextlib
import os
from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import validate_data

from wellposed import datasets
from wellposed._compiled import keep_compiled
from wellposed._errors import DataError, SettingError
from wellposed._forks import check_process
from wellposed.transforms import check_finite

Source = datasets.Source


@contextlib.contextmanager
def kept_on_failure(estimator: BaseEstimator) -> Iterator[None]:
    """Leave the estimator as it was if fitting it fails: an earlier fit is not lost."""
    before = dict(vars(estimator))
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise


def opened(X: Any) -> tuple[Any, tuple[int, ...] | None]:
    """Read ``X`` where it is a path; return the values and, if known, one image's shape."""
    check_process()
    keep_compiled()  # before the first program of this process
    if isinstance(X, (str, os.PathLike)):
        X = datasets.read(X)
    if isinstance(X, Source):
        return X.values, X.image_shape
    return X, None


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


def validated(estimator: BaseEstimator, X: Any, *, reset: bool) -> np.ndarray:
    """Check rows of data as scikit-learn does, and put them in the narrowest faithful type.

    Raises
    ------
    DataError
        For text, and for NaN or infinity, with count and first position.
    ValueError
        For the wrong number of dimensions, rows or features, in scikit-learn's words.
    """
    _refuse_text(X)
    try:
        rows: Any = validate_data(
            estimator,
            X,
            reset=reset,
            dtype="numeric",
            ensure_all_finite=False,
            ensure_min_samples=2 if reset else 1,
        )
    except ValueError as error:
        if "could not convert string" not in str(error):
            raise
        raise DataError(
            f"Data must be numbers; {error}. Convert it first, dates to days and categories to "
            "indicator columns, or drop the column."
        ) from error
    check_finite(rows)
    return _narrowed(rows)


def seed_of(random_state: Any) -> int:
    """Draw one seed from what scikit-learn takes as a random state."""
    try:
        return int(check_random_state(random_state).randint(2**31 - 1))
    except (ValueError, TypeError) as error:
        raise SettingError(
            f"random_state must be None, a whole number from 0 to {2**32 - 1} or a "
            f"numpy.random.RandomState; got {random_state!r}. Give a smaller seed, such as 0."
        ) from error


def _refuse_text(X: Any) -> None:
    kind = getattr(getattr(X, "dtype", None), "kind", None)
    if kind in ("U", "S", "M", "m"):
        raise DataError(
            f"Data must be numbers; got an array of dtype {X.dtype}. "
            "Convert it first, dates to days and categories to indicator columns."
        )


def _narrowed(rows: np.ndarray) -> np.ndarray:
    """Floats as they are; integers in the narrowest type that holds them, or as float64."""
    if rows.dtype.kind == "b":
        return rows.astype(np.uint8)
    if rows.dtype.kind not in "iu" or rows.dtype.itemsize <= 2:
        return rows
    low, high = rows.min(), rows.max()
    for narrow in (np.uint8, np.int16, np.int32):
        bounds = np.iinfo(narrow)
        if bounds.min <= low and high <= bounds.max:
            return rows.astype(narrow)
    return rows.astype(np.float64)
