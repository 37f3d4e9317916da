"""Several trainings on the same data."""

from .chunks import fit_grid, resolve_together

__all__ = [
    "fit_grid",
    "resolve_together",
]
