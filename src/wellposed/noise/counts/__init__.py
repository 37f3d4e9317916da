"""Noise on counts: whole numbers without a largest one."""

from .negative_binomial import NegativeBinomial
from .poisson import Poisson

__all__ = [
    "NegativeBinomial",
    "Poisson",
]
