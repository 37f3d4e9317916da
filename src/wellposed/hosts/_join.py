"""Joining: the processes find each other through JAX's own service, or say who is missing."""

import errno
import ipaddress
import logging
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from wellposed._errors import HostsError

from ._end import End, end_process
from ._place import Place

JOIN_TIMEOUT = 60.0
HEARTBEAT = 30.0
_LATER = 15  # seconds by which JAX, which ends a process without our message, waits longer
_SHUTDOWN = 600  # seconds until all have left: one may have more to compute and to write


def join(
    place: Place,
    *,
    timeout: float = JOIN_TIMEOUT,
    heartbeat: float = HEARTBEAT,
    end: End = end_process,
) -> None:
    """Join the other processes; return when all have come.

    Process 0 listens at its own address only. Nothing is encrypted and nobody is asked for a
    password: the network has to be trusted. On CPUs, sums over processes go through Gloo.

    Parameters
    ----------
    place : of this process
    timeout : seconds within which all must come; otherwise this process ends
    heartbeat : seconds of silence after which a process counts as gone
    end : what ends the process

    Raises
    ------
    HostsError
        If something was computed before, or the port of process 0 cannot be opened.

    Examples
    --------
    >>> from wellposed.hosts import find_place
    >>> join(find_place())  # doctest: +SKIP
    """
    import jax

    listens_at = _check_port(place, patience=timeout / 2) if place.process == 0 else place.address
    print(
        f"{place} on {socket.gethostname()} joins at {place.address} (from {place.origin})",
        file=sys.stderr,
        flush=True,
    )
    logging.getLogger("jax._src.distributed").setLevel(logging.ERROR)
    jax.config.update("jax_cpu_collectives_implementation", "gloo")
    with _limit(place, timeout, end):
        try:
            jax.distributed.initialize(
                place.address,
                place.n_processes,
                place.process,
                cluster_detection_method="deactivate",
                initialization_timeout=round(timeout) + _LATER,
                heartbeat_timeout_seconds=round(heartbeat) + _LATER,
                shutdown_timeout_seconds=_SHUTDOWN,
                coordinator_bind_address=listens_at,
            )
        except RuntimeError as error:
            raise HostsError(_why_not(place, error)) from error


def _why_not(place: Place, error: RuntimeError) -> str:
    text = str(error)
    if "before any JAX calls" in text or "only be called once" in text:
        return (
            f"Processes must join once, before anything is computed; {place} had computed before, "
            "or had joined. Join at the beginning of the program."
        )
    if "RPC server" in text:
        return _no_port(place, "the system refused")
    return f"{place} could not join at {place.address}: {text}. Check the address and the network."


def _check_port(place: Place, patience: float) -> str:
    """Return where process 0 listens: at its own address.

    A port that is taken is refused, since JAX would share it with another process 0. Where the
    system's own table gives its name to an address that other hosts do not reach, as Debian's does,
    it listens at all addresses, and a line on stderr states it.
    """
    host, _, port = place.address.rpartition(":")
    found = None
    begun = time.monotonic()
    while found is None:
        try:
            found = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)
        except OSError as error:
            # Kubernetes makes the name of a pod known some seconds after its start.
            if time.monotonic() - begun > patience:
                why = f"the name {host} was not found"
                raise HostsError(_no_port(place, why)) from error
            time.sleep(1.0)
    family, kind, _, _, target = found[0]
    with socket.socket(family, kind) as probe:
        # On Windows SO_REUSEADDR takes a port from the program that has it.
        alone = getattr(socket, "SO_EXCLUSIVEADDRUSE", socket.SO_REUSEADDR)
        probe.setsockopt(socket.SOL_SOCKET, alone, 1)
        try:
            probe.bind(target)
            probe.listen(1)
        except OSError as error:
            taken = error.errno == errno.EADDRINUSE
            why = (
                "another program has it, or another process 0 of this training runs here"
                if taken
                else f"{host} is not an address of this host"
                if error.errno == errno.EADDRNOTAVAIL
                else error.strerror or str(error)
            )
            raise HostsError(_no_port(place, why)) from error
    inward = ipaddress.ip_address(str(target[0]).partition("%")[0]).is_loopback
    if not inward or host == "localhost" or _is_address(host):
        return place.address
    print(
        f"{host} is {target[0]} on its own host: process 0 listens at all addresses of the host. "
        "Give an address that the others reach to listen there alone.",
        file=sys.stderr,
        flush=True,
    )
    return f"[::]:{port}"


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def _no_port(place: Place, why: str) -> str:
    return (
        f"Process 0 must open the port of {place.address}, where the others find it; {why}. Choose "
        "another port, or give the address of the host that process 0 runs on."
    )


@contextmanager
def _limit(place: Place, timeout: float, end: End) -> Iterator[None]:
    """End this process with a message if the others have not come in time.

    JAX itself would abort it, with a list of addresses in memory in place of a message.
    """
    joined = threading.Event()

    def wait() -> None:
        if not joined.wait(timeout):
            end(_missing(place, timeout))

    thread = threading.Thread(target=wait, name="wellposed-join", daemon=True)
    thread.start()
    try:
        yield
    finally:
        joined.set()
        thread.join()


def _missing(place: Place, timeout: float) -> str:
    if place.process:
        reason = _unreachable(place)
        if reason:
            return (
                f"{place} found no process 0 at {place.address} within {timeout:.0f} s: {reason}. "
                "Check that process 0 runs there, the port, and the firewall between the hosts."
            )
    return (
        f"All {place.n_processes} processes must come within {timeout:.0f} s; {place} waited at "
        f"{place.address} for others. Check that each was started (under SLURM with srun), with an "
        f"id of its own, and reaches that address. Number and id here are from {place.origin}."
    )


def _unreachable(place: Place) -> str | None:
    host, _, port = place.address.rpartition(":")
    try:
        with suppress(socket.timeout), socket.create_connection((host.strip("[]"), int(port)), 3.0):
            return None
    except OSError as error:
        return error.strerror or str(error)
    return "no answer"
