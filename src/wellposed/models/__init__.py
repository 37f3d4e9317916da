"""Models of data with latent variables."""

from . import gaps, labelled
from ._classifier import Classifier
from ._factor_analysis import FactorAnalysis, FactorAnalysisModel, factor_analysis
from ._gaussian import GaussianModel
from ._given import at_row, covariates_of_draws, given_columns, own_columns
from ._linear_gaussian import AbstractLinearGaussian
from ._linear_vae import LinearVAEModel, inference_gap, with_best_encoder
from ._mixture_ppca import MixturePPCAModel
from ._ppca import PPCAModel
from ._reach import Reach
from ._regression import regress
from ._sampling import SAMPLERS, sample
from ._second_stage import SecondStage
from ._spectrum import Covariance, Spectrum, eigendecompose, orient, varies, weighted_spectrum
from ._stationary import StationaryPoint, are_directions, optimum, stationary_point
from ._trainable import trainable
from ._vae import Inferred, VAEModel, check_bounded, check_marginal, draw_keys

__all__ = [
    "SAMPLERS",
    "AbstractLinearGaussian",
    "Classifier",
    "Covariance",
    "FactorAnalysis",
    "FactorAnalysisModel",
    "GaussianModel",
    "Inferred",
    "LinearVAEModel",
    "MixturePPCAModel",
    "PPCAModel",
    "Reach",
    "SecondStage",
    "Spectrum",
    "StationaryPoint",
    "VAEModel",
    "are_directions",
    "at_row",
    "check_bounded",
    "check_marginal",
    "covariates_of_draws",
    "draw_keys",
    "eigendecompose",
    "factor_analysis",
    "gaps",
    "given_columns",
    "inference_gap",
    "labelled",
    "optimum",
    "orient",
    "own_columns",
    "regress",
    "sample",
    "stationary_point",
    "trainable",
    "varies",
    "weighted_spectrum",
    "with_best_encoder",
]


def __dir__() -> list[str]:
    return sorted(__all__)
