"""Codes on a grid: the posterior's mass of a cell, and the prior's."""

from typing import Any, TypeAlias

from .grid import PLACE_BITS, Grid
from .mixture import MixturePrior
from .posterior import BITS, Posterior
from .standard import StandardPrior

Prior: TypeAlias = StandardPrior | MixturePrior

_PRIORS: dict[str, Any] = {each.kind: each for each in (StandardPrior, MixturePrior)}


def prior_from_state(state: dict[str, Any]) -> Prior:
    """Undo ``state()`` of a prior."""
    return _PRIORS[state["kind"]].from_state(state)


__all__ = [
    "BITS",
    "PLACE_BITS",
    "Grid",
    "MixturePrior",
    "Posterior",
    "Prior",
    "StandardPrior",
    "prior_from_state",
]
