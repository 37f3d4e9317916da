"""From a trained model to its integer twin."""

from .model import integer_model

__all__ = ["integer_model"]
