"""Estimators with an exact log p(x): pPCA, factor analysis, mixtures of pPCA, the linear VAE."""

from .factor_analysis import FactorAnalysis
from .linear_vae import LinearVAE
from .mixture_ppca import MixturePPCA
from .ppca import PPCA

__all__ = [
    "PPCA",
    "FactorAnalysis",
    "LinearVAE",
    "MixturePPCA",
]
