"""Imputers with the interface of scikit-learn's."""

from .gaussian import GaussianImputer

__all__ = ["GaussianImputer"]
