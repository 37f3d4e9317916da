"""Diagnosis of a fitted model: which part of it fails, why, and what to change."""

from .diagnose import diagnose
from .record import Diagnosis, Finding

__all__ = [
    "Diagnosis",
    "Finding",
    "diagnose",
]
