"""Noise on amounts: numbers above zero, or from zero on."""

from .gamma import Gamma
from .log_normal import LogNormal
from .zero_inflated import ZeroInflated

__all__ = [
    "Gamma",
    "LogNormal",
    "ZeroInflated",
]
