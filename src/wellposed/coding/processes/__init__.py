"""Blocks coded by processes of their own, where threads of one interpreter wait for each other."""

from .job import Job
from .pool import Processes, can_start

__all__ = ["Job", "Processes", "can_start"]


def __dir__() -> list[str]:
    return sorted(__all__)
