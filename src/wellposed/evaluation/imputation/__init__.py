"""Missing entries given the observed ones: conditional means, levels and draws."""

from .impute import impute
from .record import Imputations

__all__ = ["Imputations", "impute"]
