"""Simpler densities, fitted to the training rows of a model, beside its log p(x)."""

from .compare import compare
from .record import Comparison, Rival

__all__ = ["Comparison", "Rival", "compare"]
