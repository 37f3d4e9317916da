"""Entropy coding by asymmetric numeral systems, a row of the data in each lane."""

from .lanes import Lanes
from .schedule import chunk_sizes, n_lanes
from .words import random_words

__all__ = ["Lanes", "chunk_sizes", "n_lanes", "random_words"]
