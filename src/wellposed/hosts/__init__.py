"""Processes on one host or many that train one model together.

Each runs the same program. :func:`find_place` reads address, number and id from options, SLURM,
Open MPI, Kubernetes or the environment; :func:`together` joins the processes, compares versions
and code, and ends each of them when another one is gone. docs/how-to/hosts.md has the commands.
"""

from ._agree import agree, code_digest, differences, versions
from ._end import LOST, end_process
from ._join import join
from ._launch import free_port, launch
from ._place import Place, find_place
from ._schedulers import first_host
from ._stop import any_asked, asked, heeding
from ._store import JaxStore, Store
from ._together import agree_on, is_loss, together
from ._watch import Watch, beat, rest

__all__ = [
    "LOST",
    "JaxStore",
    "Place",
    "Store",
    "Watch",
    "agree",
    "agree_on",
    "any_asked",
    "asked",
    "beat",
    "code_digest",
    "differences",
    "end_process",
    "find_place",
    "first_host",
    "free_port",
    "heeding",
    "is_loss",
    "join",
    "launch",
    "rest",
    "together",
    "versions",
]


def __dir__() -> list[str]:
    return sorted(__all__)
