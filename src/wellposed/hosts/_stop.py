"""A training that is asked to stop: all processes end it after the same epoch."""

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from typing import Any

from ._end import leave

_asked = False


def asked(*_: object) -> bool:
    """Whether this process was asked to stop.

    A training asks after each epoch, in folds too: all of its processes end after the same one.
    """
    return _asked


def any_asked(*_: object) -> bool:
    """Whether any process was asked to stop, for loops of your own.

    Each process calls it at the same points, and has the same answer.
    """
    import jax
    import numpy as np
    from jax.experimental import multihost_utils

    if jax.process_count() == 1:
        return _asked
    return bool(np.any(multihost_utils.process_allgather(np.asarray(_asked, np.int32))))


@contextlib.contextmanager
def heeding(*numbers: signal.Signals) -> Iterator[None]:
    """Take the signals as a request to stop after this epoch; the second one ends at once."""
    global _asked
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, _ask) for number in numbers}
    try:
        yield
    finally:
        _asked = False
        for number, handler in before.items():
            signal.signal(number, handler)


def _ask(number: int, _: Any) -> None:
    global _asked
    if _asked:
        leave(128 + number)
    _asked = True
    # Not by print, which the signal may have interrupted.
    os.write(2, b"The training stops after this epoch; a second signal ends it at once.\n")
