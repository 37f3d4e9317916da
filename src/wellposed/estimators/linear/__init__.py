"""Estimators of linear models: probabilistic PCA and the linear VAE."""

from .linear_vae import LinearVAE
from .ppca import PPCA

__all__ = [
    "PPCA",
    "LinearVAE",
]
