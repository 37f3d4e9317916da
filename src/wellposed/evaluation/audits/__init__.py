"""Audits of models of any library: the noise that a loss implies, and what residuals show."""

from .audit import audit
from .implied_noise import ImpliedNoise, implied_noise_variance
from .record import Audit, ScoreAtVariance

__all__ = [
    "Audit",
    "ImpliedNoise",
    "ScoreAtVariance",
    "audit",
    "implied_noise_variance",
]
