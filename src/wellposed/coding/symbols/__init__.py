"""Families of noise with integer parameters: symbols to frequencies and back."""

from .categorical import CategoricalSymbols
from .causal import CausalSymbols
from .constants import ConstantSymbols
from .counts import CountSymbols
from .discretized import DiscretizedSymbols
from .parts import Part, from_state
from .real import RealSymbols
from .scales import ScaleRule

__all__ = [
    "CategoricalSymbols",
    "CausalSymbols",
    "ConstantSymbols",
    "CountSymbols",
    "DiscretizedSymbols",
    "Part",
    "RealSymbols",
    "ScaleRule",
    "from_state",
]
