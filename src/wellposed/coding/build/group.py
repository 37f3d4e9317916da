"""Columns of one noise, and what its maker returns."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from wellposed._errors import SettingError, named_features

from ..symbols.family import AnySymbols

_MOST_LEVELS = 1024


@dataclasses.dataclass(frozen=True)
class Group:
    """Columns of one noise.

    Parameters
    ----------
    noise : of these columns
    columns : positions in a row, shape (d,)
    step, base : a datum in the noise's units is base + step·symbol, shape (d,)
    center, scale : of the noise's units in model units, shape (d,)
    """

    noise: Any
    columns: np.ndarray
    step: np.ndarray
    base: np.ndarray
    center: np.ndarray
    scale: np.ndarray

    def in_units(self, y: np.ndarray) -> np.ndarray:
        """Return values of all columns, in model units, as those of this group in its noise's."""
        return (y[self.columns] - self.center) / self.scale

    def lengths(self, lengths: np.ndarray) -> np.ndarray:
        """Return lengths of all columns, in model units, as those of this group."""
        return lengths[self.columns] / self.scale

    @property
    def d(self) -> int:
        """Number of columns."""
        return len(self.columns)

    def check_whole(self) -> None:
        """Raise ``SettingError`` unless symbols are the data."""
        if (self.step != 1).any() or (self.base != 0).any():
            raise SettingError(
                f"{type(self.noise).__name__} has whole numbers, which are their own symbols; got "
                "another offset or resolution. Leave them out, or give 0 and 1 for its columns."
            )


@dataclasses.dataclass(frozen=True)
class Made:
    """Integer families of a group, and what they need.

    Parameters
    ----------
    make : from positions within the group, shape (d',), to the family of these features
    times, plus : of the decoder's outputs, by block, shape (n_raw, d)
    bits : fractional bits of each block, shape (n_raw,)
    low : symbol that the family counts from, int64, shape (d,)
    constants : features that never varied; None where all vary
    """

    make: Callable[[np.ndarray], AnySymbols]
    times: np.ndarray
    plus: np.ndarray
    bits: np.ndarray
    low: np.ndarray
    constants: "Fixed | None"


@dataclasses.dataclass(frozen=True)
class Fixed:
    """Features that never varied.

    Parameters
    ----------
    varies : bool, shape (d,)
    value : symbols, int64, shape (d,); of those that vary, anything
    low : symbol that their levels count from, int64, shape (d,)
    levels : number of levels around the constant
    others : of all rows, the share of one other level
    """

    varies: np.ndarray
    value: np.ndarray
    low: np.ndarray
    levels: int
    others: float


def fixed_levels(constants: Any, levels: int) -> Fixed | None:
    """Return the constants of noise on L levels."""
    if constants is None:
        return None
    value = np.rint(array(constants.value)).astype(np.int64)
    varies = np.asarray(constants.varies)
    return Fixed(varies, value, np.zeros_like(value), levels, 1.0 / (constants.n + levels))


def check_levels(levels: int | None) -> int:
    """Return the number of levels, or raise ``SettingError``."""
    if levels is None or not 2 <= levels <= _MOST_LEVELS:
        raise SettingError(
            f"An integer model codes 2 to {_MOST_LEVELS} levels; the noise has {levels}. Fit the "
            "model, or use noise for counts or for real numbers."
        )
    return levels


def zero_symbols(group: Group) -> np.ndarray:
    """Return the symbols of zero, int64, shape (d,).

    Raises
    ------
    SettingError
        If zero is no multiple of steps away from the offset.
    """
    zero = np.rint(-group.base / group.step)
    apart = np.flatnonzero(~(np.abs(group.base / group.step + zero) < 1e-3))
    if apart.size:
        raise SettingError(
            "Amounts and shares are coded as multiples of their step; columns "
            f"{named_features(group.columns[apart])} have an offset that is none. Give an offset "
            "of 0."
        )
    return zero.astype(np.int64)


def array(leaf: Any) -> np.ndarray:
    """Return a leaf on the host, in float64."""
    return np.asarray(leaf, np.float64)
