"""The linear VAE by subspace iteration, with exact maximisation over all W within the span."""

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

# Largest ratio of the filter's gains over the directions. The relative error after
# orthogonalisation is its square root times the machine's rounding, which is still small.
_GROWTH = 1e20
_MOST = 12
# No filter of the covariance separates directions whose standard deviations differ by this ratio.
_SMALLEST_RATIO = 1e-4


def subspace_iteration(
    covariance: Covariance,
    start: LinearState,
    plan: LinearPlan,
    *,
    rng: np.random.Generator,
    progress: bool | str = "auto",
) -> LinearRun[LinearVAEModel]:
    r"""Alternate two steps: filter a span, and maximise the ELBO over all W within it.

    The exact update of W multiplies its span by S. Here a polynomial in S of degree m replaces m
    such updates: Chebyshev's, small on [0, b] and steep above, where b is the smallest variance
    within the span, a tenth wider than k. Within a span with orthonormal basis Q the maximum has a
    closed form: pPCA of the small covariance QᵀSQ. About five steps reach the optimum to rounding,
    from a random start.

    Parameters
    ----------
    covariance : mean of shape (d,) and covariance S of shape (d, d) of the data
    start : whose axes are the first span
    plan : LinearPlan
    rng : draws the directions by which the span is wider than k
    progress : "auto" (on a terminal), True or False; a progress bar

    References: Zhou & Saad (2007), Chebyshev-filtered subspace iteration; the closed form,
    :func:`wellposed.models.optimum`.

    Examples
    --------
    >>> from wellposed.training.linear import LinearPlan, random_state
    >>> S = Covariance(X.mean(axis=0), np.cov(X.T, bias=True), len(X))
    >>> rng = np.random.default_rng(0)
    >>> start = random_state(S, 2, LinearPlan(), rng=rng)
    >>> subspace_iteration(S, start, LinearPlan(), rng=rng).outcome.value
    'converged'
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
        return _within(_filter(covariance.matrix, ritz), covariance), value

    def finish(ritz: Spectrum) -> LinearVAEModel:
        variance = best(ritz).noise_variance
        above = np.maximum(ritz.eigenvalues[:k] - plan.beta * variance, 0.0)
        state = LinearState(orient(ritz.eigenvectors[:, :k]), np.sqrt(above), variance)
        return state.model(covariance.mean, plan.beta)

    begin = whole or _within(np.concatenate([start.axes, extra], axis=1), covariance)
    return iterate(step, begin, plan, finish, progress, in_a_row=1)


def _whole(covariance: Covariance) -> Spectrum | None:
    """Return the spectrum of the data where no filter separates the directions, else None.

    A filter amplifies by the square of the ratio of two standard deviations, at least.
    """
    if covariance.root is None:
        return None
    values = np.linalg.svd(covariance.root, compute_uv=False)
    return eigendecompose(covariance) if values[-1] < _SMALLEST_RATIO * values[0] else None


def _within(columns: np.ndarray, covariance: Covariance) -> Spectrum:
    """Return the spectrum of the data within the span of the columns (Rayleigh-Ritz)."""
    basis = np.linalg.qr(columns)[0]
    if covariance.root is None:
        values, turn = np.linalg.eigh(basis.T @ (covariance.matrix @ basis))
    else:
        _, sizes, rows = np.linalg.svd(covariance.root @ basis, full_matrices=False)
        missing = basis.shape[1] - len(sizes)
        values, turn = np.pad(sizes, (0, missing))[::-1] ** 2, _complete(rows).T[:, ::-1]
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


def _complete(rows: np.ndarray) -> np.ndarray:
    """Complete orthonormal rows to a basis."""
    if len(rows) == rows.shape[1]:
        return rows
    rest = np.linalg.svd(rows, full_matrices=True)[2][len(rows) :]
    return np.concatenate([rows, rest])


def _filter(s: np.ndarray, ritz: Spectrum) -> np.ndarray:
    """Apply Chebyshev's polynomial of S to the span, by the three-term recurrence."""
    largest, edge = ritz.eigenvalues[0], ritz.eigenvalues[-1]
    if edge <= np.finfo(np.float64).eps * largest:
        return s @ ritz.eigenvectors  # the span contains every direction that varies
    degree = int(math.log(_GROWTH) / math.acosh(2 * largest / edge - 1 + 1e-9))
    half = edge / 2
    before, now = ritz.eigenvectors, s @ ritz.eigenvectors / half - ritz.eigenvectors
    for _ in range(min(max(degree, 2), _MOST) - 1):
        before, now = now, 2 * (s @ now / half - now) - before
    return now
