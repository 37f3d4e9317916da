"""Arithmetic that is the same on every machine: integers in float64, and tables."""

from .activation import Activation
from .convolution import Arranged, Convolution, Picked
from .curve import OCTAVE_BITS, Curve, curve, log_two
from .network import AnyLayer, Layer, Network

__all__ = [
    "OCTAVE_BITS",
    "Activation",
    "AnyLayer",
    "Arranged",
    "Convolution",
    "Curve",
    "Layer",
    "Network",
    "Picked",
    "curve",
    "log_two",
]
