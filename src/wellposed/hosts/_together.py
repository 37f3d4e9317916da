"""What processes do together: they join, agree, and none waits for one that is gone."""

import contextlib
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping

from wellposed._errors import HostsError, WellposedError
from wellposed._text import paragraph

from ._abort import explained_abort
from ._agree import agree, versions
from ._end import LOST, end_process, leave
from ._join import HEARTBEAT, JOIN_TIMEOUT, join
from ._place import Place
from ._stop import heeding
from ._store import JaxStore
from ._watch import Watch

_MARKS = (
    "gloo",
    "nccl",
    "collective",
    "coordination",
    "distributed service",
    "connection reset",
    "connection closed",
    "barrier",
)


def report_error(error: BaseException) -> int:
    """Print the message, or the traceback; return 130 for Ctrl-C, the code of an exit, else 1."""
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    if isinstance(error, WellposedError):
        print(f"error: {paragraph(error)}", file=sys.stderr)
    else:
        traceback.print_exception(error, file=sys.stderr)
    return 130 if isinstance(error, KeyboardInterrupt) else 1


@contextlib.contextmanager
def together(
    place: Place,
    *,
    step_timeout: float | None = None,
    join_timeout: float = JOIN_TIMEOUT,
    heartbeat: float = HEARTBEAT,
    report: Callable[[BaseException], int] = report_error,
    orderly: tuple[type[BaseException], ...] = (),
) -> Iterator[Place]:
    """Join the other processes, and run a block that ends with them.

    No process waits for another that is gone. If an error leaves the block, or this process cannot
    join, or versions or code differ, it is reported, and this process and the others end at once:
    with code 75 and a message. SIGINT and SIGTERM ask the training to stop after its epoch.

    Parameters
    ----------
    place : of this process; :func:`find_place` reads it
    step_timeout : seconds for a step of the training, compilation included; None sets no limit
    join_timeout : seconds within which all processes must come
    heartbeat : seconds of silence after which a process counts as gone
    report : writes the message of an error, and returns the exit code
    orderly : exceptions that leave the block in all processes alike; they are raised

    Examples
    --------
    >>> with together(find_place()):  # doctest: +SKIP
    ...     vae.fit(X)
    """
    if place.n_processes == 1:
        with heeding(signal.SIGINT, signal.SIGTERM):
            yield place
        return
    try:
        with explained_abort(place):
            join(place, timeout=join_timeout, heartbeat=heartbeat)
    except HostsError as error:
        leave(report(error))
    watch = Watch(place, JaxStore(), step_timeout=step_timeout, heartbeat=heartbeat)
    leaving: BaseException | None = None
    with watch, explained_abort(place):
        try:
            with heeding(signal.SIGINT, signal.SIGTERM):
                agree(versions(), place, JaxStore())
                _first_sum()
                yield place
        except orderly as error:
            leaving = error
        except SystemExit as error:
            if error.code:
                _end_after(error, place, watch, report)
            leaving = error
        except BaseException as error:  # the others would wait for this process
            _end_after(error, place, watch, report)
        try:
            _leave_in_order()
        except Exception as error:
            _end_after(error, place, watch, report)
    if leaving is not None:
        raise leaving


def agree_on(facts: Mapping[str, str]) -> None:
    """Refuse a training whose facts differ between the processes that joined; see :func:`agree`.

    Parameters
    ----------
    facts : texts by name, such as settings, and digests of data
    """
    import jax

    n = jax.process_count()
    if n > 1:
        agree(facts, Place("", n, jax.process_index(), "JAX"), JaxStore())


def is_loss(error: BaseException) -> bool:
    """Whether an error says that another process, or the network, is gone.

    JAX raises ``JaxRuntimeError`` from compiled programs and ``ValueError`` from sums elsewhere.
    """
    from jax.errors import JaxRuntimeError

    if isinstance(error, WellposedError):
        return False
    text = str(error).lower()
    return isinstance(error, (JaxRuntimeError, ValueError)) and any(m in text for m in _MARKS)


def _end_after(
    error: BaseException, place: Place, watch: Watch, report: Callable[[BaseException], int]
) -> None:
    if is_loss(error):
        first = str(error).strip().splitlines()[0]
        end_process(
            f"{place} ends: another process, or the network, is gone ({first}). See the messages "
            "of the others. Start the command again on all hosts; with a checkpoint the training "
            "continues.",
            LOST,
        )
    code = report(error)
    if not isinstance(error, HostsError):  # every process has that message
        watch.tell(f"{type(error).__name__}: {error}")
    leave(code)


def _first_sum() -> None:
    """Make the first sum over all processes; Gloo prints to stdout when it connects them."""
    from jax.experimental import multihost_utils

    sys.stdout.flush()
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        multihost_utils.sync_global_devices("wellposed")
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


def _leave_in_order() -> None:
    import jax

    jax.distributed.shutdown()
