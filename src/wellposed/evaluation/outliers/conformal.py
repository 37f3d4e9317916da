"""p-values from the scores of rows held out of training, and alarms from p-values."""

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from wellposed._checks import check_number
from wellposed._errors import DataError

_ROUNDING = 1e-9


def conformal_p_values(surprise: ArrayLike, calibration: ArrayLike) -> np.ndarray:
    r"""Return the p-value of each row from scores of rows held out of training.

    .. math:: p(x) = \frac{1 + \#\{i : s(c_i) \ge s(x)\}}{m + 1}

    If x and the m calibration rows c_i are exchangeable, P(p(x) ≤ α) ≤ α for every α, whatever the
    score is and however well the model fits. The probability is over calibration rows as well.

    Parameters
    ----------
    surprise : array of shape (n,), a score of each row, larger for outliers
    calibration : array of shape (m,), the score of rows that the model was not trained on

    Returns
    -------
    array of shape (n,), in (0, 1]; the smallest possible one is 1/(m + 1)

    Raises
    ------
    DataError
        If there are no calibration scores, or a score is NaN.

    References: Vovk, Gammerman & Shafer (2005), Algorithmic learning in a random world, §2; Bates,
    Candès, Lei, Romano & Sesia (2023), Testing for outliers with conformal p-values.

    Examples
    --------
    >>> conformal_p_values([0.5, 9.0], [1.0, 2.0, 3.0]).tolist()
    [1.0, 0.25]
    """
    s, held = (np.asarray(each, np.float64).ravel() for each in (surprise, calibration))
    if not len(held) or np.isnan(s).any() or np.isnan(held).any():
        raise DataError(
            "p-values need the score of each row and of at least one calibration row; got "
            f"{len(held)} calibration rows and {int(np.isnan(s).sum() + np.isnan(held).sum())} "
            "scores that are NaN. Pass rows that the model was not trained on."
        )
    below = np.searchsorted(np.sort(held), s, side="left")
    return (1.0 + len(held) - below) / (len(held) + 1.0)


def fewest_calibration_rows(alpha: float) -> int:
    """Return the smallest m whose p-values can reach ``alpha``: 1/(m + 1) ≤ alpha.

    Parameters
    ----------
    alpha : rate of false alarms, in (0, 1)

    Examples
    --------
    >>> fewest_calibration_rows(0.01)
    99
    """
    return max(0, math.ceil(1.0 / alpha - 1.0 - _ROUNDING))


def benjamini_hochberg(p_values: ArrayLike, fdr: float) -> np.ndarray:
    r"""Return which rows are outliers if at most the share ``fdr`` of them may be false alarms.

    The rows with p ≤ p_(j) are chosen, for the largest j with :math:`p_{(j)} \le j \, q / n` among
    the sorted p-values. The expected share of false alarms is then at most q times the share of
    inliers; this holds for conformal p-values of one calibration set (Bates et al., 2023).

    Parameters
    ----------
    p_values : array of shape (n,), of the rows of one batch
    fdr : q, in (0, 1)

    Returns
    -------
    array of shape (n,) of booleans

    Raises
    ------
    SettingError
        For a share out of range.

    References: Benjamini & Hochberg (1995), Controlling the false discovery rate.

    Examples
    --------
    >>> benjamini_hochberg([0.01, 0.02, 0.5, 0.9], 0.1).tolist()
    [True, True, False, False]
    """
    q = check_number("fdr", fdr, "0.1 is usual.", above=0, below=1)
    p: Any = np.asarray(p_values, np.float64).ravel()
    n = len(p)
    ordered = np.sort(p)
    passed = np.flatnonzero(ordered <= q * np.arange(1, n + 1) / max(n, 1) * (1 + _ROUNDING))
    return p <= ordered[passed[-1]] if len(passed) else np.zeros(n, bool)
