"""Diagnosis of a fitted model: its faults, their causes and their remedies."""

from .diagnose import diagnose
from .record import Diagnosis, Finding

__all__ = [
    "Diagnosis",
    "Finding",
    "diagnose",
]
