"""Estimates of log p(x), exact where the model allows it."""

from .ais import STARTS, AISEstimate, ais
from .automatic import METHODS, estimate_log_likelihood
from .exact import exact_log_likelihood, has_exact_log_likelihood
from .importance import LogLikelihood, log_likelihood
from .iwae import Bound, iwae
from .pareto_k import pareto_k
from .posterior_predictive import PosteriorPredictive, posterior_predictive
from .sandwich import Sandwich, sandwich

__all__ = [
    "METHODS",
    "STARTS",
    "AISEstimate",
    "Bound",
    "LogLikelihood",
    "PosteriorPredictive",
    "Sandwich",
    "ais",
    "estimate_log_likelihood",
    "exact_log_likelihood",
    "has_exact_log_likelihood",
    "iwae",
    "log_likelihood",
    "pareto_k",
    "posterior_predictive",
    "sandwich",
]
