"""Estimates of multiply imputed data, pooled by Rubin's rules."""

import dataclasses

import numpy as np
import scipy.stats
from numpy.typing import ArrayLike

from wellposed._checks import check_number
from wellposed._errors import DataError


@dataclasses.dataclass(frozen=True, eq=False)
class Pooled:
    """An estimate from m imputations; each field has the shape of one estimate.

    Parameters
    ----------
    estimate : mean over imputations
    standard_error : root of the total variance
    degrees_of_freedom : of Student's t, by which the interval is computed
    low, high : ends of the interval
    level : of the interval
    within, between : variances within and between imputations
    missing_share : share of the total variance that is due to missing entries

    Examples
    --------
    >>> from wellposed.evaluation import pool
    >>> found = pool([1.0, 2.0, 3.0], [0.1, 0.1, 0.1])
    >>> float(found.estimate)
    2.0
    """

    estimate: np.ndarray
    standard_error: np.ndarray
    degrees_of_freedom: np.ndarray
    low: np.ndarray
    high: np.ndarray
    level: float
    within: np.ndarray
    between: np.ndarray
    missing_share: np.ndarray

    def __str__(self) -> str:
        columns = (
            self.estimate,
            self.standard_error,
            self.low,
            self.high,
            self.degrees_of_freedom,
            self.missing_share,
        )
        lines = [
            f"{q:.4g} ± {s:.2g}, {self.level:.0%} interval {low:.4g} to {high:.4g} "
            f"({df:.3g} degrees of freedom, {lost:.0%} of the variance from missing entries)"
            for q, s, low, high, df, lost in zip(*map(np.ravel, columns), strict=True)
        ]
        return "\n".join(lines)


def pool(
    estimates: ArrayLike,
    variances: ArrayLike,
    *,
    n: float | None = None,
    level: float = 0.95,
) -> Pooled:
    r"""Pool estimates of m imputations of the same data.

    With the mean :math:`\bar Q` of the estimates, their variance B (1/(m − 1)) and the mean
    :math:`\bar U` of their squared standard errors,

    .. math:: T = \bar U + \left(1 + \tfrac1m\right) B, \qquad
       \nu_m = (m - 1) \left(\frac{T}{(1 + 1/m) B}\right)^2

    are the total variance and the degrees of freedom for complete data without limit. If ``n``,
    the degrees of freedom ν of the complete data, is given, they are 1/(1/ν_m + 1/ν_o) with
    ν_o = ν (ν + 1)/(ν + 3) · Ū/T.

    Parameters
    ----------
    estimates : array of shape (m, ...), m ≥ 2, one for each imputation
    variances : array of the same shape, squared standard errors of the estimates
    n : degrees of freedom of the analysis of complete data, such as rows minus coefficients
    level : of the interval, in (0, 1)

    Returns
    -------
    Pooled

    Raises
    ------
    DataError
        If there are fewer than two estimates, the shapes differ, or a variance is negative.
    SettingError
        If ``n`` or ``level`` is out of range.

    References: Rubin (1987), Multiple imputation for nonresponse in surveys, §3.1; Barnard & Rubin
    (1999), Small-sample degrees of freedom with multiple imputation.

    Examples
    --------
    >>> print(pool([1.0, 1.2, 0.9], [0.04, 0.05, 0.03]))  # doctest: +NORMALIZE_WHITESPACE
    1.033 ± 0.27, 95% interval 0.4426 to 1.624 (10.4 degrees of freedom, 44% of the variance from
    missing entries)
    """
    q, u = np.asarray(estimates, np.float64), np.asarray(variances, np.float64)
    if q.ndim == 0 or len(q) < 2 or q.shape != u.shape or not (u >= 0).all():
        raise DataError(
            "Rubin's rules need two estimates or more and a variance ≥ 0 of each; got shapes "
            f"{q.shape} and {u.shape}. Impute several times and pass one entry an imputation."
        )
    check_number("level", level, "0.95 is usual.", above=0, below=1)
    if n is not None:
        check_number("n", n, "Pass rows minus coefficients.", above=0)
    return _pooled(q, u, n, level)


def _pooled(q: np.ndarray, u: np.ndarray, n: float | None, level: float) -> Pooled:
    m = len(q)
    estimate, within, between = q.mean(axis=0), u.mean(axis=0), q.var(axis=0, ddof=1)
    extra = (1 + 1 / m) * between
    total = within + extra
    with np.errstate(divide="ignore", invalid="ignore"):
        lost = np.where(total > 0, extra / total, 0.0)
        freedom = np.where(lost > 0, (m - 1) / lost**2, np.inf)
        if n is not None:
            observed = n * (n + 1) / (n + 3) * (1 - lost)
            freedom = 1 / (1 / freedom + 1 / observed)
    error = np.sqrt(total)
    reach = scipy.stats.t.ppf(0.5 + level / 2, np.maximum(freedom, 1e-3)) * error
    ends = estimate - reach, estimate + reach
    return Pooled(estimate, error, freedom, *ends, level, within, between, lost)
