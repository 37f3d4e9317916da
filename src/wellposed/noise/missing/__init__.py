"""Noise of data with missing entries: what is known of y, and of why entries are missing."""

from .abstract import AbstractMissing, Fill
from .ignorable import Ignorable
from .observed import Observed
from .self_masked import SelfMasked
from .self_masking import Direction, SelfMasking

__all__ = [
    "AbstractMissing",
    "Direction",
    "Fill",
    "Ignorable",
    "Observed",
    "SelfMasked",
    "SelfMasking",
]
