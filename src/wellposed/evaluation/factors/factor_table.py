"""Latents beside known factors of the same rows, checked."""

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from wellposed._errors import DataError, SettingError

_FEWEST_ROWS = 20
_MOST_LEVELS = 20  # a column of more distinct numbers is continuous
_FEWEST_OF_A_LEVEL = 4  # three neighbours and the row itself
_BINS = 10  # of a continuous factor, where a score requires levels


@dataclasses.dataclass(frozen=True, eq=False)
class FactorTable:
    """Latents and factors of n rows.

    Parameters
    ----------
    latents : float array of shape (n, k), each column of mean 0 and variance 1, or constant 0
    levels : integer array of shape (n, m), the level of each factor, from 0; continuous factors
        are divided at their deciles
    numbers : float array of shape (n, m), the values of continuous factors, NaN of discrete ones
    discrete : boolean array of shape (m,)
    """

    latents: np.ndarray
    levels: np.ndarray
    numbers: np.ndarray
    discrete: np.ndarray

    @classmethod
    def of(
        cls,
        latents: ArrayLike,
        factors: ArrayLike,
        *,
        discrete: bool | Sequence[bool] | None = None,
        fewest_factors: int = 1,
    ) -> "FactorTable":
        """Check latents and factors.

        Parameters
        ----------
        latents : array of shape (n, k), k ≥ 2, finite
        factors : array of shape (n, m) of numbers or text without gaps
        discrete : whether each factor has levels without distances; one flag for all, or one each.
            None: text, and numbers of at most 20 distinct values
        fewest_factors : that the score requires

        Raises
        ------
        DataError
            For fewer than 20 rows or 2 latents, gaps, tables of different lengths, factors that
            never vary, and levels of fewer than 4 rows.
        SettingError
            For a wrong number of flags, and for text as a continuous factor.
        """
        z = _checked_latents(latents)
        columns = _columns(factors, len(z), fewest_factors)
        flags = _flags(columns, discrete)
        numbers = np.full((len(z), len(columns)), np.nan)
        levels = np.empty((len(z), len(columns)), int)
        for j, (column, flag) in enumerate(zip(columns, flags, strict=True)):
            if flag:
                levels[:, j] = _levels(column, j)
            else:
                numbers[:, j] = column
                levels[:, j] = _deciles(numbers[:, j])
        return cls(_standardised(z), levels, numbers, flags)

    @property
    def n_rows(self) -> int:
        """Rows."""
        return len(self.latents)

    @property
    def n_latents(self) -> int:
        """Latents, k."""
        return self.latents.shape[1]

    @property
    def n_factors(self) -> int:
        """Factors, m."""
        return self.levels.shape[1]

    def rows(self, chosen: np.ndarray) -> "FactorTable":
        """Return the table of chosen rows, given as positions or flags."""
        return dataclasses.replace(
            self,
            latents=self.latents[chosen],
            levels=self.levels[chosen],
            numbers=self.numbers[chosen],
        )

    def halves(self, generator: np.random.Generator) -> tuple["FactorTable", "FactorTable"]:
        """Divide the rows at random into two tables."""
        order, half = generator.permutation(self.n_rows), self.n_rows // 2
        return self.rows(order[:half]), self.rows(order[half:])


def host_generator_of(random_state: int | np.random.Generator) -> np.random.Generator:
    """Return a generator of a seed; a generator is returned as it is."""
    try:
        return np.random.default_rng(random_state)
    except (TypeError, ValueError):
        raise SettingError(
            "random_state must be a whole number ≥ 0 or a NumPy Generator; got "
            f"{random_state!r}. Pass for example random_state=0."
        ) from None


