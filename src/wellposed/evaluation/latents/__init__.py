"""Latents: collapse, rate and distortion, and the match of the codes and the prior."""

from .codes import Codes, codes
from .collapse import Collapse, collapse, measure_collapse
from .covariate_information import CovariateInformation, Dependence, covariate_information
from .implied_kl_weight import implied_kl_weight
from .prior import draw_prior, log_prior, plotted_prior
from .prior_mismatch import PriorMismatch, prior_mismatch
from .rate_distortion import RateDistortion, rate_distortion
from .rate_distortion_curve import RateDistortionCurve, RatePoint
from .residual_spectrum import ResidualSpectrum, residual_spectrum

__all__ = [
    "Codes",
    "Collapse",
    "CovariateInformation",
    "Dependence",
    "PriorMismatch",
    "RateDistortion",
    "RateDistortionCurve",
    "RatePoint",
    "ResidualSpectrum",
    "codes",
    "collapse",
    "covariate_information",
    "draw_prior",
    "implied_kl_weight",
    "log_prior",
    "measure_collapse",
    "plotted_prior",
    "prior_mismatch",
    "rate_distortion",
    "residual_spectrum",
]
