"""Limits of a table's columns, in data units as they are given and in model units."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool

from wellposed._errors import SettingError
from wellposed._typing import Point
from wellposed.numerics import on_device
from wellposed.transforms import AbstractTransform, check_support, key_of, position_of

Side = Literal["low", "high"]
Limit: TypeAlias = float | Sequence[float | None] | np.ndarray | Mapping[Any, float] | None

_REMEDY = (
    "Pass a number for all columns, a sequence with None where a column has no limit, or a dict "
    'such as {"lead": 0.5}.'
)
# Rounding of a value that went to model units and back, in steps of the float type.
_STEPS = 16.0


class Limits(eqx.Module):
    """Limits on one side, in data units.

    Parameters
    ----------
    values : of the columns ``keys``, of each column in turn, or of all; None where there is none
    keys : names or positions of columns; None where values are in the order of the columns
    every : whether the only value is of every column
    """

    values: tuple[float | None, ...] = eqx.field(static=True)
    keys: tuple[str | int, ...] | None = eqx.field(static=True)
    every: bool = eqx.field(static=True)

    @classmethod
    def of(cls, side: Side, given: Limit) -> "Limits":
        """Read what a user passes.

        Raises
        ------
        SettingError
            For anything but numbers, a sequence of them or a mapping to them.
        """
        if isinstance(given, Mapping):
            return cls(
                tuple(_number(side, each) for each in given.values()),
                tuple(map(key_of, given)),
                False,
            )
        if not isinstance(given, (Sequence, np.ndarray)) or isinstance(given, str):
            return cls((_number(side, given),), None, True)
        if isinstance(given, np.ndarray) and given.ndim != 1:
            raise SettingError(
                f"{side} must be one limit for each column; got {given!r}. {_REMEDY}"
            )
        return cls(tuple(_number(side, each) for each in given), None, False)

    @property
    def none(self) -> bool:
        """Whether no column has a limit."""
        return all(value is None for value in self.values)

    def of_columns(self, side: Side, d: int, names: Sequence[str] | None = None) -> np.ndarray:
        """Return the limit of each of d columns, shape (d,), NaN where there is none.

        Raises
        ------
        SettingError
            For another number of limits, and for columns that the table does not have.
        """
        values = np.array([np.nan if v is None else v for v in self.values], np.float64)
        if self.every:
            return np.full(d, values[0])
        if self.keys is not None:
            limits = np.full(d, np.nan)
            limits[[position_of(key, d, names) for key in self.keys]] = values
            return limits
        if len(values) != d:
            raise SettingError(
                f"{side} must have one limit for each of {d} columns; got {len(values)}. {_REMEDY}"
            )
        return values

    @classmethod
    def located(cls, limits: np.ndarray) -> "Limits":
        """Return the limits of columns in their order, from an array of :meth:`of_columns`."""
        values = tuple(None if math.isnan(v) else float(v) for v in limits.tolist())
        return cls(values, None, False)


def _number(side: Side, value: Any) -> float | None:
    """A limit; None for None, NaN and the infinity that no value is beyond."""
    if isinstance(value, (bool, np.bool_, str)):
        raise SettingError(f"{side} must be a number; got {value!r}. {_REMEDY}")
    try:
        number = math.nan if value is None else float(value)
    except (TypeError, ValueError):
        raise SettingError(f"{side} must be a number; got {value!r}. {_REMEDY}") from None
    if number == (math.inf if side == "low" else -math.inf):
        raise SettingError(f"{side} must not be beyond all values; got {number}. {_REMEDY}")
    return number if math.isfinite(number) else None


class End(eqx.Module):
    """Limits of one side in model units, shape (d,); not used where a column has none."""

    value: Point
    exists: Bool[Array, " d"]
    slack: Point  # of rounding
    log_slope: Point  # log dT/dx at the limit

    @classmethod
    def of(cls, limits: np.ndarray, transform: AbstractTransform, typical: Point) -> "End":
        """Map limits of shape (d,), data units, NaN where there is none.

        Parameters
        ----------
        limits : shape (d,)
        transform : fitted
        typical : a datum in its domain, shape (d,)

        Raises
        ------
        DataError
            For limits off the domain of the transform.
        SettingError
            For a transform that draws random numbers, where no value is at a limit.
        """
        exists = ~np.isnan(limits)
        rows = np.where(exists, limits, np.asarray(typical, np.float64))
        check_support(rows[None], transform.domain, who="A limit under this transform")
        x = on_device(rows)
        keys = jax.random.split(jax.random.key(0), 2)
        y, slope = jax.jvp(lambda x: transform.forward(x, key=keys[0]).value, (x,), (x**0,))
        if not np.array_equal(y, transform.forward(x, key=keys[1]).value):
            raise SettingError(
                f"Censored values must stay at their limit in model units; "
                f"{type(transform).__name__} adds noise to whole numbers. Use "
                'transform="standardize" or "identity".'
            )
        size = np.abs(np.asarray(slope * x)) + np.abs(np.asarray(y)) + 1.0
        slack = _STEPS * np.finfo(np.asarray(y).dtype).eps * size
        return cls(y, jax.device_put(exists), on_device(slack), jnp.log(slope))

    def reached_from_above(self, y: Point) -> Bool[Array, " d"]:
        """Which values of a datum in model units are at, or below, a low limit, shape (d,)."""
        return self.exists & (y <= self.value + self.slack)

    def reached_from_below(self, y: Point) -> Bool[Array, " d"]:
        """Which values of a datum in model units are at, or above, a high limit, shape (d,)."""
        return self.exists & (y >= self.value - self.slack)
