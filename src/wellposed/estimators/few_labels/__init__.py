"""Estimators for rows of which few have a label."""

from .calibration import LabelCalibration
from .classifier import SemiSupervisedVAE
from .diagnosis import LabelDiagnosis
from .regressor import SemiSupervisedRegressor
from .spreading import LabelSpread

__all__ = [
    "LabelCalibration",
    "LabelDiagnosis",
    "LabelSpread",
    "SemiSupervisedRegressor",
    "SemiSupervisedVAE",
]
