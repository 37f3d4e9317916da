"""Blocks of a file side by side, and in their order."""

import collections
import contextlib
import functools
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from threadpoolctl import threadpool_limits

from wellposed.coding import BitsBackCodec
from wellposed.coding.container import QUANTISED_VERSION, Header
from wellposed.coding.processes import Job, Processes, can_start

from .models import Plan

Item = TypeVar("Item")
Result = TypeVar("Result")
_MOST = 4  # blocks in memory at once, beside the one that is written
_WORTH_PROCESSES = 3 << 23  # bytes of rows; a process takes half a second to start


def in_order(
    work: Callable[[Item], Result], items: Iterable[Item], n: int
) -> Iterator[tuple[Item, Callable[[], Result]]]:
    """Yield each item with a function that returns ``work`` of it, or raises what that raised.

    As many threads work ahead as there are processors, at most four, each with one thread of
    linear algebra; NumPy's operations run side by side. One item, or one processor, has no thread.

    Parameters
    ----------
    work : of one item, without side effects
    items : drawn in the caller's thread
    n : number of items
    """
    n_threads = min(n, _processors(), _MOST)
    if n_threads < 2:
        for item in items:
            yield item, functools.partial(work, item)
        return
    with threadpool_limits(limits=1), contextlib.ExitStack() as stack:
        pool = ThreadPoolExecutor(n_threads)
        stack.callback(pool.shutdown, cancel_futures=True)
        ahead: collections.deque[tuple[Item, Callable[[], Result]]] = collections.deque()
        for item in items:
            ahead.append((item, pool.submit(work, item).result))
            if len(ahead) == n_threads:
                yield ahead.popleft()
        while ahead:
            yield ahead.popleft()


def processes_for(
    plan: Plan, header: Header
) -> contextlib.AbstractContextManager[Processes | None]:
    """Return processes for the threads of :func:`in_order` to ask; None where threads are faster.

    They are faster for many rows that a model codes without loss. Its operations are too short for
    threads: each waits for the interpreter. Those of the general methods are not.
    """
    n = min(header.n_blocks, _processors(), _MOST)
    large = header.n_rows * header.row_bytes >= _WORTH_PROCESSES
    lossless = header.version != QUANTISED_VERSION
    of_model = isinstance(plan.coder, BitsBackCodec) and plan.modelled is not None
    if n < 2 or not (large and lossless and of_model and can_start()):
        return contextlib.nullcontext()
    assert plan.modelled is not None
    assert plan.coder is not None
    return Processes(Job(header.groups, plan.modelled, plan.coder), n)


def _processors() -> int:
    """Number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
