"""Missing entries given the observed ones: conditional means, modes and draws."""

from .importance import Imputations, impute

__all__ = ["Imputations", "impute"]
