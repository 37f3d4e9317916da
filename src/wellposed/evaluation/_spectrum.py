"""The covariance of the data and its spectrum."""

from typing import Any

import numpy as np

from wellposed._errors import DataError, unknown_name
from wellposed.models import Covariance, Spectrum, eigendecompose

from ._model_units import ModelUnits

SOLVERS = ("auto", "covariance_eigh", "full", "arpack", "randomized")

# Means this many standard deviations away cost the plain product XᵀX − nμμᵀ four digits of
# sixteen; beyond, the rows are shifted first, at the price of a copy.
_FAR = 100.0


def covariance(rows: np.ndarray, units: ModelUnits) -> Covariance:
    """Accumulate mean and covariance (1/n) of rows of shape (n, d), piece by piece in float64.

    Raises
    ------
    DataError
        If nothing varies, or data are off the transform's domain.
    """
    n, d = rows.shape
    shift, product, total, log_det = None, np.zeros((d, d)), np.zeros(d), 0.0
    for piece, log_dets in units.pieces(rows):
        if shift is None:
            shift = _shift(piece)
        if shift.any():
            piece = piece - shift
        product += piece.T @ piece
        total += piece.sum(axis=0)
        log_det += float(log_dets.sum())
    mean = total / n
    matrix = product / n - np.outer(mean, mean)
    found = Covariance(mean + shift, matrix, n_rows=n, log_det=log_det / n)
    _check_varies(found.varies, n)
    return found


def _check_varies(varies: np.ndarray, n: int) -> None:
    if not varies.any():
        raise DataError(
            f"At least one feature must vary by more than the rounding of its mean; all "
            f"{len(varies)} are constant over {n} rows. There is nothing to model: check how the "
            "data were read, or subtract an offset."
        )


def _shift(piece: np.ndarray) -> np.ndarray:
    """Zero where the data lie near it, else their rough mean."""
    mean = piece.mean(axis=0)
    far = np.abs(mean) > _FAR * piece.std(axis=0)
    return np.where(far, mean, 0.0)


def spectrum(
    rows: np.ndarray,
    units: ModelUnits,
    *,
    n_components: int | None = None,
    svd_solver: str = "auto",
    seed: int = 0,
) -> Spectrum:
    """Compute the spectrum of rows of shape (n, d), in model units and float64.

    Parameters
    ----------
    rows : array of shape (n, d), data units
    units : the map to model units
    n_components : how many directions an iterative solver finds
    svd_solver : "covariance_eigh", "full" (all directions), "arpack", "randomized" (the first
        ``n_components``); "auto" takes the covariance where n ≥ d, else "full"
    seed : of the iterative solvers' start

    Raises
    ------
    DataError
        If nothing varies, or data are off the transform's domain.
    SettingError
        For an unknown solver.
    """
    if svd_solver not in SOLVERS:
        raise unknown_name("svd_solver", svd_solver, SOLVERS)
    if svd_solver == "auto":
        svd_solver = "covariance_eigh" if len(rows) >= rows.shape[1] else "full"
    if svd_solver == "covariance_eigh":
        return eigendecompose(covariance(rows, units))
    return _by_scikit_learn(rows, units, n_components, svd_solver, seed)


def _by_scikit_learn(
    rows: np.ndarray, units: ModelUnits, n_components: int | None, svd_solver: str, seed: int
) -> Spectrum:
    from sklearn.decomposition import PCA  # its import takes longer than most fits

    values, log_det = units.whole(rows)
    # Of differences: the mean of a constant is off by the rounding of its sum.
    variances = (values - values.mean(axis=0)).var(axis=0)
    wanted = None if svd_solver == "full" else n_components
    _check_varies(variances > 0, len(rows))
    found: Any = PCA(wanted, svd_solver=svd_solver, random_state=seed).fit(values)
    per_row = (len(rows) - 1) / len(rows)
    eigenvalues = found.explained_variance_ * per_row
    spectrum = Spectrum(
        mean=found.mean_,
        variances=variances,
        eigenvalues=eigenvalues,
        eigenvectors=found.components_.T,
        n_rows=len(rows),
        log_det=float(log_det.mean()),
        complete=len(eigenvalues) == min(rows.shape),
    )
    _check_varies(spectrum.varies, len(rows))
    return spectrum
