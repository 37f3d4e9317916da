"""What the encoder loses against the best posterior approximation."""

from .amortisation import amortisation_gap
from .gaps import AmortisationGap, InferenceGaps, inference_gaps

__all__ = [
    "AmortisationGap",
    "InferenceGaps",
    "amortisation_gap",
    "inference_gaps",
]
