"""Mean, covariance and spectrum of the data, on which a linear Gaussian model depends."""

import dataclasses
from functools import cached_property
from typing import Any

import numpy as np
import scipy.linalg

from wellposed._errors import DataError

_LAPACK: Any = scipy.linalg.lapack  # its functions have no type annotations
_ROUNDING = 1e-13  # share of the largest eigenvalue of a covariance
_ROOT_ROUNDING = 50.0  # units in the last place of a singular value
_STEPS = 10.0  # error of a computed variance, in units in the last place
# Share of the largest eigenvalue below which a noise variance from a covariance lacks digits.
_FEW_DIGITS = 1e-5
_UNLIKE = 1e4  # ratio of column lengths above which Jacobi's method is used


@dataclasses.dataclass(frozen=True)
class Covariance:
    """Mean and covariance (1/n) of n rows in model units, in float64.

    Parameters
    ----------
    mean : shape (d,)
    matrix : covariance S, shape (d, d)
    n_rows : n
    log_det : mean log |det dT/dx| of the rows, nats. The mean log density in data units is that in
        model units plus ``log_det``
    root : F with FᵀF = S, shape (r, d), computed from the rows. It has twice the digits of S: if
        standard deviations are 10⁷ and one, the smaller variance is below the rounding of S

    Examples
    --------
    >>> Covariance(np.zeros(2), np.diag([4.0, 1.0]), n_rows=9).total_variance
    5.0
    """

    mean: np.ndarray
    matrix: np.ndarray
    n_rows: int
    log_det: float = 0.0
    root: np.ndarray | None = None

    @cached_property
    def factor(self) -> np.ndarray:
        """F with FᵀF = S, shape (r, d): ``root``, or else a root of ``matrix``."""
        if self.root is not None:
            return self.root
        values, vectors = scipy.linalg.eigh(self.matrix, driver="evd")
        return np.sqrt(np.maximum(values, 0.0))[:, None] * vectors.T

    @property
    def total_variance(self) -> float:
        """Trace: the variance summed over features."""
        return float(np.trace(self.matrix))

    @property
    def varies(self) -> np.ndarray:
        """Shape (d,): which features vary by more than the rounding of their mean."""
        return varies(self.mean, np.diag(self.matrix))


@dataclasses.dataclass(frozen=True)
class Spectrum:
    """Eigenvalues and eigenvectors of the covariance (1/n) of n rows in model units.

    Parameters
    ----------
    mean : shape (d,)
    variances : shape (d,), of each feature, those along missing directions included
    eigenvalues : shape (r,), in descending order
    eigenvectors : shape (d, r), one a column
    n_rows : n
    log_det : mean log |det dT/dx| of the rows, nats
    complete : whether all r = min(n, d) directions are given, or only the first r
    rooted : whether they are computed from the centred rows, not from the covariance
    condition : condition number of the centred rows with columns scaled to the same length, which
        bounds the relative error of a standard deviation for any scales of the columns; None if
        unknown

    Examples
    --------
    >>> from wellposed.models import Covariance, eigendecompose
    >>> eigendecompose(Covariance(np.zeros(2), np.diag([1.0, 4.0]), n_rows=9)).rank
    2
    """

    mean: np.ndarray
    variances: np.ndarray
    eigenvalues: np.ndarray
    eigenvectors: np.ndarray
    n_rows: int
    log_det: float = 0.0
    complete: bool = True
    rooted: bool = False
    condition: float | None = None

    @property
    def rounding(self) -> float:
        """Largest computed variance along a direction that can be only rounding."""
        if not self.rooted:
            return _ROUNDING * float(self.eigenvalues[0])
        largest = self.variances.max()
        if self.condition is not None:
            largest = self.variances[self.varies].min()
        return float(largest) * (_ROOT_ROUNDING * np.finfo(np.float64).eps) ** 2

    def relative_error(self, variance: float) -> float:
        """Approximate relative error of eigenvalues of a given size, and of their mean.

        Parameters
        ----------
        variance : size of the eigenvalues, model units²
        """
        eps = np.finfo(np.float64).eps
        ratio = float(self.eigenvalues[0]) / variance
        if not self.rooted:
            return _STEPS * eps * ratio
        bounds = [np.sqrt(ratio), *([] if self.condition is None else [self.condition])]
        return _STEPS * eps * min(bounds)

    @property
    def n_features(self) -> int:
        """Number of features, d."""
        return len(self.mean)

    @property
    def total_variance(self) -> float:
        """The variance summed over features."""
        return float(self.variances.sum())

    @property
    def varies(self) -> np.ndarray:
        """Shape (d,): which features vary by more than the rounding of their mean."""
        return varies(self.mean, self.variances)

    @property
    def rank(self) -> int:
        """Number of eigenvalues above their rounding."""
        if self.rooted:
            return int(np.sum(self.eigenvalues > self.rounding))
        smallest = len(self.mean) * np.finfo(np.float64).eps * self.eigenvalues[0]
        return int(np.sum(self.eigenvalues > smallest))

    def left_over(self, n_used: int) -> float:
        """Variance outside the first directions, ≥ 0, model units².

        If all eigenvalues are known, the small ones are summed; the total minus the large ones
        would have the rounding of the large ones.

        Parameters
        ----------
        n_used : number of the first directions
        """
        if self.complete:
            return float(self.eigenvalues[n_used:][::-1].sum())
        return max(self.total_variance - float(self.eigenvalues[:n_used].sum()), 0.0)


