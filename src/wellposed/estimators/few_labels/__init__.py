"""Estimators for rows of which few have a label."""

from .calibration import LabelCalibration
from .classifier import SemiSupervisedVAE

__all__ = ["LabelCalibration", "SemiSupervisedVAE"]
