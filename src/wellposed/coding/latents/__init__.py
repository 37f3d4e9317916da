"""Codes on a grid: the posterior's mass of a cell, and the prior's."""

from .grid import PLACE_BITS, Grid
from .posterior import BITS, Posterior
from .standard import StandardPrior

__all__ = ["BITS", "PLACE_BITS", "Grid", "Posterior", "StandardPrior"]
