"""The covariance of the data and its spectrum."""

from typing import Any

import numpy as np

from wellposed._errors import DataError, SettingError, unknown_name
from wellposed.models import Covariance, Spectrum, eigendecompose, varies
from wellposed.transforms import Identity

from .model_units import ModelUnits

SOLVERS = ("auto", "covariance_eigh", "full", "arpack", "randomized")

# Means this many standard deviations away cost the plain product XᵀX − nμμᵀ four digits of
# sixteen; beyond, the rows are shifted first, at the price of a copy.
_FAR = 100.0

# So many products of two numbers up to 128 add up exactly in float32: 2¹⁰ · 2⁷ · 2⁷ = 2²⁴.
_EXACT_ROWS = 1024
_BYTES = ("uint8", "int8", "bool")


# Multiplications and additions of a second or so: no more is spent where less would do.
_SMALL = 2e9
# A noise variance below this share of the largest eigenvalue has lost six digits in a covariance.
_LOST = 1e-5


def covariance(rows: np.ndarray, units: ModelUnits, *, rooted: bool | None = None) -> Covariance:
    """Accumulate mean and covariance (1/n) of rows of shape (n, d), in float64.

    Parameters
    ----------
    rows : array of shape (n, d), data units
    units : the map to model units
    rooted : take the covariance's root from the rows themselves, by orthogonal transformations:
        twice the digits, in three times the time. None does so for tables of up to 2·10⁹ n d²

    Raises
    ------
    DataError
        If nothing varies, or data are off the transform's domain.
    """
    if rooted is None:
        rooted = len(rows) * rows.shape[1] ** 2 <= _SMALL
    found = _rooted(rows, units) if rooted else _accumulated(rows, units)
    _check_varies(found.varies, len(rows))
    return found


def _accumulated(rows: np.ndarray, units: ModelUnits) -> Covariance:
    n, d = rows.shape
    if isinstance(units.transform, Identity):
        if rows.dtype.name in _BYTES:
            return _of_bytes(rows)
        if rows.dtype == np.float64 and not _shift(rows[:_EXACT_ROWS]).any():
            mean = np.ones(n) @ rows / n
            return Covariance(mean, rows.T @ rows / n - np.outer(mean, mean), n_rows=n)
    shift, product, total, log_det = None, np.zeros((d, d)), np.zeros(d), 0.0
    part = np.empty((d, d))
    for piece, log_dets in units.pieces(rows):
        if shift is None:
            shift = _shift(piece)
        if shift.any():
            piece = piece - shift
        product += np.matmul(piece.T, piece, out=part)
        total += np.ones(len(piece)) @ piece
        log_det += float(log_dets.sum())
    mean = total / n
    matrix = product / n - np.outer(mean, mean)
    return Covariance(mean + shift, matrix, n_rows=n, log_det=log_det / n)


def _rooted(rows: np.ndarray, units: ModelUnits) -> Covariance:
    """Covariance with its root: the triangle R of centred rows, piece by piece.

    A column of ones goes first: what is orthogonal to it is centred.
    """
    n, d = rows.shape
    shift, log_det = np.zeros(d), 0.0
    triangle: Any = np.zeros((0, d + 1))
    for piece, log_dets in units.pieces(rows):
        if not len(triangle):
            still = (piece == piece[0]).all(axis=0)
            shift = np.where(still, piece[0], piece.mean(axis=0))
        ones = np.ones((len(piece), 1))
        stacked = np.concatenate([triangle, np.concatenate([ones, piece - shift], axis=1)])
        triangle = np.linalg.qr(stacked, mode="r")
        log_det += float(log_dets.sum())
    mean = shift + triangle[0, 1:] / triangle[0, 0]
    root = np.zeros((min(n, d), d))
    kept = triangle[1:, 1:] / np.sqrt(n)
    root[: len(kept)] = kept
    variances = np.einsum("rd,rd->d", root, root)
    root[:, ~varies(mean, variances)] = 0.0
    return Covariance(mean, root.T @ root, n_rows=n, log_det=log_det / n, root=root)


