"""A Monte Carlo figure with its error."""

import dataclasses
from typing import Any, Self

import numpy as np


def standard_error(values: Any) -> np.ndarray:
    """Return the standard error of the mean over rows: (n, ...) to (...); NaN for one row.

    Also that of any figure, from the influence of each row on it.
    """
    values = np.asarray(values, np.float64)
    if len(values) < 2:
        return np.full(values.shape[1:], np.nan)
    return values.std(axis=0, ddof=1) / np.sqrt(len(values))


@dataclasses.dataclass(frozen=True)
class Estimate:
    """A figure and its standard error.

    Examples
    --------
    >>> print(Estimate.of([1.0, 2.0, 3.0, 4.0]))
    2.5 ± 0.65
    """

    value: float
    standard_error: float

    @classmethod
    def of(cls, values: Any) -> Self:
        """Mean of an array of shape (n,) and its standard error, which is NaN for one value."""
        values = np.asarray(values, np.float64)
        return cls(float(values.mean()), float(standard_error(values)))

    def __str__(self) -> str:
        return f"{self.value:.4g} ± {self.standard_error:.2g}"
