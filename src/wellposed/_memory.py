"""Check of the memory that a setting needs, before any of it is allocated."""

import os
from pathlib import Path

from wellposed._errors import SettingError

_GROUP = Path("/sys/fs/cgroup/memory.max")  # of a container, on Linux


def machine_memory() -> float:
    """Return the bytes of this machine or container; infinity where the system gives none."""
    try:
        found = float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, ValueError, OSError):  # Windows has no sysconf
        return float("inf")
    try:
        return min(found, float(_GROUP.read_text()))
    except (OSError, ValueError):  # no container, or "max"
        return found


def check_memory(n_bytes: int | float, what: str, remedy: str) -> None:
    """Refuse a setting that needs more memory than this machine has.

    Parameters
    ----------
    n_bytes : memory that is needed at once
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