def eigendecompose(covariance: Covariance) -> Spectrum:
    """Decompose a covariance into its spectrum, from its root if it has one.

    Parameters
    ----------
    covariance : Covariance

    Raises
    ------
    DataError
        If no feature varies.

    Examples
    --------
    >>> eigendecompose(Covariance(np.zeros(2), np.diag([1.0, 4.0]), n_rows=9)).eigenvalues
    array([4., 1.])
    """
    given = covariance.mean, covariance.n_rows, covariance.log_det
    if covariance.root is None:
        spectrum = _by_matrix(covariance.matrix, *given)
    else:
        spectrum = _by_root(covariance.root, *given)
    if not spectrum.eigenvalues[0] > 0:
        raise constant_error(spectrum.n_features, covariance.n_rows)
    return spectrum


def weighted_spectrum(rows: np.ndarray, weights: np.ndarray, n_used: int) -> Spectrum:
    """Decompose the covariance of rows with weights; all its eigenvalues may be zero.

    Parameters
    ----------
    rows : shape (n, d), model units
    weights : shape (n,), ≥ 0; only their ratios count
    n_used : number of directions after which the variance left over must have its digits

    Examples
    --------
    >>> weighted_spectrum(np.array([[0.0], [3.0]]), np.array([2.0, 1.0]), 0).eigenvalues
    array([2.])
    """
    shares = weights / weights.sum()
    counted = shares > np.finfo(np.float64).eps * shares.max()
    rows, shares = rows[counted], shares[counted]
    # One row is near the mean, so that a mean far from zero does not round it.
    mean = rows[0] + shares @ (rows - rows[0])
    root = np.sqrt(shares)[:, None] * (rows - mean)
    if len(root) >= root.shape[1]:
        spectrum = _by_matrix(root.T @ root, mean, len(rows))
        n_used = min(n_used, len(mean) - 1)
        room = len(mean) - n_used
        if spectrum.left_over(n_used) > _FEW_DIGITS * room * spectrum.eigenvalues[0]:
            return spectrum
    return _by_root(root, mean, len(rows))


def _by_matrix(matrix: np.ndarray, mean: np.ndarray, n_rows: int, log_det: float = 0.0) -> Spectrum:
    values, vectors = scipy.linalg.eigh(matrix, driver="evd")
    return Spectrum(
        mean=mean,
        variances=np.diag(matrix).copy(),
        eigenvalues=np.maximum(values[::-1], 0.0),
        eigenvectors=orient(vectors[:, ::-1]),
        n_rows=n_rows,
        log_det=log_det,
    )


def _by_root(root: np.ndarray, mean: np.ndarray, n_rows: int, log_det: float = 0.0) -> Spectrum:
    """Spectrum by the singular values of the root; by Jacobi's method for unequal columns.

    The relative error of each singular value by Jacobi's method is proportional to the condition
    number of the columns scaled to the same length; other methods have the rounding of the largest
    singular value.

    References: Demmel & Veselić (1992); Drmač & Veselić (2008), LAPACK's xGEJSV.
    """
    lengths = np.sqrt(np.einsum("rd,rd->d", root, root))
    r, d = root.shape
    condition = None
    if r == d and lengths.max() > _UNLIKE * lengths.min(initial=np.inf, where=lengths > 0):
        values, vectors = _by_jacobi(root)
        alike = np.linalg.svd(root[:, lengths > 0] / lengths[lengths > 0], compute_uv=False)
        condition = float(alike[0] / max(alike[-1], np.finfo(np.float64).tiny))
    else:
        _, values, rows = scipy.linalg.svd(root, full_matrices=False, lapack_driver="gesdd")
        vectors = rows.T
    return Spectrum(
        mean=mean,
        variances=lengths**2,
        eigenvalues=values**2,
        eigenvectors=orient(vectors),
        n_rows=n_rows,
        log_det=log_det,
        complete=True,
        rooted=True,
        condition=condition,
    )


def _by_jacobi(root: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Singular values in descending order, and right singular vectors, one a column."""
    # joba "C": columns of any length; jobu: no left vectors; jobv: right vectors; jobr: restricted
    # range of singular values.
    values, _, vectors, work, _, info = _LAPACK.dgejsv(root, joba=0, jobu=3, jobv=0, jobr=1)
    if info != 0:
        raise np.linalg.LinAlgError(f"dgejsv did not converge (info = {info}).")
    return values * (work[0] / work[1]), vectors


def orient(vectors: np.ndarray) -> np.ndarray:
    """Choose the sign of each column so that its largest entry is positive.

    Parameters
    ----------
    vectors : array of shape (d, r), one vector a column
    """
    largest = np.abs(vectors).argmax(axis=0)
    signs = np.sign(vectors[largest, np.arange(vectors.shape[1])])
    return vectors * np.where(signs == 0, 1.0, signs)


def varies(mean: np.ndarray, variances: np.ndarray) -> np.ndarray:
    """Whether each feature varies by more than the rounding of its mean, shape (d,).

    Parameters
    ----------
    mean, variances : arrays of shape (d,)
    """
    return variances > (100 * np.finfo(np.float64).eps * mean) ** 2


def constant_error(n_features: int, n_rows: int) -> DataError:
    """Return the error that no feature varies.

    Parameters
    ----------
    n_features, n_rows : d and n
    """
    return DataError(
        f"At least one feature must vary; all {n_features} are constant over {n_rows} rows. There "
        "is nothing to model: check how the data were read."
    )
