"""Noise for tables whose columns are of several kinds."""

from .columns import Columns, check_rows, is_real, placed

__all__ = [
    "Columns",
    "check_rows",
    "is_real",
    "placed",
]
