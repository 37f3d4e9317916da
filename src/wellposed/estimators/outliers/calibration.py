"""Rows held out of training, and the threshold that their scores give."""

import dataclasses
import math
import warnings
from typing import Any, Literal

import numpy as np

from wellposed._errors import DataError, SettingError, TrainingWarning
from wellposed.evaluation.outliers import fewest_calibration_rows, outlier_share

from ..data.table import Table

_SHARE, _MOST = 0.2, 2_000
_MOST_REFERENCE, _LEAST_REFERENCE = 1_000, 20
_LEAST_TRAINED = 2
_LEAST_SHARE = 0.01  # of false alarms, where no outliers are found among the calibration rows
_FEWEST_TO_ESTIMATE = 20
_ROUNDING = 1e-9


@dataclasses.dataclass(frozen=True, eq=False)
class Split:
    """Positions of rows: to train on, to calibrate by, and to put scores on one scale by.

    No model is trained on those ``left_out``, which may be among the rows held out as well.
    """

    trained: np.ndarray
    held: np.ndarray
    reference: np.ndarray
    left_out: np.ndarray = dataclasses.field(default_factory=lambda: np.empty(0, np.int64))

    def without(self, left_out: np.ndarray) -> "Split":
        """Return the split that trains on none of these rows."""
        trained = np.setdiff1d(self.trained, left_out)
        return dataclasses.replace(self, trained=trained, left_out=left_out)

    @property
    def out(self) -> np.ndarray:
        """Rows that the VAE is not trained on: to calibrate by, then the reference."""
        return np.append(self.held, self.reference)


def split(
    n: int,
    wanted: int | Literal["auto"],
    generator: np.random.Generator,
    *,
    with_reference: bool,
) -> Split:
    """Choose rows by chance.

    Parameters
    ----------
    n : number of rows
    wanted : rows to calibrate by; "auto" is a fifth, at most 2,000
    generator : of the choice
    with_reference : whether to choose reference rows: a tenth, at most 1,000, and at least 20 or
        a sixth

    Raises
    ------
    DataError
        If too few rows are left to train on.
    """
    m = default_size(n) if isinstance(wanted, str) else int(wanted)
    r = min(_MOST_REFERENCE, max(n // 10, min(_LEAST_REFERENCE, n // 6), 1)) * with_reference
    if n - m - r < _LEAST_TRAINED:
        raise DataError(
            f"Found array with {n} sample(s) while a minimum of {m + r + _LEAST_TRAINED} is "
            f"required: {m + r} rows are held out of training. Pass more rows, or a smaller "
            "n_calibration."
        )
    order = generator.permutation(n)
    return Split(np.sort(order[m + r :]), order[:m], order[m : m + r])


def default_size(n: int) -> int:
    """Return how many of n rows are held out: a fifth, at most 2,000."""
    return min(_MOST, max(1, round(_SHARE * n)))


def check_rows(table: Table) -> None:
    """Refuse rows that are all equal.

    Raises
    ------
    DataError
        Then, with what to pass instead.
    """
    values = table.values
    if len(values) > 1 and values.shape[1] and _constant(values).all():
        raise DataError(
            f"Rows must differ, or no row can be told from another; all {len(values)} rows are "
            "equal. Pass rows as they were measured, or drop the columns that never vary."
        )


def constants_of(values: np.ndarray) -> np.ndarray:
    """Return the value of each column that never varies, and NaN for the others, shape (d,)."""
    found = _constant(values)
    first: Any = np.full(values.shape[1], np.nan)
    if found.any():
        first[found] = np.nanmax(values[:, found].astype(np.float64), axis=0)
    return first


def _constant(values: np.ndarray) -> np.ndarray:
    """Whether all observed entries of each column are equal, shape (d,)."""
    if values.dtype.kind != "f":
        return np.asarray(values.max(axis=0) == values.min(axis=0))
    seen = ~np.isnan(values)
    high = np.where(seen, values, -np.inf).max(axis=0)
    low = np.where(seen, values, np.inf).min(axis=0)
    return np.asarray(high == low)


@dataclasses.dataclass(frozen=True)
class Threshold:
    """The score below which a row is an outlier, and the share of outliers it stands for."""

    offset: float
    share: float


def threshold_of(scores: np.ndarray, contamination: float | Literal["auto"]) -> Threshold:
    """Return the threshold from the scores of the calibration rows.

    A row is an outlier if its p-value is at most the share.

    Parameters
    ----------
    scores : array of shape (m,), lower for outliers
    contamination : share; "auto" estimates it, and takes at least 1 %
    """
    m = len(scores)
    if isinstance(contamination, str):
        found = outlier_share(-scores) if m >= _FEWEST_TO_ESTIMATE else 0.0
        share = max(found, _LEAST_SHARE, 1.0 / (m + 1))
    else:
        share = float(contamination)
    # p ≤ share if fewer than this number of calibration rows have that score or a lower one.
    rank = int(np.floor(share * (m + 1) + _ROUNDING))
    if rank < 1:
        warnings.warn(
            f"contamination={share:.3g} needs {fewest_calibration_rows(share)} rows held out of "
            f"training; there are {m}. A row is an outlier if its score is lower than all of "
            "theirs. Pass more rows, or a larger n_calibration.",
            TrainingWarning,
            stacklevel=4,
        )
    return Threshold(float(np.sort(scores)[max(rank, 1) - 1]), share)


def least_rate(m: int) -> float:
    """The smallest p-value of m rows, 1/(m + 1), rounded up to three digits for a message."""
    digits = 10.0 ** (2 - math.floor(math.log10(1 / (m + 1))))
    return math.ceil(digits / (m + 1)) / digits


def check_alpha(alpha: float, n_calibration: int) -> None:
    """Refuse a rate of false alarms that the calibration rows cannot resolve.

    Raises
    ------
    SettingError
        With the number of rows that the rate needs.
    """
    needed = fewest_calibration_rows(alpha)
    if n_calibration >= needed:
        return
    raise SettingError(
        f"alpha={alpha:g} needs at least {needed} rows held out of training, since the smallest "
        f"p-value of m rows is 1/(m + 1); there are {n_calibration}. Fit with "
        f"n_calibration={needed}, on more rows if needed, or pass "
        f"alpha={least_rate(n_calibration):g} or more."
    )
