"""Families of noise with integer parameters: symbols to frequencies and back."""

from .causal import CausalSymbols
from .constants import ConstantSymbols
from .discretized import DiscretizedSymbols
from .parts import Part, from_state
from .scales import ScaleRule

__all__ = [
    "CausalSymbols",
    "ConstantSymbols",
    "DiscretizedSymbols",
    "Part",
    "ScaleRule",
    "from_state",
]
