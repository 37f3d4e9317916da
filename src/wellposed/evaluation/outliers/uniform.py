"""Whether p-values are uniform: whether rows still come from where the calibration rows did."""

import dataclasses
from typing import Any

import numpy as np
import scipy.special
from numpy.typing import ArrayLike

from wellposed._errors import DataError

_RARE = 1e-3


@dataclasses.dataclass(frozen=True)
class Uniformity:
    """The largest distance of p-values from the uniform distribution, and how rare it is.

    Parameters
    ----------
    distance : of the distribution function of the p-values from that of uniform ones
    p_value : probability of such a distance, or a larger one, where nothing has changed
    n : rows

    Examples
    --------
    >>> Uniformity(0.02, p_value=0.9, n=200).drifted
    False
    """

    distance: float
    p_value: float
    n: int

    @property
    def drifted(self) -> bool:
        """Whether the distance is rarer than one in a thousand."""
        return self.p_value < _RARE

    def __str__(self) -> str:
        verdict = "the rows have drifted" if self.drifted else "no drift is found"
        return (
            f"p-values of {self.n} rows are {self.distance:.3f} from uniform, probability "
            f"{self.p_value:.2g} without a drift: {verdict}."
        )


def uniformity(p_values: ArrayLike, n_calibration: int) -> Uniformity:
    r"""Test whether conformal p-values are uniform, by the statistic of Kolmogorov and Smirnov.

    .. math:: D = \max_p |F_n(p) - p|, \quad P(D > t) \approx Q(\sqrt{n m / (n + m)} \, t)

    with the Kolmogorov distribution Q: the calibration rows are a sample as the rows are.

    Parameters
    ----------
    p_values : array of shape (n,)
    n_calibration : m, the number of calibration rows that they were computed with

    Raises
    ------
    DataError
        Without a row.

    References: Smirnov (1948), Table for estimating the goodness of fit, for two samples.

    Examples
    --------
    >>> uniformity(np.linspace(0.01, 1, 100), 1000).drifted
    False
    >>> uniformity(np.linspace(0.01, 0.3, 100), 1000).drifted
    True
    """
    p: Any = np.sort(np.asarray(p_values, np.float64).ravel())
    n = len(p)
    if not n or n_calibration < 1:
        raise DataError(
            f"The test needs rows and calibration rows; got {n} and {n_calibration}. Pass one or "
            "more of each."
        )
    above, below = np.arange(1, n + 1) / n - p, p - np.arange(n) / n
    # p-values of m calibration rows are whole multiples of 1/(m + 1).
    step = 1.0 / (n_calibration + 1)
    distance = float(max(above.max(), (below - step).max(), 0.0))
    size = n * n_calibration / (n + n_calibration)
    return Uniformity(distance, float(scipy.special.kolmogorov(np.sqrt(size) * distance)), n)
