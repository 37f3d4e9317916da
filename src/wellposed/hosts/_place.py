"""The place of this process among those of a training: address, number and id."""

import dataclasses
from collections.abc import Mapping

from wellposed._errors import HostsError

from ._schedulers import SCHEDULERS, Found, plain

MOST_PROCESSES = 1_000_000


@dataclasses.dataclass(frozen=True)
class Place:
    """The place of a process.

    Parameters
    ----------
    address : "host:port" of process 0, where the others find it
    n_processes : number of processes
    process : id of this one, from 0
    origin : what the place was read from, as messages name it

    Examples
    --------
    >>> Place("host-0:29500", n_processes=2, process=1, origin="options").process
    1
    """

    address: str
    n_processes: int
    process: int
    origin: str

    def __str__(self) -> str:
        """Return the words that messages call the process by."""
        return f"process {self.process} of {self.n_processes}"


def find_place(
    environ: Mapping[str, str],
    *,
    address: str | None = None,
    n_processes: int | None = None,
    process: int | None = None,
) -> Place:
    """Return the place of this process, from what is given and from the environment.

    What is given comes first, then our own and JAX's variables, then those of the first scheduler
    that set its own: Open MPI, MPICH, SLURM, Kubernetes. Each of the three parts may come from
    another of them.

    Parameters
    ----------
    environ : variables of the environment
    address : "host:port" of process 0
    n_processes : number of processes
    process : id of this one, from 0

    Raises
    ------
    HostsError
        If one of the three is missing, or is no address or number; the message names it, and the
        variable to set.

    Examples
    --------
    >>> slurm = {"SLURM_PROCID": "1", "SLURM_NTASKS": "2", "SLURM_JOB_ID": "7",
    ...          "SLURM_STEP_NODELIST": "node[08-09]"}
    >>> place = find_place(slurm)
    >>> place.address, str(place)
    ('node08:20007', 'process 1 of 2')
    """
    given = Found("the options", address, n_processes, process)
    answers = [given, plain(environ), *(read(environ) for read in SCHEDULERS)]
    answers = [answer for answer in answers if answer is not None]
    parts: dict[str, object] = {}
    origins: list[str] = []
    for name in ("address", "n_processes", "process"):
        for answer in answers:
            value = getattr(answer, name)
            if value is not None:
                parts[name] = value
                if answer.origin not in origins:
                    origins.append(answer.origin)
                break
    origin = " and ".join(origins)
    _check_whole(parts, origin, answers)
    place = Place(
        str(parts["address"]),
        _number("The number of processes", parts["n_processes"], origin),
        _number("The id of a process", parts["process"], origin),
        origin,
    )
    _check_range(place)
    return place


_REMEDIES = {
    "address": (
        "the address of process 0",
        "--coordinator HOST:PORT, or $JAX_COORDINATOR_ADDRESS",
    ),
    "n_processes": ("the number of processes", "--processes, or $WELLPOSED_PROCESSES"),
    "process": ("the id of this process", "--process, or $WELLPOSED_PROCESS"),
}


def _check_whole(parts: Mapping[str, object], origin: str, answers: list[Found]) -> None:
    missing = [name for name in _REMEDIES if name not in parts]
    if not missing:
        return
    hints = " ".join(answer.hint for answer in answers if answer.hint)
    lacking = " and ".join(_REMEDIES[name][0] for name in missing)
    remedy = "; ".join(_REMEDIES[name][1] for name in missing)
    found = f"found {origin or 'no variables of a scheduler'}, without {lacking}"
    raise HostsError(
        "Each process must know the address of process 0, the number of processes and its own id; "
        f"{found}. Give {remedy}. {hints}".rstrip()
    )


def _number(what: str, value: object, origin: str) -> int:
    try:
        return int(str(value))
    except ValueError as error:
        raise HostsError(
            f"{what} must be a whole number; got {value!r} from {origin}. Correct it."
        ) from error


def _check_range(place: Place) -> None:
    host, _, port = place.address.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65_536:
        raise HostsError(
            f"An address must be a host and a port; got {place.address!r} from {place.origin}. "
            "Write it as in node08:20007."
        )
    if not 1 <= place.n_processes <= MOST_PROCESSES:
        raise HostsError(
            f"The number of processes must be at least 1; got {place.n_processes} from "
            f"{place.origin}. Correct it."
        )
    if not 0 <= place.process < place.n_processes:
        raise HostsError(
            f"The id of a process must be from 0 to {place.n_processes - 1}, below the number of "
            f"processes; got {place.process} from {place.origin}. Correct it."
        )
