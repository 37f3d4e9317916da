"""Estimates of log p(x), exact where the model allows it."""

from .annealed import STARTS, Annealed, annealed
from .automatic import METHODS, believed_log_likelihood, exactly
from .exact import exact_log_likelihood, has_exact_log_likelihood
from .importance import LogLikelihood, log_likelihood
from .iwae import Bound, iwae
from .pareto_k import pareto_k
from .posterior_predictive import PosteriorPredictive, posterior_predictive
from .sandwich import Sandwich, sandwich

__all__ = [
    "METHODS",
    "STARTS",
    "Annealed",
    "Bound",
    "LogLikelihood",
    "PosteriorPredictive",
    "Sandwich",
    "annealed",
    "believed_log_likelihood",
    "exact_log_likelihood",
    "exactly",
    "has_exact_log_likelihood",
    "iwae",
    "log_likelihood",
    "pareto_k",
    "posterior_predictive",
    "sandwich",
]
