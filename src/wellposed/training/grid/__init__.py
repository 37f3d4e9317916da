"""Many trainings on one set of data."""

from .chunks import fit_grid, resolve_together

__all__ = [
    "fit_grid",
    "resolve_together",
]
