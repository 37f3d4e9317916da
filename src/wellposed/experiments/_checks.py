"""What the recipes accept as settings."""

from typing import Any

import numpy as np

from wellposed._errors import SettingError


def positive_row(name: str, values: Any, remedy: str, *, size: int | None = None) -> np.ndarray:
    """Return finite numbers > 0 in float64, shape (s,); a single number is a row of one.

    Raises
    ------
    SettingError
        If they are none, or not ``size`` of them.
    """
    try:
        row = np.atleast_1d(np.asarray(values, np.float64))
    except (TypeError, ValueError):
        row = np.empty(0)
    right_size = row.ndim == 1 and row.size > 0 and size in (None, row.size)
    if not right_size or not (np.isfinite(row) & (row > 0)).all():
        how_many = "" if size is None else f"{size} "
        raise SettingError(
            f"{name} must be positive: {how_many}finite number(s) > 0; got {values!r}. {remedy}"
        )
    return row


def positive(name: str, value: Any, remedy: str) -> float:
    """Return one finite number > 0.

    Raises
    ------
    SettingError
        If it is none.
    """
    if np.ndim(value) != 0:
        raise SettingError(
            f"{name} must be positive: one finite number > 0; got {value!r}. {remedy}"
        )
    return float(positive_row(name, value, remedy, size=1)[0])


def whole(name: str, value: Any, remedy: str, *, low: int = 1, high: int | None = None) -> int:
    """Return a whole number from ``low`` to ``high``.

    Raises
    ------
    SettingError
        If it is none.
    """
    top = np.inf if high is None else high
    if (
        not isinstance(value, (int, np.integer))
        or isinstance(value, bool)
        or not low <= value <= top
    ):
        rule = f"≥ {low}" if high is None else f"from {low} to {high}"
        raise SettingError(f"{name} must be a whole number {rule}; got {value!r}. {remedy}")
    return int(value)
