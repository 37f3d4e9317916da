"""Predictive checks: calibration, coverage, scores of the predictive distribution."""

from .calibration import Calibration, calibration
from .coverage import Coverage, coverage
from .crps import CRPS
from .pool import Pooled, pool
from .recalibration import Recalibration, recalibrate

__all__ = [
    "CRPS",
    "Calibration",
    "Coverage",
    "Pooled",
    "Recalibration",
    "calibration",
    "coverage",
    "pool",
    "recalibrate",
]
