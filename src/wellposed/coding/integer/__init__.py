"""Arithmetic that is the same on every machine: integers in float64, and tables."""

from .activation import Activation
from .curve import Curve, curve
from .network import Layer, Network

__all__ = ["Activation", "Curve", "Layer", "Network", "curve"]
