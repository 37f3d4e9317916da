"""Whether a fitted model is any good, which part of it fails, why, and what to change."""

from .diagnose import diagnose as diagnose
from .record import Diagnosis as Diagnosis
from .record import Finding as Finding
