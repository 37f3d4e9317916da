"""The end of a process that cannot go on with the others, and its message."""

import contextlib
import os
import sys
from collections.abc import Callable

from wellposed._text import paragraph

LOST = 75
"""Exit code of a process that lost another one: the same command may succeed if started again.

It is EX_TEMPFAIL of sysexits.h.
"""

End = Callable[[str], object]


def end_process(message: str, code: int = LOST) -> None:
    """Write a message to stderr, and end this process at once.

    Nothing else runs: at a usual exit JAX would wait, up to minutes, for processes that are gone.
    """
    with contextlib.suppress(Exception):
        print(f"error: {paragraph(message)}", file=sys.stderr)
    leave(code)


def leave(code: int) -> None:
    """End this process at once; what was printed is written."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
    os._exit(code)
