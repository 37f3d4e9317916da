"""A Monte Carlo estimate with its standard error."""

import dataclasses
from typing import Self

import numpy as np
from numpy.typing import ArrayLike


def standard_error(values: ArrayLike) -> np.ndarray:
    """Return the standard error of the mean over rows; NaN for one row.

    Given the influence of each row on a statistic, the result is the standard error of the
    statistic.

    Parameters
    ----------
    values : array of shape (n, ...)

    Returns
    -------
    array of shape (...), in the units of the values
    """
    values = np.asarray(values, np.float64)
    if len(values) < 2:
        return np.full(values.shape[1:], np.nan)
    return values.std(axis=0, ddof=1) / np.sqrt(len(values))


@dataclasses.dataclass(frozen=True)
class Estimate:
    """A figure and its standard error, in the same units.

    Parameters
    ----------
    value : the figure
    standard_error : its standard error; NaN where unknown

    Examples
    --------
    >>> print(Estimate.of([1.0, 2.0, 3.0, 4.0]))
    2.5 ± 0.65
    """

    value: float
    standard_error: float

    @classmethod
    def of(cls, values: ArrayLike) -> Self:
        """Mean of an array of shape (n,) and its standard error, which is NaN for one value."""
        values = np.asarray(values, np.float64)
        return cls(float(values.mean()), float(standard_error(values)))

    def __str__(self) -> str:
        return f"{self.value:.4g} ± {self.standard_error:.2g}"
