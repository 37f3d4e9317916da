"""The exact linear model of a VAE: probabilistic PCA or factor analysis in its model units."""

import numpy as np

from wellposed.models import (
    AbstractLinearGaussian,
    PPCAModel,
    Spectrum,
    VAEModel,
    factor_analysis,
    optimum,
)

from ..linear.model_units import IDENTITY
from ..linear.spectrum import covariance, spectrum

# Smallest noise standard deviation of factor analysis, as a share of the feature's: where a
# training starts, since some features often have none at a maximum of the likelihood.
_LEAST_SHARE = 0.05
_EFFORT = {"max_iter": 200, "tol": 1e-8}
# Features above which the covariance is decomposed in place of the rows, and above which only the
# leading directions are computed.
_WIDE, _WIDEST = 100, 2_000
MOST_FACTORS = 400  # features of factor analysis: of more it takes long


def has_one_variance(model: VAEModel) -> bool:
    """Whether all features of a VAE share one noise variance.

    Parameters
    ----------
    model : VAEModel
    """
    variance = model.noise.variance()
    return variance is not None and np.ndim(variance) == 0


def latents_of(model: VAEModel, rows: np.ndarray) -> int:
    """Number of latents of the linear model: those of the VAE, as far as rows and features allow.

    Parameters
    ----------
    model : VAEModel
    rows : shape (n, d), training rows
    """
    n, d = rows.shape
    return max(1, min(model.prior.k, d - 1, n - 2))


def fit_ppca(rows: np.ndarray, n_latents: int, floor: float) -> PPCAModel:
    """Fit probabilistic PCA to rows in model units.

    Parameters
    ----------
    rows : shape (n, d)
    n_latents : k
    floor : smallest noise standard deviation

    Raises
    ------
    UnboundedLikelihoodError
        If k directions have all the variance and the floor is zero.
    """
    return optimum(leading(rows, n_latents), n_latents, floor=floor).model


def leading(rows: np.ndarray, n_directions: int) -> Spectrum:
    """Return the spectrum of rows of shape (n, d), of wide ones only its first directions."""
    n, d = rows.shape
    solver = "covariance_eigh" if n >= d > _WIDE else "auto"
    if d > _WIDEST and n_directions < n:
        solver = "randomized"
    return spectrum(rows, IDENTITY, n_components=n_directions, svd_solver=solver)


def fit_factors(rows: np.ndarray, n_latents: int, floors: np.ndarray) -> AbstractLinearGaussian:
    """Fit factor analysis to rows in model units.

    Parameters
    ----------
    rows : shape (n, d)
    n_latents : k
    floors : shape (d,), smallest noise standard deviations
    """
    floors = np.maximum(floors, _LEAST_SHARE * rows.std(axis=0))
    return factor_analysis(covariance(rows, IDENTITY), n_latents, floor=floors, **_EFFORT).model
