"""Several processes on this host, their output, and their end."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, Any

from wellposed._errors import HostsError

from ._end import LOST

_POLL = 0.05
_GRACE = 8.0  # seconds for the others to end by themselves, with messages of their own
_FORWARDED = (signal.SIGINT, signal.SIGTERM)
_KILL = getattr(signal, "SIGKILL", signal.SIGTERM)
# Asks Linux to end the program with its parent (PR_SET_PDEATHSIG), and becomes the program. Not
# between fork and exec, since a fork is not safe in a process that JAX runs threads in.
_WITH_PARENT = (
    "import ctypes, os, signal, sys; ctypes.CDLL(None).prctl(1, int(signal.SIGKILL)); "
    "os.execvp(sys.argv[1], sys.argv[1:])"
)


def free_port() -> int:
    """Return a port of this host that no program has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def launch(
    command: Sequence[str],
    n: int,
    *,
    environ: Mapping[str, str] | None = None,
    grace: float = _GRACE,
) -> int:
    """Run a command in ``n`` processes on this host, and return the exit code.

    Each line that they print is printed with the id of its process. SIGINT and SIGTERM are passed
    on. If a process fails, the others have some seconds to end, and are then killed.

    Parameters
    ----------
    command : program and arguments
    n : number of processes
    environ : variables of the environment; None: those of this process
    grace : seconds from the first failure until the others are killed

    Returns
    -------
    code : 0 if all succeed; else that of the first that failed, and 75 only if no process failed of
        itself. A process that a signal ended has 128 and the number of the signal

    Raises
    ------
    HostsError
        If the program is not found.

    Examples
    --------
    >>> launch([sys.executable, "-c", "raise SystemExit(3)"], 2)
    3
    """
    shared = dict(os.environ if environ is None else environ)
    _check_program(command[0], shared.get("PATH"))
    shared |= {
        "WELLPOSED_COORDINATOR": f"127.0.0.1:{free_port()}",
        "WELLPOSED_PROCESSES": str(n),
        "PYTHONUNBUFFERED": "1",
    }
    children: list[subprocess.Popen] = []
    with _passing_on(children):
        try:
            for i in range(n):
                own = shared | {"WELLPOSED_PROCESS": str(i)}
                children.append(_start(command, own))
            writers = [thread for i, child in enumerate(children) for thread in _forward(i, child)]
            codes = _wait(children, grace)
        finally:
            for child in children:
                if child.poll() is None:
                    _signal(child, _KILL)
                    child.wait()
        for thread in writers:
            thread.join(grace)
    return _code(codes)


def _check_program(name: str, path: str | None) -> None:
    if shutil.which(name, path=path) is None:
        raise HostsError(
            f"A command must begin with a program that is on the path; got {name!r}. Give its "
            "whole path."
        )


def _start(command: Sequence[str], environ: Mapping[str, str]) -> subprocess.Popen:
    # A group of its own: a terminal's Ctrl-C would reach it directly, and again from us.
    linux = sys.platform == "linux"
    return subprocess.Popen(
        [*([sys.executable, "-S", "-c", _WITH_PARENT] if linux else []), *command],
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        process_group=0 if os.name == "posix" else None,
    )


def _signal(child: subprocess.Popen, number: int) -> None:
    """Send a signal to a child and what it started; a console of Windows sends Ctrl-C itself."""
    if os.name == "posix":
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, number)
    elif number != signal.SIGINT:
        child.terminate()


def _forward(i: int, child: subprocess.Popen) -> list[threading.Thread]:
    threads = []
    for pipe, stream in ((child.stdout, sys.stdout), (child.stderr, sys.stderr)):
        assert pipe is not None
        thread = threading.Thread(target=_copy, args=(f"[{i}] ", pipe, stream), daemon=True)
        thread.start()
        threads.append(thread)
    return threads


def _copy(prefix: str, pipe: IO[bytes], stream: IO[str]) -> None:
    with pipe:
        for line in pipe:
            text = line.decode(errors="backslashreplace").rstrip("\r\n")
            with contextlib.suppress(OSError, ValueError):  # the reader of our output has gone
                stream.write(f"{prefix}{text}\n")
                stream.flush()


@contextlib.contextmanager
def _passing_on(children: list[subprocess.Popen]) -> Iterator[None]:
    """Pass signals on to the children until the end of the block."""

    def pass_on(number: int, _: Any) -> None:
        for child in children:
            if child.poll() is None:
                _signal(child, number)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, pass_on) for number in _FORWARDED}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _wait(children: Sequence[subprocess.Popen], grace: float) -> list[tuple[int, int]]:
    """Return the ids and codes of the children in the order in which they ended."""
    ended: list[tuple[int, int]] = []
    running = set(range(len(children)))
    failed: float | None = None
    while running:
        for i in sorted(running):
            code = children[i].poll()
            if code is None:
                continue
            running.remove(i)
            ended.append((i, code))
            if code:
                print(f"[{i}] {_how(code)}", file=sys.stderr, flush=True)
                failed = failed or time.monotonic()
        if failed is not None and time.monotonic() - failed > grace:
            for i in running:
                _signal(children[i], _KILL)
        time.sleep(_POLL)
    return ended


def _how(code: int) -> str:
    if code > 0:
        return f"ended with code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"


def _code(ended: Sequence[tuple[int, int]]) -> int:
    failures = [128 - code if code < 0 else code for _, code in ended if code]
    own = [code for code in failures if code != LOST]
    return (own or failures or [0])[0]
