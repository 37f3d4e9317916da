"""Gaps between the ELBO and log p(x), and their causes."""

from .amortisation import amortisation_gap
from .gaps import AmortisationGap, InferenceGaps, inference_gaps

__all__ = [
    "AmortisationGap",
    "InferenceGaps",
    "amortisation_gap",
    "inference_gaps",
]
