"""Noise whose features depend on the features before them."""

from .gaussian import CausalGaussian
from .logistic import CausalLogistic

__all__ = [
    "CausalGaussian",
    "CausalLogistic",
]
