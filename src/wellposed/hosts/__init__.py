"""Processes on one host or many that train one model together.

Each runs the same program. :func:`find_place` reads address, number and id from options, SLURM,
Open MPI, Kubernetes or the environment; :func:`together` joins the processes, compares versions
and code, and ends each of them when another one is gone. docs/how-to/hosts.md has the commands.
"""

from ._agree import agree as agree
from ._agree import code_digest as code_digest
from ._agree import differences, versions
from ._end import LOST
from ._end import end_process as end_process
from ._join import join
from ._launch import free_port as free_port
from ._launch import launch
from ._place import Place, find_place
from ._schedulers import first_host
from ._stop import any_asked as any_asked
from ._stop import asked as asked
from ._stop import heeding as heeding
from ._store import JaxStore as JaxStore
from ._store import Store as Store
from ._together import agree_on as agree_on
from ._together import is_loss as is_loss
from ._together import together
from ._watch import Watch as Watch
from ._watch import beat as beat
from ._watch import rest as rest

__all__ = [
    "LOST",
    "Place",
    "differences",
    "find_place",
    "first_host",
    "join",
    "launch",
    "together",
    "versions",
]


def __dir__() -> list[str]:
    return sorted(__all__)
