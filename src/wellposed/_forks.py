"""Detection of processes that were forked after JAX had started, and cannot compute.

JAX runs threads, and a fork copies none of them: a call of JAX in the child waits for ever for a
missing thread. The first call of the library in such a child therefore raises an error.
"""

import os
import sys

from wellposed._errors import ForkedProcessError

_forked = False


def check_process() -> None:
    """Raise ``ForkedProcessError`` where this process was forked after JAX had started."""
    if _forked:
        raise ForkedProcessError(
            "A process must be started afresh to compute, since JAX's threads are not in a forked "
            f"copy; process {os.getpid()} was forked after JAX had started, and would wait for "
            'ever. Start workers with multiprocessing.get_context("spawn") or "forkserver", with '
            "joblib's loky, or before anything is computed (gunicorn without --preload; "
            'multiprocessing_context="spawn" of a torch DataLoader).'
        )


def _after_fork() -> None:
    global _forked
    _forked = _forked or _jax_has_started()


def _jax_has_started() -> bool:
    """Whether JAX has a backend, and therefore threads.

    Reads the module in which JAX keeps its backends. A call of JAX would start one, or take a lock
    that another thread had when the process was forked.
    """
    bridge = sys.modules.get("jax._src.xla_bridge")
    return bridge is not None and bool(getattr(bridge, "_backends", True))


if hasattr(os, "register_at_fork"):  # POSIX
    os.register_at_fork(after_in_child=_after_fork)
