"""The covariance of the data and its spectrum."""

from typing import Any

import numpy as np

from wellposed._errors import DataError, SettingError, unknown_name
from wellposed.models import Covariance, Spectrum, eigendecompose, varies
from wellposed.transforms import Identity

from .model_units import ModelUnits, Sliceable

SOLVERS = ("auto", "covariance_eigh", "full", "arpack", "randomized")
"""Values of ``svd_solver`` of :func:`spectrum`: how eigenvalues are computed."""

# Ratio of mean to standard deviation at which the product XᵀX − nμμᵀ loses four of sixteen digits.
# Above it the rows are shifted first, which needs a copy.
_FAR = 100.0

# Largest number of products of two numbers up to 128 whose sum is exact in float32:
# 2¹⁰ · 2⁷ · 2⁷ = 2²⁴.
_EXACT_ROWS = 1024
_BYTES = ("uint8", "int8", "bool")


# Multiplications and additions that take about a second. Above it the cheaper method is used,
# where its digits are enough.
_SMALL = 2e9
# Share of the largest eigenvalue below which a noise variance from a covariance lacks six digits.
_LOST = 1e-5


def covariance(rows: Sliceable, units: ModelUnits, *, rooted: bool | None = None) -> Covariance:
    """Accumulate mean and covariance (1/n) of rows of shape (n, d), in float64.

    Parameters
    ----------
    rows : array of shape (n, d), data units, or those of a source
    units : the map to model units
    rooted : whether to compute the root of the covariance from the rows, by orthogonal
        transformations: twice the digits, in three times the time. None does so if
        n d² ≤ 2·10⁹

    Returns
    -------
    Covariance, in model units

    Raises
    ------
    DataError
        If no feature varies, or data are outside the transform's domain.

    Examples
    --------
    >>> from wellposed.evaluation import IDENTITY
    >>> rows = np.array([[3.0, 2.0], [-3.0, -2.0], [3.0, 0.0], [-3.0, 0.0]])
    >>> covariance(rows, IDENTITY).matrix.round(9).tolist()
    [[9.0, 3.0], [3.0, 2.0]]
    """
    if rooted is None:
        rooted = len(rows) * rows.shape[1] ** 2 <= _SMALL
    result = _rooted(rows, units) if rooted else _accumulated(rows, units)
    _check_varies(result.varies, len(rows))
    return result


def _accumulated(rows: Sliceable, units: ModelUnits) -> Covariance:
    n, d = rows.shape
    if isinstance(units.transform, Identity):
        if rows.dtype.name in _BYTES:
            return _of_bytes(rows)
        if (
            isinstance(rows, np.ndarray)
            and rows.dtype == np.float64
            and not _shift(rows[:_EXACT_ROWS]).any()
        ):
            mean = np.ones(n) @ rows / n
            return Covariance(mean, rows.T @ rows / n - np.outer(mean, mean), n_rows=n)
    shift: Any = None
    product, total, log_det = np.zeros((d, d)), np.zeros(d), 0.0
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


def _rooted(rows: Sliceable, units: ModelUnits) -> Covariance:
    """Covariance with its root, the factor R of a QR decomposition of the centred rows.

    The decomposition is updated piece by piece. The first column is of ones: columns orthogonal to
    it are centred.
    """
    n, d = rows.shape
    shift, log_det = np.zeros(d), 0.0
    triangle: Any = np.zeros((0, d + 1))
    for piece, log_dets in units.pieces(rows):
        if not len(triangle):
            constant = (piece == piece[0]).all(axis=0)
            shift = np.where(constant, piece[0], piece.mean(axis=0))
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


def _of_bytes(rows: Sliceable) -> Covariance:
    """Covariance of one-byte integers: float32 products, which are exact and twice as fast."""
    n, d = rows.shape
    middle = 128 if rows.dtype.kind == "u" else 0
    product, total, part = np.zeros((d, d)), np.zeros(d), np.empty((d, d), np.float32)
    for start in range(0, n, _EXACT_ROWS):
        piece = rows[start : start + _EXACT_ROWS].astype(np.float32)
        piece -= middle
        product += np.matmul(piece.T, piece, out=part)
        total += np.ones(len(piece), np.float32) @ piece
    # All sums are whole numbers, so that the difference is exact up to n = 700,000.
    matrix = (n * product - np.outer(total, total)) / n**2
    return Covariance(total / n + middle, matrix, n_rows=n)


