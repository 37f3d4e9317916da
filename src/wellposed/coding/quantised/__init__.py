"""Lossy coding: the latents on a grid, and the model's reconstruction from there."""

from .codec import QuantisedCodec
from .fineness import Finenesses
from .quantiser import Quantiser

__all__ = ["Finenesses", "QuantisedCodec", "Quantiser"]
