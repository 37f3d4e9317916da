"""What a fit learns of the data before any model: moments, resolution, support."""

import math
from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from wellposed._errors import DataError, named_features

from ._sums import BLOCK_ROWS, ColumnSums

_SORTED_AT_MOST = 1_000_000  # entries looked at for the smallest gap: a tenth of a second
_SAMPLE_ROWS = 2_000
_MOST_LEVELS = 256  # of 8 bits


_Feature = Float[np.ndarray | Array, " d"]  # of the host, where starts are computed


class Moments(eqx.Module):
    """The data in model units, feature by feature: what a noise model starts from.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> ones = jnp.ones(2)
    >>> Moments(ones, ones, ones, ones > 0, 10).n
    10
    """

    mean: _Feature  # (d,)
    variance: _Feature  # (d,)
    resolution: _Feature  # (d,), the smallest step of each feature
    varies: Bool[np.ndarray | Array, " d"]  # (d,), which features are not constant
    n: int = 0  # rows that the moments were taken from
    image_shape: tuple[int, ...] | None = None  # of one datum, where it is an image
    highs: _Feature | None = None  # the largest value of each feature, where units are the data's
    lows: _Feature | None = None  # likewise the smallest
    sample: np.ndarray | None = None  # likewise rows of the data, shape (m, d)

    @property
    def high(self) -> float:
        """The largest value of all; infinite where nothing is known of it."""
        return math.inf if self.highs is None else float(self.highs.max())


class Summary(eqx.Module):
    """The data in data units, feature by feature, in float64 on the host."""

    n: int
    mean: np.ndarray
    variance: np.ndarray
    low: np.ndarray
    high: np.ndarray
    resolution: np.ndarray
    whole: bool  # whole numbers throughout
    one_unit: bool  # all features share a unit, as pixels do: one scale, one resolution
    sample: np.ndarray  # at most 2,000 rows, spread over the data

    @property
    def varies(self) -> np.ndarray:
        """Shape (d,): which features take more than one value."""
        return self.high > self.low


def is_whole(values: np.ndarray) -> bool:
    """Whether all values of (n, d) are whole numbers; most others end in the first block."""
    if values.dtype.kind in "iub":
        return True
    blocks = (values[at : at + BLOCK_ROWS] for at in range(0, len(values), BLOCK_ROWS))
    return all(np.array_equal(block, np.rint(block)) for block in blocks)


def share_levels(values: np.ndarray) -> bool:
    """Whether all features that vary take whole numbers over one range of at most 256 levels.

    So do answers on one scale and pixels of one kind; a column of another unit beside them, or
    one that covers less than half of the range, makes it a table of several units.
    """
    span = values.max(axis=0).astype(np.float64) - values.min(axis=0)
    span = span[span > 0]
    if len(span) < 2 or span.max() > _MOST_LEVELS - 1 or span.min() < span.max() / 2:
        return False
    return is_whole(values)


def all_finite(values: np.ndarray) -> bool:
    """Whether ``values`` holds neither NaN nor infinity."""
    if values.dtype.kind != "f":
        return True
    # One pass that allocates nothing: a sum is finite only if every term is, overflow aside.
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(values.sum()):
            return True
    return bool(np.isfinite(values).all())


def check_finite(values: np.ndarray) -> None:
    """Raise ``DataError`` where ``values`` holds NaN or infinity, with count and position."""
    if all_finite(values):
        return
    bad = ~np.isfinite(values)
    count = int(bad.sum())
    first = tuple(int(i) for i in np.argwhere(bad)[0])
    where = f"row {first[0]}, column {first[1]}" if len(first) == 2 else f"position {first}"
    kind = "NaN" if np.isnan(values[first]) else "inf"
    raise DataError(
        f"Data must be finite; {count} of {values.size} entries are NaN or inf, "
        f"the first ({kind}) at {where}. Drop those rows, or fill the gaps first."
    )


def check_precision(summary: Summary, names: Sequence[str] | None = None) -> None:
    """Raise ``DataError`` where the model's float type cannot tell a feature's values apart.

    At 10⁸ float32 steps by 8: a feature that varies by one there would be fitted as noise of
    rounding.
    """
    largest = np.maximum(np.abs(summary.low), np.abs(summary.high))
    step = np.finfo(jnp.result_type(float)).eps * largest
    lost = np.flatnonzero(summary.varies & (step > 1e-3 * np.sqrt(summary.variance)))
    if lost.size:
        j = int(lost[0])
        deviation = summary.variance[j] ** 0.5
        raise DataError(
            f"A feature must vary by more than the rounding of {jnp.result_type(float)}; features "
            f"{named_features(lost, names=names)} do not: the first varies by {deviation:.3g} "
            f"around {summary.mean[j]:.6g}. Subtract an offset from it first."
        )


