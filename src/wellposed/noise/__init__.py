"""Noise models p(x | z): how a decoder's output becomes a distribution over the data.

Families of numbers on the real line, on [0, 1], on amounts, on levels and on counts; ``Columns``
for tables of several kinds. :mod:`wellposed.noise.parts` has the parts of a new family.
"""

from ._resolve import FAMILIES, resolve
from .causal import CausalGaussian, CausalLogistic
from .counts import NegativeBinomial, Poisson
from .levels import (
    Bernoulli,
    BetaBinomial,
    Categorical,
    DiscretizedGaussian,
    DiscretizedLogistic,
)
from .missing import Censored, Ignorable, SelfMasking
from .parts import AbstractNoise
from .positive import Gamma, LogNormal, ZeroInflated
from .real import Gaussian, Laplace, LowRankGaussian, Quantile, Rescaled, StudentT
from .table import Columns
from .unit import Beta, ContinuousBernoulli, TruncatedNormal

__all__ = [
    "FAMILIES",
    "AbstractNoise",
    "Bernoulli",
    "Beta",
    "BetaBinomial",
    "Categorical",
    "CausalGaussian",
    "CausalLogistic",
    "Censored",
    "Columns",
    "ContinuousBernoulli",
    "DiscretizedGaussian",
    "DiscretizedLogistic",
    "Gamma",
    "Gaussian",
    "Ignorable",
    "Laplace",
    "LogNormal",
    "LowRankGaussian",
    "NegativeBinomial",
    "Poisson",
    "Quantile",
    "Rescaled",
    "SelfMasking",
    "StudentT",
    "TruncatedNormal",
    "ZeroInflated",
    "resolve",
]


def __dir__() -> list[str]:
    """List the public names."""
    return __all__
