"""What schedulers tell a process in its environment; each reader returns None where it is absent.

Open MPI comes before SLURM: ``mpirun`` in an allocation of SLURM sees SLURM's variables too, with
one and the same id in all processes.
"""

import dataclasses
import zlib
from collections.abc import Callable, Mapping

Environ = Mapping[str, str]

_LOWEST_PORT, _PORTS = 20_000, 10_000  # below the range from which systems take ports themselves
_LOCAL = "127.0.0.1"


@dataclasses.dataclass(frozen=True)
class Found:
    """Parts of a place; None where the origin has no such part.

    Parameters
    ----------
    origin : name of the scheduler, for messages
    address, n_processes, process : as of :class:`Place`, not yet checked
    hint : how this scheduler is given what it does not tell by itself
    """

    origin: str
    address: str | None = None
    n_processes: object = None
    process: object = None
    hint: str = ""


def plain(environ: Environ) -> Found | None:
    """Read our own variables, JAX's, and those that Kubeflow sets for a process of JAX."""
    found = Found(
        "the environment",
        _first(environ, "WELLPOSED_COORDINATOR", "JAX_COORDINATOR_ADDRESS"),
        _first(environ, "WELLPOSED_PROCESSES", "JAX_NUM_PROCESSES"),
        _first(environ, "WELLPOSED_PROCESS", "JAX_PROCESS_ID", "JAX_PROCESS_INDEX"),
    )
    return found if (found.address, found.n_processes, found.process) != (None,) * 3 else None


def open_mpi(environ: Environ) -> Found | None:
    """Read what ``mpirun`` of Open MPI 4 and 5 sets."""
    process = environ.get("OMPI_COMM_WORLD_RANK")
    if process is None:
        return None
    n = environ.get("OMPI_COMM_WORLD_SIZE")
    job = environ.get("PMIX_NAMESPACE") or environ.get("OMPI_MCA_ess_base_jobid") or ""
    address = None
    if n is not None and n == environ.get("OMPI_COMM_WORLD_LOCAL_SIZE"):
        address = f"{_LOCAL}:{_port_of(job)}"
    elif "SLURM_JOB_NODELIST" in environ:
        address = _slurm_address(environ)
    hint = (
        "Open MPI does not tell the address: "
        "mpirun -x JAX_COORDINATOR_ADDRESS=FIRST_HOST:20007 wellposed ..."
    )
    return Found("Open MPI", address, n, process, hint)


def mpich(environ: Environ) -> Found | None:
    """Read what ``mpiexec`` of MPICH and Intel MPI sets."""
    process = environ.get("PMI_RANK")
    if process is None or "SLURM_PROCID" in environ:
        return None
    n = environ.get("PMI_SIZE")
    local = n is not None and n == environ.get("MPI_LOCALNRANKS")
    hint = (
        "MPICH does not tell the address: "
        "mpiexec -genv JAX_COORDINATOR_ADDRESS FIRST_HOST:20007 wellposed ..."
    )
    address = f"{_LOCAL}:{_port_of(environ.get('PMI_ID', ''))}" if local else None
    return Found("MPICH", address, n, process, hint)


def slurm(environ: Environ) -> Found | None:
    """Read what ``srun`` sets; process 0 is on the first host of the list."""
    process = environ.get("SLURM_PROCID")
    if process is None:
        return None
    n = _first(environ, "SLURM_STEP_NUM_TASKS", "SLURM_NTASKS")
    hint = "Start the command with srun, which sets SLURM_PROCID and SLURM_NTASKS."
    return Found("SLURM", _slurm_address(environ), n, process, hint)


def kubernetes(environ: Environ) -> Found | None:
    """Read the index that an indexed job has, and the variables of Kubeflow's JAXJob."""
    index = environ.get("JOB_COMPLETION_INDEX")
    old = environ.get("PROCESS_ID") if "COORDINATOR_ADDRESS" in environ else None
    if index is None and old is None:
        return None
    hint = (
        "Kubernetes tells an indexed job its index alone: set JAX_COORDINATOR_ADDRESS to "
        "JOB-0.SERVICE:20007 and WELLPOSED_PROCESSES to the completions."
    )
    if old is None:
        return Found("Kubernetes", None, None, index, hint)
    host, port = environ["COORDINATOR_ADDRESS"], environ.get("COORDINATOR_PORT", "")
    address = f"{host}:{port}" if port and ":" not in host else host
    return Found("Kubernetes", address, environ.get("NUM_PROCESSES"), old, hint)


SCHEDULERS: tuple[Callable[[Environ], Found | None], ...] = (open_mpi, mpich, slurm, kubernetes)


def first_host(nodes: str) -> str:
    """Return the first host of a list as SLURM writes it.

    Parameters
    ----------
    nodes : such as "node[08-12,20],login1"

    Examples
    --------
    >>> first_host("node[08-12,20],login1"), first_host("a1,a2"), first_host("r[1-2]n[3-4]")
    ('node08', 'a1', 'r1n3')
    """
    host, inside, skipped = "", False, False
    for character in nodes.strip():
        if character == "[":
            inside, skipped = True, False
        elif character == "]":
            inside = False
        elif inside and character in ",-":
            skipped = True
        elif not inside and character == ",":
            break
        elif not (inside and skipped):
            host += character
    return host


def _slurm_address(environ: Environ) -> str | None:
    nodes = _first(environ, "SLURM_STEP_NODELIST", "SLURM_JOB_NODELIST", "SLURM_NODELIST")
    job = _first(environ, "SLURM_JOB_ID", "SLURM_JOBID")
    if nodes is None or job is None or not job.isdecimal():
        return None
    step = environ.get("SLURM_STEP_ID", "0")
    number = int(job) + 101 * (int(step) if step.isdecimal() else 0)
    return f"{first_host(nodes)}:{_LOWEST_PORT + number % _PORTS}"


def _port_of(job: str) -> int:
    return _LOWEST_PORT + zlib.crc32(job.encode()) % _PORTS


def _first(environ: Environ, *names: str) -> str | None:
    return next((environ[name] for name in names if environ.get(name)), None)
