"""Noise of data with missing and censored entries: what is known of y, and of why."""

from .abstract import AbstractMissing, Fill
from .censored import Censored
from .clipped import Clipped
from .ignorable import Ignorable
from .limits import End, Limits
from .observed import Observed
from .self_masked import SelfMasked
from .self_masking import Direction, SelfMasking

__all__ = [
    "AbstractMissing",
    "Censored",
    "Clipped",
    "Direction",
    "End",
    "Fill",
    "Ignorable",
    "Limits",
    "Observed",
    "SelfMasked",
    "SelfMasking",
]
