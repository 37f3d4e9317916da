"""Noise of data with missing entries: what p(y | z) is of the entries that were observed."""

from .ignorable import Fill, Ignorable
from .observed import Observed

__all__ = ["Fill", "Ignorable", "Observed"]
