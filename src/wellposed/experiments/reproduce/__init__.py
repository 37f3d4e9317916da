"""Published tables made anew, cell by cell, with the published figure beside ours."""

from ._cells import Cell as Cell
from ._cells import Claim as Claim
from ._cells import Reproduction as Reproduction
from ._grid_table import UnfinishedError as UnfinishedError
from ._recipes import RECIPES as RECIPES
from ._recipes import reproduce as reproduce
