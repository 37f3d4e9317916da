"""Families of noise with integer parameters: symbols to frequencies and back."""

from .amounts import AmountSymbols, GammaSymbols, ZeroInflatedSymbols
from .beta_binomial import BetaBinomialSymbols
from .categorical import CategoricalSymbols
from .causal import CausalSymbols
from .causal_gaussian import CausalGaussianSymbols
from .composition import CompositionSymbols
from .constants import ConstantSymbols
from .counts import CountSymbols
from .discretized import DiscretizedSymbols
from .low_rank import LowRankSymbols
from .parts import Part, from_state
from .real import RealSymbols
from .scales import ScaleRule
from .unit import BetaSymbols, CutSymbols

__all__ = [
    "AmountSymbols",
    "BetaBinomialSymbols",
    "BetaSymbols",
    "CategoricalSymbols",
    "CausalGaussianSymbols",
    "CausalSymbols",
    "CompositionSymbols",
    "ConstantSymbols",
    "CountSymbols",
    "CutSymbols",
    "DiscretizedSymbols",
    "GammaSymbols",
    "LowRankSymbols",
    "Part",
    "RealSymbols",
    "ScaleRule",
    "ZeroInflatedSymbols",
    "from_state",
]