def summarise(
    values: np.ndarray,
    resolution: float | np.ndarray | None = None,
    *,
    one_unit: bool | None = None,
) -> Summary:
    """Summarise data of shape (n, d). Equal numbers of any dtype have equal summaries.

    Parameters
    ----------
    values : array of shape (n, d), any real dtype, finite
    resolution : None, number or array of shape (d,)
        The measurement's smallest step in data units. None: the smallest gap between distinct
        values of the feature, or of all features together where they share a unit. A feature
        that never varies takes the smallest step of the others. Zero disclaims any resolution.
    one_unit : whether all features share a unit, as pixels do; None: :func:`share_levels`

    Raises
    ------
    DataError
        If no feature varies.
    SettingError
        If ``resolution`` is negative or of the wrong length (see the estimators' checks).

    Examples
    --------
    >>> summarise(np.array([[0.0, 5.0], [0.5, 7.0]])).mean.tolist()
    [0.25, 6.0]
    """
    n, d = values.shape
    sums = ColumnSums.of(values)
    low = values.min(axis=0).astype(np.float64)
    high = values.max(axis=0).astype(np.float64)
    varies = high > low
    if not varies.any():
        raise DataError(
            f"At least one feature must vary; all {d} are constant over {n} rows. "
            "There is nothing to model: check how the data were read."
        )
    variance = np.where(varies, sums.variance, 0.0)
    mean = np.where(varies, sums.mean, low)
    rows = np.linspace(0, n - 1, min(n, _SAMPLE_ROWS)).astype(int)
    sample = values[rows]
    one_unit = share_levels(values) if one_unit is None else one_unit
    step = resolution_of(values, resolution)
    if resolution is None and one_unit:
        # Where features share a unit their values are of one grid.
        (gap,) = _smallest_gap(values[:, varies].reshape(-1, 1))
        step = np.full(d, gap if np.isfinite(gap) else 0.0)
    return Summary(
        n=n,
        mean=mean,
        variance=variance,
        low=low,
        high=high,
        resolution=step,
        whole=is_whole(values),
        one_unit=one_unit,
        sample=sample,
    )


def resolution_of(values: np.ndarray, given: float | np.ndarray | None = None) -> np.ndarray:
    """Smallest step of each feature, shape (d,); ``given`` and defaults as :func:`summarise`."""
    d = values.shape[1]
    if given is not None:
        return np.broadcast_to(np.asarray(given, np.float64), (d,)).copy()
    gap = _smallest_gap(values)
    usable = np.isfinite(gap)
    fallback = gap[usable].min() if usable.any() else 0.0
    return np.where(usable, gap, fallback)


def _smallest_gap(values: np.ndarray) -> np.ndarray:
    """Smallest gap between distinct values of each column.

    Gaps of a few units in the last place are one value that rounding has split, not a step. The
    last place is that of float32 where float32 holds every value, whatever type they come in.
    """
    n, d = values.shape
    rows = np.linspace(0, n - 1, min(n, max(1_000, _SORTED_AT_MOST // d))).astype(int)
    ordered = np.sort(values[rows].astype(np.float64), axis=0)
    gaps = np.diff(ordered, axis=0)
    dust = 4 * _last_place(ordered) * np.abs(ordered).max(axis=0)
    gaps[gaps <= dust] = np.inf
    return gaps.min(axis=0, initial=np.inf)


def _last_place(values: np.ndarray) -> np.ndarray:
    """Relative rounding of each column: none of whole numbers, of float32 if it holds them all."""
    with np.errstate(over="ignore"):
        single = (values.astype(np.float32) == values).all(axis=0)
    whole = (values == np.rint(values)).all(axis=0) & (np.abs(values).max(axis=0) < 2**53)
    eps = np.where(single, np.finfo(np.float32).eps, np.finfo(np.float64).eps)
    return np.where(whole, 0.0, eps)


def as_moments(
    summary: Summary,
    mean: np.ndarray,
    variance: np.ndarray,
    resolution: np.ndarray,
    varies: np.ndarray,
    highs: np.ndarray | None = None,
) -> Moments:
    """Round to the default float type; the arrays stay on the host, where starts are computed."""
    dtype = jnp.result_type(float)
    floats: Any = (np.asarray(a, dtype) for a in (mean, variance, resolution))
    largest: Any = None if highs is None else np.asarray(highs, dtype)
    flags: Any = np.asarray(varies)
    return Moments(*floats, varies=flags, n=summary.n, highs=largest)
