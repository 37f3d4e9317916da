"""Many trainings on one set of data."""

from .fit_grid import at_once, fit_grid

__all__ = [
    "at_once",
    "fit_grid",
]
