"""A datum's features in groups, each of a family."""

import dataclasses
from typing import Any

import numpy as np

from .amounts import AmountSymbols, GammaSymbols, ZeroInflatedSymbols
from .beta_binomial import BetaBinomialSymbols
from .categorical import CategoricalSymbols
from .causal import CausalSymbols
from .causal_gaussian import CausalGaussianSymbols
from .composition import CompositionSymbols
from .constants import ConstantSymbols
from .counts import CountSymbols
from .discretized import DiscretizedSymbols
from .family import AnySymbols
from .low_rank import LowRankSymbols
from .real import RealSymbols
from .unit import BetaSymbols, CutSymbols

_KNOWN = (
    AmountSymbols,
    BetaBinomialSymbols,
    BetaSymbols,
    CategoricalSymbols,
    CausalGaussianSymbols,
    CausalSymbols,
    CompositionSymbols,
    ConstantSymbols,
    CountSymbols,
    CutSymbols,
    DiscretizedSymbols,
    GammaSymbols,
    LowRankSymbols,
    RealSymbols,
    ZeroInflatedSymbols,
)
_FAMILIES: dict[str, Any] = {each.kind: each for each in _KNOWN}


@dataclasses.dataclass(frozen=True)
class Part:
    """Features of one family.

    Parameters
    ----------
    family : of len(columns) features
    columns : int64, positions of its features in a row
    low : symbols that the family's zeros stand for, int64, of the length of columns
    first, last : its rows among the decoder's outputs
    """

    family: AnySymbols
    columns: np.ndarray
    low: np.ndarray
    first: int
    last: int

    def state(self) -> dict[str, Any]:
        """Return what the part is made of."""
        return {**vars(self), "family": self.family.state()}


def from_state(state: dict[str, Any]) -> Part:
    """Undo :meth:`Part.state`."""
    family = state["family"]
    return Part(**(state | {"family": _FAMILIES[family["kind"]].from_state(family)}))
