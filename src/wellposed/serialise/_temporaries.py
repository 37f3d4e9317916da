"""Temporary files beside an output, each marked with the process that writes it."""

import contextlib
import functools
import hashlib
import os
import re
import secrets
import socket
from pathlib import Path

# Short and of constant length: the name of the output may already be long.
_NAME = re.compile(r"\.wellposed-(?P<place>[0-9a-f]{8})-(?P<process>\d{1,10})-[0-9a-f]{8}\.tmp")


def open_beside(target: Path, mode: int) -> tuple[int, Path]:
    """Make an empty temporary file in the folder of ``target``.

    Returns
    -------
    its descriptor and its path; ``mode`` is subject to the process's umask

    Raises
    ------
    OSError
        If the folder cannot be written.
    """
    sweep(target.parent)
    name = f".wellposed-{_place()}-{os.getpid()}-{secrets.token_hex(4)}.tmp"
    path = target.parent / name
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    return os.open(path, flags, mode), path


def sweep(folder: Path) -> None:
    """Remove the temporaries of processes that have ended without removing them.

    Only files with names of this pattern, made on this machine or in this container.
    """
    if os.name != "posix":  # elsewhere the test for a process would end it
        return
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        names = [entry.name for entry in entries if entry.name.startswith(".wellposed-")]
        for name in names:
            found = _NAME.fullmatch(name)
            if found and found["place"] == _place() and not _runs(int(found["process"])):
                with contextlib.suppress(OSError):
                    os.unlink(folder / name)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


@functools.cache
def _place() -> str:
    """Digest of the host or container, within which process numbers are unique."""
    try:
        numbers = os.readlink("/proc/self/ns/pid")
    except OSError:
        numbers = ""
    return hashlib.sha256(f"{socket.gethostname()} {numbers}".encode()).hexdigest()[:8]
