"""Grids of trainings."""

from .fit_grid import fit_grid
from .rate_distortion import rate_distortion_curve
from .result import Grid

__all__ = [
    "Grid",
    "fit_grid",
    "rate_distortion_curve",
]
