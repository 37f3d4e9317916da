"""Linear regression of rows on their covariates."""

import numpy as np

_LEAST = 1e-10  # of the largest singular value: below it, a direction of the covariates is none


def regress(y: np.ndarray, covariates: np.ndarray) -> np.ndarray:
    r"""Return the coefficients B of the least squares of y on covariates, shape (c, d).

    .. math:: \min_{a, B} \sum_i \| y_i - a - c_i B \|^2

    with the smallest B where covariates depend on each other, as indicators of levels do, which add
    up to one. A missing entry of y is left out.

    Parameters
    ----------
    y : array of shape (n, d), NaN where an entry is missing
    covariates : array of shape (n, c)

    Examples
    --------
    >>> c = np.array([[0.0], [1.0], [2.0]])
    >>> regress(3.0 * c + 5.0, c).round(12).tolist()
    [[3.0]]
    """
    covariates = np.asarray(covariates, np.float64)
    seen = ~np.isnan(y)
    if seen.all():
        return _solve(y, covariates)
    coefficients = np.zeros((covariates.shape[1], y.shape[1]))
    for j, rows in enumerate(seen.T):
        if rows.any():
            coefficients[:, j] = _solve(y[rows, j : j + 1], covariates[rows])[:, 0]
    return coefficients


def _solve(y: np.ndarray, covariates: np.ndarray) -> np.ndarray:
    centred = covariates - covariates.mean(axis=0)
    return np.linalg.lstsq(centred, y - y.mean(axis=0), rcond=_LEAST)[0]
