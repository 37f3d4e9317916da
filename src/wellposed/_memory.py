"""Whether this machine can hold what a setting asks for, before any of it is allocated."""

import os
from pathlib import Path

from wellposed._errors import SettingError

_GROUP = Path("/sys/fs/cgroup/memory.max")  # of a container, on Linux


def machine_memory() -> float:
    """Bytes that this machine or container has; infinity where the system does not state it."""
    try:
        found = float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, ValueError, OSError):  # Windows has no sysconf
        return float("inf")
    try:
        return min(found, float(_GROUP.read_text()))
    except (OSError, ValueError):  # no container, or "max"
        return found


def check_memory(n_bytes: int | float, what: str, remedy: str) -> None:
    """Refuse what this machine cannot hold.

    Parameters
    ----------
    n_bytes : of all that is held at once
    what : the setting and its value, in words
    remedy : a sentence

    Raises
    ------
    SettingError
        Naming both sizes.
    """
    has = machine_memory()
    if n_bytes > has:
        raise SettingError(
            f"What a setting asks for must fit in memory; {what} needs some "
            f"{n_bytes / 2**30:.3g} GiB, and this machine has {has / 2**30:.3g} GiB. {remedy}"
        )
