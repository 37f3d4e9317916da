"""Conversion of columns of any type to real numbers, with errors that name the column."""

import datetime
import math
from collections.abc import Callable, Mapping, Sequence, Set
from decimal import Decimal
from numbers import Complex, Integral, Real
from typing import Any, NoReturn

import numpy as np

from wellposed._errors import DataError

_EXACT = 2**53  # float64 represents all whole numbers up to this one
_LOST = 1e-3  # largest rounding error, as a share of the column's standard deviation

_CONVERT = (
    "Convert it first, dates to days and categories to indicator columns, or drop the column; a "
    'VAE with noise="auto" takes such columns of a frame of pandas or polars as they are.'
)
_DATES = (datetime.date, datetime.time, datetime.timedelta, np.datetime64, np.timedelta64)


class NotANumberError(DataError, TypeError):
    """An entry is no number; scikit-learn's contract requires a TypeError."""


def column_name(column: int, labels: Sequence[str] | None) -> str:
    """Return the name of a column: its label, or its position from 0."""
    return f"column {column}" if labels is None else f"column {labels[column]!r}"


def numbers(values: np.ndarray, column: str) -> np.ndarray:
    """Return real numbers in native byte order; gaps of object arrays become NaN.

    Parameters
    ----------
    values : array of any type and shape
    column : its name in messages

    Raises
    ------
    DataError
        For text, dates, complex numbers and other objects, and for numbers beyond float64.
    """
    kind = values.dtype.kind
    if kind == "b":
        return values.astype(np.uint8)
    if kind in "iu":
        return values.astype(values.dtype.newbyteorder("="), copy=False)
    if kind == "f":
        return _floats(values, column)
    if kind == "c":
        refuse_complex(column)
    if kind == "O":
        return _objects(values, column)
    if kind in "Mm":
        refuse(column, f"dates or durations ({values.dtype})")
    if kind in "SUT":
        refuse(column, f"text, such as {str(values.flat[0])!r}" if values.size else "text")
    if values.dtype.names is None and values.dtype.type.__module__ == "ml_dtypes":
        return values.astype(np.float32)  # bfloat16 and smaller, of accelerators
    refuse(column, f"entries of type {values.dtype}")


def refuse(column: str, what: str) -> NoReturn:
    """Raise the error for a column that is not numbers."""
    raise NotANumberError(f"Data must be numbers; {column} holds {what}. {_CONVERT}")


def refuse_complex(column: str) -> NoReturn:
    """Raise for complex numbers, in scikit-learn's words."""
    raise DataError(
        f"Complex data not supported: data must be real numbers, and {column} holds complex ones. "
        "Pass the real and the imaginary parts as two columns."
    )


def check_whole(values: np.ndarray, labels: Callable[[int], str]) -> None:
    """Refuse whole numbers so large that float64 does not resolve how a column varies.

    Parameters
    ----------
    values : array of shape (n,) or (n, d), of an integer type
    labels : name of a column in messages, by its position
    """
    if values.dtype.itemsize < 8 or not values.size:
        return
    columns = values.reshape(len(values), -1)
    low, high = columns.min(axis=0), columns.max(axis=0)
    for j in np.flatnonzero((high > _EXACT) | (low < -_EXACT)):
        check_resolved([int(v) for v in columns[:, j]], labels(int(j)))


def check_resolved(whole: Sequence[int], column: str) -> None:
    """Refuse whole numbers of one column that float64 cannot distinguish."""
    low, high = min(whole), max(whole)
    largest = max(-low, high)
    if low == high or largest <= _EXACT or largest > 2**1023:
        return
    spread = float(np.std([float(v - low) for v in whole]))
    if math.ulp(float(largest)) > _LOST * spread:
        raise DataError(
            f"A column must vary by more than the rounding of float64; {column} varies by "
            f"{spread:.3g} around {largest:.6g}, where float64 has steps of "
            f"{math.ulp(float(largest)):g}. Subtract an offset from it while it is whole numbers."
        )


def _floats(values: np.ndarray, column: str) -> np.ndarray:
    size = values.dtype.itemsize
    if size == 2:
        return values.astype(np.float32)
    if size <= 8:
        return values.astype(values.dtype.newbyteorder("="), copy=False)
    with np.errstate(over="ignore"):
        converted = values.astype(np.float64)
    if (np.isinf(converted) & np.isfinite(values)).any():
        _refuse_size(column)
    return converted


def _refuse_size(column: str) -> NoReturn:
    raise DataError(
        f"Data must be at most {np.finfo(np.float64).max:.3g} in size; {column} holds a larger "
        "number. Divide the column by a power of ten."
    )


def _objects(values: np.ndarray, column: str) -> np.ndarray:
    """Convert Python objects entry by entry; whole numbers stay whole."""
    entries = values.ravel().tolist() if values.ndim else [values.item()]
    converted = [_number(entry, row, column) for row, entry in enumerate(entries)]
    if converted and all(isinstance(number, int) for number in converted):
        if min(converted) >= -(2**63) and max(converted) < 2**63:
            return np.array(converted, np.int64).reshape(values.shape)
        check_resolved(converted, column)
    try:
        return np.array([float(number) for number in converted]).reshape(values.shape)
    except OverflowError:
        _refuse_size(column)


def _number(entry: Any, row: int, column: str) -> Any:
    """One entry as an int or a float; NaN for a gap."""
    if entry is None or type(entry).__name__ == "NAType" or entry is np.ma.masked:
        return math.nan
    if isinstance(entry, (bool, np.bool_, Integral)):
        return int(entry)
    if isinstance(entry, (float, np.floating)):
        return float(entry)
    if isinstance(entry, (str, bytes)):
        _refuse_text(entry, row, column)
    if isinstance(entry, _DATES):
        refuse(column, f"a date or duration at row {row}, {entry}")
    if isinstance(entry, Complex) and not isinstance(entry, Real):
        refuse_complex(column)
    return _convert(entry, row, column)


def _refuse_text(entry: str | bytes, row: int, column: str) -> NoReturn:
    try:
        float(entry)
    except ValueError:
        refuse(column, f"text at row {row}, {entry!r}")
    raise NotANumberError(
        f"Data must be numbers; {column} holds text at row {row}, {entry!r}, which reads as a "
        "number. Convert the column first: astype(float), or pandas.to_numeric."
    )


def _convert(entry: Any, row: int, column: str) -> float:
    """Convert a decimal, a fraction, or another object with a numeric value."""
    if isinstance(entry, Decimal) and entry.is_snan():
        return math.nan
    converted = None
    if not _holds_several(entry):
        try:
            converted = float(entry)
        except OverflowError:
            _refuse_size(column)
        except Exception:  # code of the object, which may raise anything
            converted = None
    if isinstance(entry, Decimal) and entry.is_finite() and math.isinf(float(entry)):
        _refuse_size(column)
    if converted is not None:
        return converted
    raise NotANumberError(
        f"Data must be numbers; {column} holds {_short(entry)} at row {row} (float() argument "
        f"must be a string or a real number, not {type(entry).__name__!r}). {_CONVERT}"
    )


def _holds_several(entry: Any) -> bool:
    return isinstance(entry, (Mapping, Set, list, tuple)) or getattr(entry, "ndim", 0) != 0


def _short(entry: Any) -> str:
    text = repr(entry)
    return text if len(text) <= 40 else f"{text[:37]}..."
