"""Estimators for rows of which few have a label."""

from .calibration import LabelCalibration
from .classifier import SemiSupervisedVAE
from .diagnosis import LabelDiagnosis
from .regressor import SemiSupervisedRegressor

__all__ = ["LabelCalibration", "LabelDiagnosis", "SemiSupervisedRegressor", "SemiSupervisedVAE"]
