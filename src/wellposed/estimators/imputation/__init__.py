"""Imputers with the interface of scikit-learn's."""

from .gaussian import GaussianImputer
from .vae import VAEImputer

__all__ = ["GaussianImputer", "VAEImputer"]
