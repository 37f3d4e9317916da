"""Reproductions of published tables: each cell shows our figure and the published one."""

from .cells import Cell, Claim, Reproduction
from .grid_table import UnfinishedError
from .recipes import RECIPES, reproduce

__all__ = ["RECIPES", "Cell", "Claim", "Reproduction", "UnfinishedError", "reproduce"]
