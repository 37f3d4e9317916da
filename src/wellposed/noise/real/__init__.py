"""Noise on the real line."""

from .gaussian import Gaussian
from .laplace import Laplace
from .low_rank import LowRankGaussian
from .quantile import Quantile
from .rescaled import Rescaled
from .student_t import StudentT

__all__ = [
    "Gaussian",
    "Laplace",
    "LowRankGaussian",
    "Quantile",
    "Rescaled",
    "StudentT",
]
