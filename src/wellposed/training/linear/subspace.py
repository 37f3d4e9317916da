"""The linear VAE by subspaces: exact maximisation over every W within a span that improves."""

import math

import numpy as np

from wellposed.models import (
    Covariance,
    LinearVAEModel,
    Spectrum,
    StationaryPoint,
    eigendecompose,
    optimum,
    orient,
)

from .plan import LinearPlan, LinearRun, LinearState, iterate

# The filter may raise the largest direction above the smallest by this much: the rounding that
# orthogonalisation then leaves is its root times the machine's, still small.
_GROWTH = 1e20
_MOST = 12
# Standard deviations this far apart are told by no filter of the covariance.
_TOLD = 1e-4


def accelerated(
    covariance: Covariance,
    start: LinearState,
    plan: LinearPlan,
    *,
    rng: np.random.Generator,
    progress: bool | str = "auto",
) -> LinearRun:
    r"""Alternate two steps: improve a span, and maximise the ELBO over all W within it.

    The exact update of W multiplies its span by S. Here a polynomial in S of degree m takes the
    place of m such updates: Chebyshev's, small on [0, b] and steep above, where b is the smallest
    variance within the span, a tenth wider than k. Within a span with orthonormal basis Q the
    maximum is closed: pPCA of the small covariance QᵀSQ. Some five steps reach the optimum to
    rounding, from a random start.

    References: Zhou & Saad (2007), Chebyshev-filtered subspace iteration; the closed form,
    :func:`wellposed.models.optimum`.
    """
    d, k = start.axes.shape
    extra = rng.normal(size=(d, min(d - k, max(10, k // 10))))

    whole = _whole(covariance)

    def best(ritz: Spectrum) -> StationaryPoint:
        return optimum(
            ritz, k, noise_variance=plan.noise_variance, beta=plan.beta, floor=plan.floor
        )

    def step(ritz: Spectrum) -> tuple[Spectrum, float]:
        point = best(ritz)
        value = point.elbo - (plan.beta - 1) * float(point.rates.sum())
        if whole is not None:
            return whole, value
        return _within(_filtered(covariance.matrix, ritz), covariance), value

    def finish(ritz: Spectrum) -> LinearVAEModel:
        variance = best(ritz).noise_variance
        above = np.maximum(ritz.eigenvalues[:k] - plan.beta * variance, 0.0)
        state = LinearState(orient(ritz.eigenvectors[:, :k]), np.sqrt(above), variance)
        return state.model(covariance.mean, plan.beta)

    begin = whole or _within(np.concatenate([start.axes, extra], axis=1), covariance)
    return iterate(step, begin, plan, finish, progress, in_a_row=1)


def _whole(covariance: Covariance) -> Spectrum | None:
    """The data's own spectrum, where no filter keeps the directions apart, else None.

    The square of the ratio of two standard deviations is what a filter multiplies by at least.
    """
    if covariance.root is None:
        return None
    values = np.linalg.svd(covariance.root, compute_uv=False)
    return eigendecompose(covariance) if values[-1] < _TOLD * values[0] else None


def _within(columns: np.ndarray, covariance: Covariance) -> Spectrum:
    """Spectrum of the data as far as the span of the columns sees it (Rayleigh-Ritz)."""
    basis = np.linalg.qr(columns)[0]
    if covariance.root is None:
        values, turn = np.linalg.eigh(basis.T @ (covariance.matrix @ basis))
    else:
        _, sizes, rows = np.linalg.svd(covariance.root @ basis, full_matrices=False)
        missing = basis.shape[1] - len(sizes)
        values, turn = np.pad(sizes, (0, missing))[::-1] ** 2, _completed(rows).T[:, ::-1]
    return Spectrum(
        mean=covariance.mean,
        variances=np.diag(covariance.matrix),
        eigenvalues=np.maximum(values[::-1], 0.0),
        eigenvectors=basis @ turn[:, ::-1],
        n_rows=covariance.n_rows,
        log_det=covariance.log_det,
        complete=columns.shape[1] == len(columns),
        rooted=covariance.root is not None,
    )


def _completed(rows: np.ndarray) -> np.ndarray:
    """Orthonormal rows and what completes them to a basis."""
    if len(rows) == rows.shape[1]:
        return rows
    rest = np.linalg.svd(rows, full_matrices=True)[2][len(rows) :]
    return np.concatenate([rows, rest])


def _filtered(s: np.ndarray, ritz: Spectrum) -> np.ndarray:
    """Chebyshev's polynomial of S on the span's vectors, in the three-term recurrence."""
    largest, edge = ritz.eigenvalues[0], ritz.eigenvalues[-1]
    if edge <= np.finfo(np.float64).eps * largest:
        return s @ ritz.eigenvectors  # the span holds all that varies
    degree = int(math.log(_GROWTH) / math.acosh(2 * largest / edge - 1 + 1e-9))
    half = edge / 2
    before, now = ritz.eigenvectors, s @ ritz.eigenvectors / half - ritz.eigenvectors
    for _ in range(min(max(degree, 2), _MOST) - 1):
        before, now = now, 2 * (s @ now / half - now) - before
    return now
