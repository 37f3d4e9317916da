"""Offsets that are subtracted from columns in float64, before they are rounded to float32."""

from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np

from wellposed import noise, transforms
from wellposed._errors import DataError

from .table import column_names

_SQUARED = 1e18  # largest number whose square is finite in float32
_FINE = 1e-5  # rounding, in standard deviations, above which a column gets an offset


def offset_for(
    rows: np.ndarray,
    transform: transforms.AbstractTransform,
    observation: noise.AbstractNoise,
) -> np.ndarray:
    """Return the offset of each column, shape (d,), zero where none is needed or possible.

    A column of real numbers whose values lie so far from zero that float32 rounds them by more
    than 10⁻⁵ of their standard deviation, as Unix time, gets its median as the offset. The median
    is one of its values, so that a shift of the column shifts the offset equally and leaves the
    same residuals.

    Parameters
    ----------
    rows : array of shape (n, d), data units
    transform : to model units, resolved
    observation : the noise, its columns located
    """
    d = rows.shape[1]
    offset = np.zeros(d)
    possible = observation.real_columns(d) & _shifts(transform, d)
    for j in np.flatnonzero(_suspicious(rows) & possible):
        column = np.asarray(rows[:, j], np.float64)
        middle = (len(column) - 1) // 2
        median = float(np.partition(column, middle)[middle])
        spread = float((column - median).std())
        lost = abs(float(np.float32(median)) - median) if spread == 0 else _rounding(median)
        if lost > _FINE * spread:
            offset[j] = median
    return offset


def split_offset(
    rows: np.ndarray,
    transform: transforms.AbstractTransform,
    observation: noise.AbstractNoise,
    labels: Sequence[str] | None = None,
    *,
    offset: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the offset and the rows without it; refuse numbers beyond float64 or the model.

    Parameters
    ----------
    rows : array of shape (n, d), data units
    transform : to model units, resolved
    observation : the noise, its columns resolved to positions
    labels : of the columns
    offset : None decides by the data

    Raises
    ------
    DataError
        Naming the columns.
    """
    check_precision(rows, labels)
    if offset is None:
        offset = offset_for(rows, transform, observation)
    rows = subtract_offset(rows, offset)
    squared = isinstance(transform, transforms.Identity)  # others bring every scale to one
    rows = check_size(rows, labels, most=_SQUARED if squared else np.inf)
    check_spread(rows, labels, least=1 / _SQUARED if squared else 0.0)
    return offset, rows


def subtract_offset(rows: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """Subtract the offset, in float64; rows that need none are returned unchanged."""
    return rows - offset if offset.any() else rows


def add_offset(values: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """Add the offset to model output, in float64; without one the values are returned unchanged."""
    return np.asarray(values, np.float64) + offset if offset.any() else values


def check_precision(rows: np.ndarray, labels: Sequence[str] | None = None) -> None:
    """Refuse columns that vary by no more than the rounding of float64.

    Raises
    ------
    DataError
        Naming the columns.
    """
    low, high = rows.min(axis=0), rows.max(axis=0)
    largest = np.maximum(np.abs(low), np.abs(high)).astype(np.float64)
    spread = high.astype(np.float64) - low
    lost = np.flatnonzero((spread > 0) & (np.finfo(np.float64).eps * largest > 1e-3 * spread))
    if lost.size:
        j = int(lost[0])
        raise DataError(
            f"A feature must vary by more than the rounding of float64; this fails for "
            f"{column_names(lost, labels)} (the first varies by {spread[j]:.3g} around "
            f"{low[j]:.6g}). Subtract an offset from it where it is still exact, or drop it."
        )


def check_size(
    rows: np.ndarray, labels: Sequence[str] | None = None, *, most: float = np.inf
) -> np.ndarray:
    """Return the rows; refuse values beyond the range of the model's float type.

    Parameters
    ----------
    rows : array of shape (n, d), data units, without the offset
    labels : of the columns
    most : a smaller bound, where the model squares its input

    Raises
    ------
    DataError
        Naming the columns.
    """
    if rows.dtype.kind != "f":
        return rows
    most = min(most, float(jnp.finfo(jnp.result_type(float)).max))
    low, high = rows.min(axis=0), rows.max(axis=0)
    beyond = np.flatnonzero((high > most) | (low < -most))
    if beyond.size:
        j = int(beyond[0])
        raise DataError(
            f"The model computes in {jnp.result_type(float)} with numbers up to {most:.3g} in "
            f"size; this fails for {column_names(beyond, labels)} (the first holds "
            f"{max(-float(low[j]), float(high[j])):.6g}). Divide the column by a power of ten, or "
            "drop these rows."
        )
    return rows


def clip_rows(rows: np.ndarray) -> np.ndarray:
    """Return rows to score, with values clipped to the range of the model's float type.

    Training data with such a value are refused. A scored row gets the finite score of the most
    distant row possible, so that one cell does not determine the score of a table.

    Parameters
    ----------
    rows : array of shape (n, d), data units, without the offset
    """
    if rows.dtype.kind != "f":
        return rows
    most = float(jnp.finfo(jnp.result_type(float)).max)
    if max(-rows.min(), rows.max()) <= most:
        return rows
    return np.clip(rows, -most, most)


def check_spread(
    rows: np.ndarray, labels: Sequence[str] | None = None, *, least: float = 0.0
) -> None:
    """Refuse columns that vary by less than the model's float type resolves.

    Raises
    ------
    DataError
        Naming the columns.
    """
    if rows.dtype.kind != "f":
        return
    least = max(least, float(jnp.finfo(jnp.result_type(float)).tiny))
    spread = rows.max(axis=0) - rows.min(axis=0)
    below = np.flatnonzero((spread > 0) & (spread < least))
    if below.size:
        raise DataError(
            f"The model computes in {jnp.result_type(float)} with spreads of {least:.3g} and more; "
            f"this fails for {column_names(below, labels)} (the first varies by "
            f"{float(spread[below[0]]):.3g}). Multiply the column by a power of ten."
        )


def _shifts(transform: transforms.AbstractTransform, d: int) -> np.ndarray:
    """Whether the map of each column is invariant to shifts, shape (d,): logarithms are not."""
    if not isinstance(transform, transforms.ByColumn):
        return np.full(d, isinstance(transform, (transforms.Identity, transforms.Standardize)))
    invariant = np.zeros(d, bool)
    for part, columns in zip(transform.parts, transform.columns or (), strict=True):
        invariant[list(columns)] = isinstance(part, (transforms.Identity, transforms.Standardize))
    return invariant


def _suspicious(rows: np.ndarray) -> np.ndarray:
    """Whether float32 may round each column too far, by its range alone, shape (d,)."""
    low, high = rows.min(axis=0).astype(np.float64), rows.max(axis=0).astype(np.float64)
    largest = np.maximum(np.abs(low), np.abs(high))
    constant = (low == high) & (largest > 2**24)  # above it float32 skips whole numbers
    return constant | ((high > low) & (_rounding(largest) > _FINE * (high - low) / 2))


def _rounding(size: np.ndarray | float) -> np.ndarray:
    return np.finfo(np.float32).eps * np.abs(size)