def _checked_latents(latents: ArrayLike) -> np.ndarray:
    try:
        z = np.asarray(latents, np.float64)
    except (TypeError, ValueError):
        raise DataError(
            "latents must be an array of numbers; got other objects. Pass vae.transform(X)."
        ) from None
    if z.ndim != 2 or len(z) < _FEWEST_ROWS:
        raise DataError(
            f"latents must be of shape (n, k) with n ≥ {_FEWEST_ROWS}; got {z.shape}. Pass one "
            "row for each row of the data."
        )
    if z.shape[1] < 2:
        raise DataError(
            f"The scores compare latents, and need at least 2; got {z.shape[1]}. Fit a model with "
            "n_components ≥ 2."
        )
    bad = np.flatnonzero(~np.isfinite(z).all(axis=1))
    if len(bad):
        raise DataError(
            f"latents must be finite; got NaN or infinity in {len(bad)} rows, the first is row "
            f"{bad[0]}. Leave these rows out of latents and factors."
        )
    return z


def _standardised(z: np.ndarray) -> np.ndarray:
    """Columns of mean 0 and variance 1; constant columns, up to rounding, are 0."""
    centred = z - z.mean(axis=0)
    scale = centred.std(axis=0)
    varies = scale > 1e-12 * np.abs(z).max(axis=0)
    return np.where(varies, centred / np.where(varies, scale, 1.0), 0.0)


def _columns(factors: ArrayLike, n: int, fewest: int) -> list[np.ndarray]:
    table = np.asarray(factors)
    if table.ndim != 2 or len(table) != n:
        raise DataError(
            f"factors must be of shape (n, m) with the {n} rows of latents; got {table.shape}. "
            "Pass the factors of the same rows; a single factor is a column, factors[:, None]."
        )
    if table.shape[1] < fewest:
        raise DataError(
            f"This score compares factors, and needs at least {fewest}; got {table.shape[1]}. "
            "Pass further factors, or use mutual_information_gap or sap."
        )
    columns = [_plain_column(column) for column in table.T]
    for j, column in enumerate(columns):
        if column.dtype.kind == "f" and not np.isfinite(column).all():
            raise DataError(
                f"factors must have no gaps; got NaN, None or infinity in factor {j}. Leave these "
                "rows out of latents and factors."
            )
        if (column == column[0]).all():
            raise DataError(
                f"A factor must vary; factor {j} is {column[0]} in every row. Leave it out."
            )
    return columns


def _plain_column(column: np.ndarray) -> np.ndarray:
    """Numbers as float64, anything else as text."""
    if column.dtype.kind in "biuf":
        return column.astype(np.float64)
    gaps = np.array([v is None or v != v for v in column])
    if gaps.any():
        return np.full(len(column), np.nan)
    if all(isinstance(v, (int, float, np.number)) for v in column):
        return column.astype(np.float64)
    return column.astype(str)


def _flags(columns: list[np.ndarray], discrete: bool | Sequence[bool] | None) -> np.ndarray:
    text = np.array([column.dtype.kind != "f" for column in columns])
    if discrete is None:
        return text | np.array([len(np.unique(column)) <= _MOST_LEVELS for column in columns])
    flags = np.asarray(discrete)
    if flags.dtype != bool or flags.shape not in ((), (len(columns),)):
        raise SettingError(
            f"discrete must be None, True, False or one of them for each of the {len(columns)} "
            f"factors; got {discrete!r}. Leave it None to decide by the number of values."
        )
    flags = np.broadcast_to(flags, (len(columns),))
    wrong = np.flatnonzero(text & ~flags)
    if len(wrong):
        raise SettingError(
            f"A continuous factor must have numbers; factor {wrong[0]} has text. Set its flag in "
            "discrete to True."
        )
    return flags


def _levels(column: np.ndarray, j: int) -> np.ndarray:
    values, levels, counts = np.unique(column, return_inverse=True, return_counts=True)
    if counts.min() < _FEWEST_OF_A_LEVEL:
        rare = values[counts.argmin()]
        raise DataError(
            f"Each level of a discrete factor needs at least {_FEWEST_OF_A_LEVEL} rows; level "
            f"{rare} of factor {j} has {counts.min()}. Pass more rows, or discrete=False for "
            "numbers."
        )
    return levels.reshape(-1)


def _deciles(numbers: np.ndarray) -> np.ndarray:
    inner = np.unique(np.quantile(numbers, np.arange(1, _BINS) / _BINS))
    return np.unique(np.searchsorted(inner, numbers, side="right"), return_inverse=True)[1]
