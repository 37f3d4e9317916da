"""Estimators with the interface of scikit-learn."""

from ._any_model import audit, sample_quality
from ._forecast import forecast
from ._judging import diagnose, explore, report
from ._load import load
from ._vae import VAE
from .bridges.from_torch import from_torch
from .bridges.to_torch import to_torch
from .compression import compress, decompress
from .few_labels import (
    LabelCalibration,
    LabelDiagnosis,
    LabelSpread,
    SemiSupervisedRegressor,
    SemiSupervisedVAE,
)
from .grid import Grid, fit_grid, rate_distortion_curve
from .imputation import GaussianImputer, VAEImputer
from .linear import PPCA, FactorAnalysis, LinearVAE, MixturePPCA
from .outliers import OutlierVAE, PyODOutlierVAE
from .sharing.card import model_card
from .sharing.hub import push_to_hub
from .synthetic import TableQuality, table_quality

__all__ = [
    "PPCA",
    "VAE",
    "FactorAnalysis",
    "GaussianImputer",
    "Grid",
    "LabelCalibration",
    "LabelDiagnosis",
    "LabelSpread",
    "LinearVAE",
    "MixturePPCA",
    "OutlierVAE",
    "PyODOutlierVAE",
    "SemiSupervisedRegressor",
    "SemiSupervisedVAE",
    "TableQuality",
    "VAEImputer",
    "audit",
    "compress",
    "decompress",
    "diagnose",
    "explore",
    "fit_grid",
    "forecast",
    "from_torch",
    "load",
    "model_card",
    "push_to_hub",
    "rate_distortion_curve",
    "report",
    "sample_quality",
    "table_quality",
    "to_torch",
]


def __dir__() -> list[str]:
    return sorted(__all__)
