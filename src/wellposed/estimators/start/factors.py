"""Factor analysis for the start of a VAE, with a floor under its noise that suits the data."""

import math

import numpy as np

from wellposed import models

# Smallest noise standard deviations to choose from, as shares of the feature's. At a maximum of the
# likelihood some features often have none (Heywood cases), and from there training only overfits.
# Where columns are combinations of others, as a sum and its parts, the floor costs nats.
_SHARES = (0.05, 0.01, 0.0)
_LEAST_GAIN = 1.0  # nats a row: breast cancer gains 0.6 to 0.9, and loses more in training
_MOST_CHOSEN = 50  # features up to which the share is chosen: twelve more fits take about a second
_FEWEST_ROWS = 50
_FOLDS = 4
_ERRORS = 2  # standard errors by which a smaller share must gain
# Iterations, and the relative change at which they stop: training goes on.
_EFFORT = {"max_iter": 200, "tol": 1e-8}


def fit_factors(
    y: np.ndarray,
    k: int,
    floor: np.ndarray,
    spread: np.ndarray,
    generator: np.random.Generator,
) -> models.FactorAnalysisModel:
    """Fit a factor analysis whose noise is at least a share of each feature's spread.

    The share is 5 %, or a smaller one if log p of held-out rows gains by it, in four folds, by more
    than a nat a row and two standard errors.

    Parameters
    ----------
    y : array of shape (n, d), NaN where an entry is missing
    k : number of factors
    floor : smallest noise standard deviations of the measurement, shape (d,)
    spread : standard deviations, shape (d,)
    generator : of the folds
    """

    def fit(rows: np.ndarray, share: float) -> models.FactorAnalysisModel:
        least = np.maximum(floor, share * spread)
        covariance = covariance_of(rows, k, least)
        return models.factor_analysis(covariance, k, floor=least, **_EFFORT).model

    share, (n, d) = _SHARES[0], y.shape
    if d <= _MOST_CHOSEN and n >= _FEWEST_ROWS and not np.isnan(y).any():
        fold = generator.permutation(np.arange(n) % _FOLDS)
        held = np.zeros((len(_SHARES), n))
        for f in range(_FOLDS):
            for i, each in enumerate(_SHARES):
                held[i, fold == f] = fit(y[fold != f], each).log_density(y[fold == f])
        gain = held - held[0]
        least = np.maximum(_LEAST_GAIN, _ERRORS * gain.std(axis=1) / math.sqrt(n))
        sure = np.where(gain.mean(axis=1) > least, gain.mean(axis=1), 0.0)
        share = _SHARES[int(sure.argmax())]
    return fit(y, share)


def covariance_of(y: np.ndarray, k: int, floor: np.ndarray) -> models.Covariance:
    """Return the covariance of rows; of rows with gaps that of a factor analysis.

    Parameters
    ----------
    y : array of shape (n, d), NaN where an entry is missing
    k : number of factors
    floor : smallest noise standard deviations, shape (d,)
    """
    if np.isnan(y).any():
        fitted = models.gaps.factor_analysis(y, k, floor=floor, **_EFFORT).model
        matrix = fitted.weight @ fitted.weight.T + np.diag(fitted.noise_variance)
        return models.Covariance(fitted.mean, matrix, len(y))
    mean = y.mean(axis=0)
    n, d = y.shape
    root = (y - mean) / math.sqrt(n)
    # Of few rows only the root: a (d, d) matrix would be decomposed in its place.
    return models.Covariance(mean, root.T @ root, n, root=root if n < d else None)
