"""Variational autoencoders whose observation noise is right.

Names are imported at their first use, so that ``import wellposed`` is fast.
"""

import importlib
import os
from typing import TYPE_CHECKING

from wellposed import _forks as _forks  # detects forks after this import
from wellposed._version import __version__ as __version__

# XLA logs each slow compilation as an error with a request for a bug report; real failures raise.
# JAX reads the level when it is imported. A level set by the user stays.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

if TYPE_CHECKING:
    from wellposed import coding as coding
    from wellposed import datasets as datasets
    from wellposed import evaluation as evaluation
    from wellposed import experiments as experiments
    from wellposed import explorer as explorer
    from wellposed import hosts as hosts
    from wellposed import installation as installation
    from wellposed import latents as latents
    from wellposed import models as models
    from wellposed import nn as nn
    from wellposed import noise as noise
    from wellposed import objectives as objectives
    from wellposed import plotting as plotting
    from wellposed import reports as reports
    from wellposed import sources as sources
    from wellposed import tables as tables
    from wellposed import training as training
    from wellposed import transforms as transforms
    from wellposed._errors import ConstantFeatureWarning as ConstantFeatureWarning
    from wellposed._errors import DamagedFileError as DamagedFileError
    from wellposed._errors import DamageWarning as DamageWarning
    from wellposed._errors import DataError as DataError
    from wellposed._errors import DataHint as DataHint
    from wellposed._errors import DataWarning as DataWarning
    from wellposed._errors import DownloadError as DownloadError
    from wellposed._errors import FloorWarning as FloorWarning
    from wellposed._errors import ForkedProcessError as ForkedProcessError
    from wellposed._errors import HostsError as HostsError
    from wellposed._errors import LikelihoodWarning as LikelihoodWarning
    from wellposed._errors import OutputError as OutputError
    from wellposed._errors import ReadWarning as ReadWarning
    from wellposed._errors import SettingError as SettingError
    from wellposed._errors import TrainingWarning as TrainingWarning
    from wellposed._errors import UnboundedLikelihoodError as UnboundedLikelihoodError
    from wellposed._errors import WellposedError as WellposedError
    from wellposed._errors import WellposedWarning as WellposedWarning
    from wellposed.estimators import PPCA as PPCA
    from wellposed.estimators import VAE as VAE
    from wellposed.estimators import FactorAnalysis as FactorAnalysis
    from wellposed.estimators import GaussianImputer as GaussianImputer
    from wellposed.estimators import Grid as Grid
    from wellposed.estimators import LabelSpread as LabelSpread
    from wellposed.estimators import LinearVAE as LinearVAE
    from wellposed.estimators import MixturePPCA as MixturePPCA
    from wellposed.estimators import OutlierVAE as OutlierVAE
    from wellposed.estimators import SemiSupervisedRegressor as SemiSupervisedRegressor
    from wellposed.estimators import SemiSupervisedVAE as SemiSupervisedVAE
    from wellposed.estimators import VAEImputer as VAEImputer
    from wellposed.estimators import audit as audit
    from wellposed.estimators import compress as compress
    from wellposed.estimators import decompress as decompress
    from wellposed.estimators import diagnose as diagnose
    from wellposed.estimators import explore as explore
    from wellposed.estimators import fit_grid as fit_grid
    from wellposed.estimators import forecast as forecast
    from wellposed.estimators import from_torch as from_torch
    from wellposed.estimators import load as load
    from wellposed.estimators import model_card as model_card
    from wellposed.estimators import push_to_hub as push_to_hub
    from wellposed.estimators import rate_distortion_curve as rate_distortion_curve
    from wellposed.estimators import report as report
    from wellposed.estimators import sample_quality as sample_quality
    from wellposed.estimators import table_quality as table_quality
    from wellposed.estimators import to_torch as to_torch
    from wellposed.evaluation import implied_noise_variance as implied_noise_variance
    from wellposed.evaluation import pool as pool
    from wellposed.installation import doctor as doctor
    from wellposed.tables import Schema as Schema

_ROOMS = (
    "coding",
    "datasets",
    "evaluation",
    "experiments",
    "explorer",
    "hosts",
    "installation",
    "latents",
    "models",
    "nn",
    "noise",
    "objectives",
    "plotting",
    "reports",
    "sources",
    "tables",
    "training",
    "transforms",
)
_NAMES = {
    "FactorAnalysis": "estimators",
    "GaussianImputer": "estimators",
    "Grid": "estimators",
    "LabelSpread": "estimators",
    "LinearVAE": "estimators",
    "MixturePPCA": "estimators",
    "OutlierVAE": "estimators",
    "PPCA": "estimators",
    "Schema": "tables",
    "SemiSupervisedRegressor": "estimators",
    "SemiSupervisedVAE": "estimators",
    "VAE": "estimators",
    "VAEImputer": "estimators",
    "audit": "estimators",
    "compress": "estimators",
    "decompress": "estimators",
    "diagnose": "estimators",
    "doctor": "installation",
    "explore": "estimators",
    "fit_grid": "estimators",
    "forecast": "estimators",
    "from_torch": "estimators",
    "implied_noise_variance": "evaluation",
    "load": "estimators",
    "model_card": "estimators",
    "pool": "evaluation",
    "push_to_hub": "estimators",
    "rate_distortion_curve": "estimators",
    "report": "estimators",
    "sample_quality": "estimators",
    "table_quality": "estimators",
    "to_torch": "estimators",
    "ConstantFeatureWarning": "_errors",
    "DamageWarning": "_errors",
    "DamagedFileError": "_errors",
    "DataError": "_errors",
    "DataHint": "_errors",
    "DataWarning": "_errors",
    "DownloadError": "_errors",
    "FloorWarning": "_errors",
    "ForkedProcessError": "_errors",
    "HostsError": "_errors",
    "LikelihoodWarning": "_errors",
    "OutputError": "_errors",
    "ReadWarning": "_errors",
    "SettingError": "_errors",
    "TrainingWarning": "_errors",
    "UnboundedLikelihoodError": "_errors",
    "WellposedError": "_errors",
    "WellposedWarning": "_errors",
}
__all__ = ["__version__", *_ROOMS, *_NAMES]


def __getattr__(name: str) -> object:
    if name in _ROOMS:
        return importlib.import_module(f"wellposed.{name}")
    if name in _NAMES:
        return getattr(importlib.import_module(f"wellposed.{_NAMES[name]}"), name)
    raise AttributeError(f"module 'wellposed' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
