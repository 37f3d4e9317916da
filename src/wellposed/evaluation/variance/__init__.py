"""How the variance of the data is split between latents and noise."""

from .noise_correlation import noise_correlation
from .variance_record import LinearSplit, Split, VarianceSplit
from .variance_split import variance_split

__all__ = [
    "LinearSplit",
    "Split",
    "VarianceSplit",
    "noise_correlation",
    "variance_split",
]
