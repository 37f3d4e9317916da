"""Whether a fitted model is any good, which part of it fails, why, and what to change."""

from ._diagnose import diagnose as diagnose
from ._record import Diagnosis as Diagnosis
from ._record import Finding as Finding
