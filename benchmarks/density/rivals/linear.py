"""One Gaussian, pPCA and factor analysis."""

from typing import Any

import numpy as np
from scipy.linalg import cholesky, solve_triangular
from sklearn.covariance import ledoit_wolf
from sklearn.decomposition import FactorAnalysis

import wellposed as wp

from .fitted import Fit, Fitted, LogDensity, by_validation, on_standardised

_WIDE, _FEW = 300, 50  # columns above which factor analysis has at most 50 latents


@on_standardised
def gaussian(train: np.ndarray, _folds: int) -> Fitted:
    """Mean and covariance in closed form; shrunk where the covariance is singular."""
    covariance = np.cov(train.T, bias=True)
    least, most = np.linalg.eigvalsh(covariance)[[0, -1]]
    if len(train) > train.shape[1] and least > len(covariance) * np.finfo(float).eps * most:
        return Fitted(_normal(train.mean(axis=0), covariance), "sample covariance")
    shrunk, intensity = ledoit_wolf(train)
    return Fitted(_normal(train.mean(axis=0), shrunk), f"Ledoit-Wolf, {intensity:.2g}")


def _normal(mean: np.ndarray, covariance: np.ndarray) -> LogDensity:
    factor = cholesky(covariance, lower=True)
    constant = np.log(np.diag(factor)).sum() + 0.5 * len(mean) * np.log(2 * np.pi)

    def log_density(rows: np.ndarray) -> np.ndarray:
        white = solve_triangular(factor, (rows - mean).T, lower=True)
        return -0.5 * (white**2).sum(axis=0) - constant

    return log_density


def latents(n: int, d: int) -> list[int]:
    """Numbers of latents to choose among: all up to ten, then fewer and fewer, and the most."""
    most = min(d - 1, 4 * n // 5 - 1)
    steps = (*range(1, 11), 13, 16, 20, 25, 32, 40, 50, 64, 100, 160)
    return sorted({k for k in steps if k < most} | {most})


@on_standardised
def ppca(train: np.ndarray, folds: int) -> Fitted:
    """pPCA, k by validation."""

    def fit(k: int) -> Fit:
        return lambda rows: wp.PPCA(k, transform="identity").fit(rows).score_samples

    return by_validation(train, {f"k = {k}": fit(k) for k in latents(*train.shape)}, folds)


@on_standardised
def factor_analysis(train: np.ndarray, folds: int) -> Fitted:
    """Factor analysis, k by validation: ours where there is one, or scikit-learn's."""
    ours: Any = getattr(wp, "FactorAnalysis", None)
    wide = train.shape[1] > _WIDE
    method = "randomized" if wide else "lapack"
    numbers = [k for k in latents(*train.shape) if not wide or k <= _FEW]

    def fit(k: int) -> Fit:
        if ours is not None:
            return lambda rows: ours(k, transform="identity").fit(rows).score_samples
        theirs = FactorAnalysis(k, svd_method=method, tol=1e-3, max_iter=2_000)
        return lambda rows: theirs.fit(rows).score_samples

    return by_validation(train, {f"k = {k}": fit(k) for k in numbers}, folds)
