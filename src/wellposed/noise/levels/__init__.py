"""Noise on whole numbers with a largest level."""

from .bernoulli import Bernoulli
from .beta_binomial import BetaBinomial
from .categorical import Categorical
from .discretized import DiscretizedGaussian, DiscretizedLogistic

__all__ = [
    "Bernoulli",
    "BetaBinomial",
    "Categorical",
    "DiscretizedGaussian",
    "DiscretizedLogistic",
]
