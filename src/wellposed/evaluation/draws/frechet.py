"""The Fréchet distance between two samples of feature vectors."""

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from wellposed._errors import DataError
from wellposed.transforms import check_finite


@dataclasses.dataclass(frozen=True, eq=False)
class Gaussian:
    """The Gaussian fitted to rows of features, in float64.

    Parameters
    ----------
    mean : shape (f,)
    covariance : shape (f, f), with n − 1 in the denominator
    """

    mean: np.ndarray
    covariance: np.ndarray

    @classmethod
    def fit(cls, rows: np.ndarray, counts: np.ndarray | None = None) -> "Gaussian":
        """Fit a Gaussian to rows.

        Parameters
        ----------
        rows : array of shape (n, f)
        counts : array of shape (n,), how often each row counts, with sum n; once by default
        """
        n = len(rows)
        mean = rows.mean(axis=0) if counts is None else counts @ rows / n
        centred = rows - mean
        weighted = centred if counts is None else centred * counts[:, None]
        return cls(mean, weighted.T @ centred / (n - 1))


def frechet_distance(a: ArrayLike, b: ArrayLike) -> float:
    r"""Squared Fréchet distance between Gaussians fitted to two samples.

    .. math:: |\mu_a - \mu_b|^2 + \mathrm{tr}\bigl(\Sigma_a + \Sigma_b
       - 2 (\Sigma_a^{1/2} \Sigma_b \Sigma_a^{1/2})^{1/2}\bigr)

    Parameters
    ----------
    a, b : arrays of shape (n, f) and (m, f), n, m ≥ 2: features of two samples, in any units

    Returns
    -------
    float, in squared units of the features. It decreases towards the distance of the distributions
    as n and m grow: compare only values of equal n and m.

    Raises
    ------
    DataError
        If the arrays are not tables of equally many finite columns, with two rows or more.

    References: Dowson & Landau (1982); Heusel et al. (2017).

    Examples
    --------
    >>> frechet_distance([[0.0], [2.0]], [[5.0], [7.0]])
    25.0
    """
    return gaussian_distance(Gaussian.fit(as_features(a)), Gaussian.fit(as_features(b, like=a)))


def gaussian_distance(a: Gaussian, b: Gaussian) -> float:
    r"""Squared Fréchet distance of two Gaussians.

    The trace term is :math:`\min_U \|\Sigma_a^{1/2} - \Sigma_b^{1/2} U\|_F^2` over orthogonal
    matrices U. This is a sum of squares, so that it is never negative and loses no digits; a
    difference of traces would lose digits for similar covariances.

    Parameters
    ----------
    a, b : Gaussians of equally many features
    """
    of_means = float(np.sum((a.mean - b.mean) ** 2))
    if np.array_equal(a.covariance, b.covariance):
        return of_means
    root_a, root_b = _root(a.covariance), _root(b.covariance)
    left, _, right = np.linalg.svd(root_b @ root_a)
    return of_means + float(np.sum((root_a - root_b @ (left @ right)) ** 2))


def _root(covariance: np.ndarray) -> np.ndarray:
    """Symmetric square root. Eigenvalues that rounding has made negative count as zero."""
    values, vectors = np.linalg.eigh(covariance)
    return (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T


def as_features(rows: ArrayLike, like: Any = None, *, least: int = 2) -> np.ndarray:
    """Check rows of features and convert them to float64.

    Parameters
    ----------
    rows : array of shape (n, f)
    like : the other sample, of shape (m, f)
    least : smallest n

    Raises
    ------
    DataError
        If the rows are not finite numbers of shape (n, f) with n ≥ ``least``, or f differs.
    """
    features = np.asarray(rows, np.float64)
    if features.ndim != 2 or len(features) < least:
        raise DataError(
            f"Features must be an array of shape (n, f) with {least} rows or more; got shape "
            f"{features.shape}. Pass one row a datum."
        )
    check_finite(features)
    if like is not None and np.shape(like)[1:] != features.shape[1:]:
        raise DataError(
            f"Both samples must have the same features; got {np.shape(like)[1:]} and "
            f"{features.shape[1:]} a row. Map both by one function."
        )
    return features