def _check_varies(varies: np.ndarray, n: int) -> None:
    if not varies.any():
        raise DataError(
            f"At least one feature must vary by more than the rounding of its mean; all "
            f"{len(varies)} are constant over {n} rows. There is nothing to model: check how the "
            "data were read, or subtract an offset."
        )


def _of_bytes(rows: np.ndarray) -> Covariance:
    """Covariance of one-byte integers: float32 products, which are exact and twice as fast."""
    n, d = rows.shape
    middle = 128 if rows.dtype.kind == "u" else 0
    product, total, part = np.zeros((d, d)), np.zeros(d), np.empty((d, d), np.float32)
    for start in range(0, n, _EXACT_ROWS):
        piece = rows[start : start + _EXACT_ROWS].astype(np.float32)
        piece -= middle
        product += np.matmul(piece.T, piece, out=part)
        total += np.ones(len(piece), np.float32) @ piece
    # Whole numbers to here, so that nothing cancels: exact up to n = 700,000.
    matrix = (n * product - np.outer(total, total)) / n**2
    return Covariance(total / n + middle, matrix, n_rows=n)


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
    svd_solver : "covariance_eigh", "full" (all directions, from the centred rows), "arpack",
        "randomized" (the first ``n_components``); "auto" is "full", but for large tables of n ≥ d
        rows whose noise the covariance knows to ten digits
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
    n, d = rows.shape
    if svd_solver == "auto" and n >= d and n * d**2 > _SMALL:
        found = eigendecompose(covariance(rows, units, rooted=False))
        used = min(n_components or 0, d - 1)
        if found.left_over(used) > _LOST * (d - used) * found.eigenvalues[0]:
            return found
    if svd_solver in ("auto", "full"):
        return eigendecompose(covariance(rows, units, rooted=True))
    if svd_solver == "covariance_eigh":
        return eigendecompose(covariance(rows, units, rooted=False))
    return _by_scikit_learn(rows, units, n_components, svd_solver, seed)


def _by_scikit_learn(
    rows: np.ndarray, units: ModelUnits, n_components: int | None, svd_solver: str, seed: int
) -> Spectrum:
    from sklearn.decomposition import PCA  # its import takes longer than most fits

    if svd_solver == "arpack" and n_components is not None and n_components >= min(rows.shape):
        raise SettingError(
            f'svd_solver="arpack" finds fewer directions than min(n, d) = {min(rows.shape)}; got '
            f'n_components = {n_components}. Use "full".'
        )
    values, log_det = _whole(rows, units)
    variances = _variances(values)
    _check_varies(variances > 0, len(rows))
    found: Any = PCA(n_components, svd_solver=svd_solver, random_state=seed).fit(values)
    eigenvalues = found.explained_variance_ * (len(rows) - 1) / len(rows)
    spectrum = Spectrum(
        mean=found.mean_,
        variances=variances,
        eigenvalues=eigenvalues,
        eigenvectors=found.components_.T,
        n_rows=len(rows),
        log_det=log_det,
        complete=len(eigenvalues) == min(rows.shape),
    )
    _check_varies(spectrum.varies, len(rows))
    return spectrum


def _whole(rows: np.ndarray, units: ModelUnits) -> tuple[np.ndarray, float]:
    """All values, which are the rows themselves where nothing maps them, and mean log-det."""
    if isinstance(units.transform, Identity):
        return np.asarray(rows, np.float64), 0.0
    values, log_dets = units.whole(rows)
    return values, float(log_dets.mean())


def _variances(values: np.ndarray) -> np.ndarray:
    """Variance of each feature, without a copy of all."""
    n, d = values.shape
    first, second = np.zeros(d), np.zeros(d)
    shift = values.mean(axis=0)
    for start in range(0, n, _EXACT_ROWS):
        apart = values[start : start + _EXACT_ROWS] - shift
        first += apart.sum(axis=0)
        second += np.einsum("nd,nd->d", apart, apart)
    # The mean of a constant is off by the rounding of its sum: take what is left of it away.
    return np.maximum(second / n - (first / n) ** 2, 0.0)
