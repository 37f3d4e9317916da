"""Models of data with latent variables."""

from . import gaps, labelled
from ._classifier import Classifier
from ._factor_analysis import FactorAnalysis, FactorAnalysisModel, factor_analysis
from ._gaussian import GaussianModel
from ._given import at_row
from ._given import covariates_of_draws as covariates_of_draws
from ._given import given_columns as given_columns
from ._given import own_columns as own_columns
from ._linear_gaussian import AbstractLinearGaussian
from ._linear_vae import LinearVAEModel
from ._linear_vae import inference_gap as inference_gap
from ._linear_vae import with_best_encoder as with_best_encoder
from ._mixture_ppca import MixturePPCAModel
from ._ppca import PPCAModel
from ._reach import Reach as Reach
from ._regression import regress
from ._sampling import SAMPLERS, sample
from ._second_stage import SecondStage as SecondStage
from ._spectrum import Covariance, Spectrum, eigendecompose, weighted_spectrum
from ._spectrum import orient as orient
from ._spectrum import varies as varies
from ._stationary import StationaryPoint, optimum, stationary_point
from ._stationary import are_directions as are_directions
from ._trainable import trainable as trainable
from ._vae import Inferred as Inferred
from ._vae import VAEModel
from ._vae import check_bounded as check_bounded
from ._vae import check_marginal as check_marginal
from ._vae import draw_keys as draw_keys

__all__ = [
    "SAMPLERS",
    "AbstractLinearGaussian",
    "Classifier",
    "Covariance",
    "FactorAnalysis",
    "FactorAnalysisModel",
    "GaussianModel",
    "LinearVAEModel",
    "MixturePPCAModel",
    "PPCAModel",
    "Spectrum",
    "StationaryPoint",
    "VAEModel",
    "at_row",
    "eigendecompose",
    "factor_analysis",
    "gaps",
    "labelled",
    "optimum",
    "regress",
    "sample",
    "stationary_point",
    "weighted_spectrum",
]


def __dir__() -> list[str]:
    return sorted(__all__)
