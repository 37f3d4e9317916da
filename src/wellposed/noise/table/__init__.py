"""Noise for tables whose columns are of several kinds."""

from .columns import Columns

__all__ = [
    "Columns",
]
