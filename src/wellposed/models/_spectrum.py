"""The second moments of the data: all that a linear Gaussian model sees of them."""

import dataclasses

import numpy as np
import scipy.linalg

from wellposed._errors import DataError


@dataclasses.dataclass(frozen=True)
class Covariance:
    """Mean and covariance (1/n) of n rows in model units, in float64.

    ``log_det`` is the mean log |det dT/dx| of the rows, in nats: added to a mean log density in
    model units, it makes one in data units.
    """

    mean: np.ndarray  # (d,)
    matrix: np.ndarray  # (d, d)
    n_rows: int
    log_det: float = 0.0

    @property
    def total_variance(self) -> float:
        """Trace: the variance summed over features."""
        return float(np.trace(self.matrix))

    @property
    def varies(self) -> np.ndarray:
        """Shape (d,): which features vary by more than the rounding of their mean."""
        return _varies(self.mean, np.diag(self.matrix))


@dataclasses.dataclass(frozen=True)
class Spectrum:
    """Eigenvalues of the covariance (1/n) of n rows in model units, falling, with eigenvectors.

    All r = min(n, d) of them, or only the first r, when ``complete`` is false; the variance that
    they leave out is still part of ``variances``.
    """

    mean: np.ndarray  # (d,)
    variances: np.ndarray  # (d,), of each feature
    eigenvalues: np.ndarray  # (r,), falling
    eigenvectors: np.ndarray  # (d, r), one a column
    n_rows: int
    log_det: float = 0.0
    complete: bool = True

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
        return _varies(self.mean, self.variances)

    @property
    def rank(self) -> int:
        """Number of eigenvalues above the rounding of the largest."""
        smallest = len(self.mean) * np.finfo(np.float64).eps * self.eigenvalues[0]
        return int(np.sum(self.eigenvalues > smallest))

    def left_over(self, n_used: int) -> float:
        """Variance outside the first ``n_used`` directions, never below zero.

        Summed from the small end where it is known: the total less the large ones would keep
        their rounding.
        """
        if self.complete:
            return float(self.eigenvalues[n_used:][::-1].sum())
        return max(self.total_variance - float(self.eigenvalues[:n_used].sum()), 0.0)


def eigendecompose(covariance: Covariance) -> Spectrum:
    """Decompose a covariance into its spectrum.

    Raises
    ------
    DataError
        If nothing varies.

    Examples
    --------
    >>> eigendecompose(Covariance(np.zeros(2), np.diag([1.0, 4.0]), n_rows=9)).eigenvalues
    array([4., 1.])
    """
    values, vectors = scipy.linalg.eigh(covariance.matrix, driver="evd")
    if not values[-1] > 0:
        raise DataError(
            f"At least one feature must vary; all {len(values)} are constant over "
            f"{covariance.n_rows} rows. There is nothing to model: check how the data were read."
        )
    return Spectrum(
        mean=covariance.mean,
        variances=np.diag(covariance.matrix).copy(),
        eigenvalues=np.maximum(values[::-1], 0.0),
        eigenvectors=oriented(vectors[:, ::-1]),
        n_rows=covariance.n_rows,
        log_det=covariance.log_det,
    )


def oriented(vectors: np.ndarray) -> np.ndarray:
    """Turn each column so that its largest entry is positive: its sign is free, and so settled."""
    largest = np.abs(vectors).argmax(axis=0)
    signs = np.sign(vectors[largest, np.arange(vectors.shape[1])])
    return vectors * np.where(signs == 0, 1.0, signs)


def _varies(mean: np.ndarray, variances: np.ndarray) -> np.ndarray:
    return variances > (100 * np.finfo(np.float64).eps * mean) ** 2
