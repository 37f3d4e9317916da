"""Noise on the interval from zero to one."""

from .beta import Beta
from .continuous_bernoulli import ContinuousBernoulli
from .truncated_normal import TruncatedNormal

__all__ = [
    "Beta",
    "ContinuousBernoulli",
    "TruncatedNormal",
]
