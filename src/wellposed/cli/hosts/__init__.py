"""Commands of several processes: the place of each in ``fit``, and ``launch``."""

from .launch import launch
from .options import Coordinator, Distributed, Process, Processes, StepTimeout
from .together import Role, joined

__all__ = [
    "Coordinator",
    "Distributed",
    "Process",
    "Processes",
    "Role",
    "StepTimeout",
    "joined",
    "launch",
]
