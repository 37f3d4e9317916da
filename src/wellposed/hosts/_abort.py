"""A message where a process is aborted, as JAX's service does if another one is gone."""

import contextlib
import ctypes
import signal
import sys
from collections.abc import Iterator

from ._end import End, end_process
from ._place import Place


@contextlib.contextmanager
def explained_abort(place: Place, *, end: End = end_process) -> Iterator[None]:
    """End this process with a message and code 75 where it would be aborted.

    JAX aborts from threads of its own, and gives Python no chance to answer: only a signal handler
    of C sees it, and it does not see who aborts. Elsewhere than on Linux the process ends as JAX
    ends it.

    Parameters
    ----------
    place : of this process
    end : what ends the process
    """
    if sys.platform != "linux":
        yield
        return
    c_library = ctypes.CDLL(None)
    c_library.signal.restype, c_library.signal.argtypes = (
        ctypes.c_void_p,
        [
            ctypes.c_int,
            ctypes.c_void_p,
        ],
    )

    def answer(_: int) -> None:
        end(_message(place))

    handler = ctypes.CFUNCTYPE(None, ctypes.c_int)(answer)
    before = c_library.signal(signal.SIGABRT, ctypes.cast(handler, ctypes.c_void_p))
    try:
        yield
    finally:
        c_library.signal(signal.SIGABRT, before)


def _message(place: Place) -> str:
    return (
        f"{place} was aborted; lines above may state why. JAX's service aborts a process if one "
        "is gone or silent, or if another process came with the same id. If ids are right, start "
        "the command again on all hosts; with a checkpoint the training continues. If it is "
        "aborted again at the same point, the cause is in this process."
    )
