"""Many trainings on one set of data."""

from .chunks import at_once, fit_grid

__all__ = [
    "at_once",
    "fit_grid",
]
