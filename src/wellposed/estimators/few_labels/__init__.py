"""Estimators for rows of which few have a label."""

from .calibration import LabelCalibration
from .classifier import SemiSupervisedVAE
from .regressor import SemiSupervisedRegressor

__all__ = ["LabelCalibration", "SemiSupervisedRegressor", "SemiSupervisedVAE"]
