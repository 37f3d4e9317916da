"""The share of outliers among rows, from the scores of all of them."""

from typing import Any

import numpy as np
import scipy.stats
from numpy.typing import ArrayLike

from wellposed._errors import DataError

_SHAPES = 2.0 ** np.arange(-2, 11)  # of the gamma distribution: exponential tails to a Gaussian
_SHARES = np.arange(0.0, 0.51, 0.05)  # of outliers that the fit leaves out
_BULK = 0.9  # share of the inliers by which the distribution is fitted, from below
_CLOSE = 0.8  # largest distance of the two distribution functions over the bulk, times √n
_TAIL = 0.1  # rows with a p-value above it count as inliers alone
_FEWEST = 20
_MOST = 0.5


def outlier_share(surprise: ArrayLike) -> float:
    r"""Estimate the share of outliers among rows from their scores.

    Scores are a mixture: those of inliers have the distribution :math:`F_0`, those of outliers lie
    above. :math:`F_0` is a shifted gamma distribution, as -log p(x) of a Gaussian has, fitted to
    the lower 90 % of the inliers: the fit leaves out the smallest share of rows without which
    their distribution agrees with it. The rows then have the p-values :math:`1 - F_0(s)`, uniform
    for inliers, and the share of inliers is

    .. math:: \pi_0 = \frac{\#\{i : p_i > \lambda\}}{n (1 - \lambda)}, \quad \lambda = 0.1

    The estimate is :math:`1 - \pi_0` less its standard error, so that it is zero where the scores
    show no outliers. Inliers with a heavier upper tail than a gamma distribution, such as those of
    Student's t, count in part as outliers.

    Parameters
    ----------
    surprise : array of shape (n,), the scores of 20 rows or more that the model was not trained
        on, larger for outliers

    Returns
    -------
    share, from 0 to 0.5

    Raises
    ------
    DataError
        For fewer rows, and scores that are NaN.

    References: Efron (2004), Large-scale simultaneous hypothesis testing, for the fitted null
    distribution; Storey (2002), A direct approach to false discovery rates, eq. 6.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> s = np.append(rng.gamma(2.0, size=800), 30.0 + rng.normal(size=200))
    >>> round(outlier_share(s), 2)
    0.15
    """
    s: Any = np.sort(np.asarray(surprise, np.float64).ravel())
    n = len(s)
    if n < _FEWEST or np.isnan(s).any():
        raise DataError(
            f"The share of outliers is estimated from {_FEWEST} scores or more that are numbers; "
            f"got {n}, of which {int(np.isnan(s).sum())} are NaN. Hold out more rows, or pass "
            "contamination as a number such as 0.05."
        )
    if s[0] == s[int(_BULK * (n - 1))]:
        return 0.0  # the scores of most rows are equal: no tail can be inferred from them
    inside = float((_tail(s) > _TAIL).mean())
    share = float(np.clip(1.0 - inside / (1.0 - _TAIL), 0.0, _MOST))
    error = np.sqrt(inside * (1.0 - inside) / n) / (1.0 - _TAIL)
    return float(max(0.0, share - error))


def _tail(s: np.ndarray) -> np.ndarray:
    """Return 1 − F_0 of each score, sorted, with the gamma distribution that fits the bulk."""
    n = len(s)
    ranks = (np.arange(n) + 0.5) / n
    first = None
    for share in _SHARES:
        best, tail = np.inf, np.ones_like(s)
        kept = ranks <= _BULK * (1.0 - share)
        for shape in _SHAPES:
            quantiles = scipy.stats.gamma.ppf(ranks[kept] / (1.0 - share), shape)
            centred = quantiles - quantiles.mean()
            scale = centred @ s[kept] / (centred @ centred)
            standard = (s - s[kept].mean()) / scale + quantiles.mean()
            fitted = scipy.stats.gamma.cdf(standard[kept], shape) * (1.0 - share)
            distance = float(np.abs(fitted - ranks[kept]).max())
            if distance < best:
                best, tail = distance, scipy.stats.gamma.sf(standard, shape)
        if best * np.sqrt(n) < _CLOSE:
            return tail
        first = tail if first is None else first
    return np.ones_like(s) if first is None else first  # no share explains the scores
