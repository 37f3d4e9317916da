"""Audits of models of any library: the noise variance implied by a loss, and the best one."""

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
