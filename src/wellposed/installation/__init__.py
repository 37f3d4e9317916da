"""The installation: what it consists of, under which licences, and whether it computes well."""

from ._doctor import Checkup, doctor
from ._licences import PERMISSIVE, is_permissive, licences
from ._packages import EXTRAS
from ._self_test import Check

__all__ = ["EXTRAS", "PERMISSIVE", "Check", "Checkup", "doctor", "is_permissive", "licences"]


def __dir__() -> list[str]:
    return sorted(__all__)
