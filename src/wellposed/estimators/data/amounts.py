"""Hint about amounts whose draws could be negative."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.special import ndtr

from wellposed import noise, transforms
from wellposed._errors import DataHint

_FREQUENT = 0.05  # probability of a negative draw of a Gaussian with the moments of the column
_SKEWED = 1.0
_ZEROS = 0.1  # share of zeros that a density does not describe
_FEW_LEVELS = 100  # whole numbers up to this one are counts or marks, which have other noise models
_LISTED = 8


def hint_at_amounts(
    summary: transforms.Summary,
    transform: transforms.AbstractTransform,
    observation: noise.AbstractNoise,
    names: Sequence[Any] | None,
    image_shape: tuple[int, ...] | None,
    *,
    stacklevel: int = 4,
) -> None:
    """Warn of amounts, with a long tail or many zeros, whose noise on the line is often below 0."""
    on_line = isinstance(transform, (transforms.Standardize, transforms.Identity))
    if image_shape is not None or not on_line:
        return
    real = observation.real_columns(len(summary.mean))
    columns = [int(j) for j in np.flatnonzero(real) if _is_amount(summary, int(j))]
    if not columns:
        return
    labels = [str(j) if names is None else repr(str(names[j])) for j in columns]
    named = ", ".join(labels[:_LISTED])
    more = f" and {len(columns) - _LISTED} more" if len(columns) > _LISTED else ""
    zeros = [bool(summary.low[j] == 0) for j in columns]
    log = [
        f"{label}: {'log1p' if zero else 'log'!r}"
        for label, zero in list(zip(labels, zeros, strict=True))[:2]
    ]
    unit = ", whose log1p depends on the unit of the data" if any(zeros) else ""
    remedy = _remedy(named, zeros, framed=names is not None)
    warnings.warn(
        f"Columns {named}{more} are amounts, never negative and with a long tail or many "
        f"zeros: noise on the real line would draw values below 0. {remedy} "
        f"Or transform={{{', '.join(log)}}}{unit}.",
        DataHint,
        stacklevel=stacklevel,
    )


def _remedy(named: str, zeros: list[bool], *, framed: bool) -> str:
    if framed:
        return (
            f'Pass noise=wp.Schema.of(frame).replace([{named}], kind="amount"), on the command '
            "line --column NAME=amount: noise above zero, "
            "with a probability of zeros where there are some; every other column gets its own too."
        )
    words = {"zero-inflated": any(zeros), "log-normal": not all(zeros)}
    given = " or, without zeros, ".join(f'"{word}"' for word, used in words.items() if used)
    return f"Give them noise {given} (wp.noise.Columns for some columns of many)."


def _is_amount(summary: transforms.Summary, j: int) -> bool:
    """Whether a column is never negative, with many zeros or a long tail that its log has not."""
    deviation = float(np.sqrt(summary.variance[j]))
    if summary.low[j] < 0 or not deviation or ndtr(-summary.mean[j] / deviation) < _FREQUENT:
        return False
    column = summary.sample[:, j].astype(np.float64)
    if summary.high[j] < _FEW_LEVELS and np.array_equal(column, np.round(column)):
        return False
    positive = column[column > 0]
    if len(positive) < 0.2 * len(column) or np.ptp(positive) == 0 or len(positive) < 20:
        return False
    if len(positive) <= (1 - _ZEROS) * len(column):
        return True
    long = _skewness(positive)
    return long > _SKEWED and abs(_skewness(np.log(positive))) < 0.5 * long


def _skewness(values: np.ndarray) -> float:
    residual = values - values.mean()
    return float((residual**3).mean() / (residual**2).mean() ** 1.5)