def _shift(piece: np.ndarray) -> np.ndarray:
    """Zero for features whose mean is near zero, else their approximate mean."""
    mean = piece.mean(axis=0)
    far = np.abs(mean) > _FAR * piece.std(axis=0)
    return np.where(far, mean, 0.0)


def spectrum(
    rows: Sliceable,
    units: ModelUnits,
    *,
    n_components: int | None = None,
    svd_solver: str = "auto",
    seed: int = 0,
) -> Spectrum:
    """Compute the spectrum of rows of shape (n, d), in model units and float64.

    Parameters
    ----------
    rows : array of shape (n, d), data units, or those of a source
    units : the map to model units
    n_components : number of directions that an iterative solver computes
    svd_solver : "covariance_eigh" and "full" (from the centred rows) compute all directions,
        "arpack" and "randomized" the first ``n_components``. "auto" is "covariance_eigh" for
        large tables of n ≥ d rows whose noise variance it gives to ten digits, else "full"
    seed : of the initial vectors of the iterative solvers

    Raises
    ------
    DataError
        If no feature varies, or data are outside the transform's domain.
    SettingError
        If the solver is unknown, or "arpack" is to compute min(n, d) directions or more; for an
        iterative solver of a source.

    Examples
    --------
    >>> from wellposed.evaluation import IDENTITY
    >>> rows = np.array([[3.0, 1.0], [-3.0, 1.0], [3.0, -1.0], [-3.0, -1.0]])
    >>> spectrum(rows, IDENTITY).eigenvalues.round(9).tolist()
    [9.0, 1.0]
    """
    if svd_solver not in SOLVERS:
        raise unknown_name("svd_solver", svd_solver, SOLVERS)
    n, d = rows.shape
    if svd_solver == "auto" and n >= d and n * d**2 > _SMALL:
        candidate = eigendecompose(covariance(rows, units, rooted=False))
        used = min(n_components or 0, d - 1)
        if candidate.left_over(used) > _LOST * (d - used) * candidate.eigenvalues[0]:
            return candidate
    if svd_solver in ("auto", "full"):
        return eigendecompose(covariance(rows, units, rooted=True))
    if svd_solver == "covariance_eigh":
        return eigendecompose(covariance(rows, units, rooted=False))
    return _by_scikit_learn(rows, units, n_components, svd_solver, seed)


def _by_scikit_learn(
    rows: Sliceable, units: ModelUnits, n_components: int | None, svd_solver: str, seed: int
) -> Spectrum:
    from sklearn.decomposition import PCA  # its import takes longer than most fits

    if not isinstance(rows, np.ndarray):
        raise SettingError(
            f'svd_solver="{svd_solver}" needs all rows in memory; got those of a source. Use '
            '"covariance_eigh", "full" or "auto", which read them in blocks.'
        )
    if svd_solver == "arpack" and n_components is not None and n_components >= min(rows.shape):
        raise SettingError(
            f'svd_solver="arpack" finds fewer directions than min(n, d) = {min(rows.shape)}; got '
            f'n_components = {n_components}. Use "full".'
        )
    values, log_det = _whole(rows, units)
    variances = _variances(values)
    _check_varies(variances > 0, len(rows))
    pca: Any = PCA(n_components, svd_solver=svd_solver, random_state=seed).fit(values)
    eigenvalues = pca.explained_variance_ * (len(rows) - 1) / len(rows)
    spectrum = Spectrum(
        mean=pca.mean_,
        variances=variances,
        eigenvalues=eigenvalues,
        eigenvectors=pca.components_.T,
        n_rows=len(rows),
        log_det=log_det,
        complete=len(eigenvalues) == min(rows.shape),
    )
    _check_varies(spectrum.varies, len(rows))
    return spectrum


def _whole(rows: np.ndarray, units: ModelUnits) -> tuple[np.ndarray, float]:
    """All values in model units, which are the rows for the identity, and the mean log-det."""
    if isinstance(units.transform, Identity):
        return np.asarray(rows, np.float64), 0.0
    values, log_dets = units.whole(rows)
    return values, float(log_dets.mean())


def _variances(values: np.ndarray) -> np.ndarray:
    """Variance of each feature, without a copy of all values."""
    n, d = values.shape
    first, second = np.zeros(d), np.zeros(d)
    shift = values.mean(axis=0)
    for start in range(0, n, _EXACT_ROWS):
        centred = values[start : start + _EXACT_ROWS] - shift
        first += centred.sum(axis=0)
        second += np.einsum("nd,nd->d", centred, centred)
    # The computed mean of a constant has the rounding of its sum: subtract the remaining mean.
    return np.maximum(second / n - (first / n) ** 2, 0.0)
