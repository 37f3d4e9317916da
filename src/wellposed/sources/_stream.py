"""Work that a thread does ahead of its use."""

from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Made = TypeVar("Made")


def ahead(make: Callable[[Item], Made], items: Iterable[Item]) -> Generator[Made]:
    """Yield ``make(item)`` for each item, the next one made by a thread while one is in use.

    It is a thread and no process: on a GPU each process would take memory of the device. An error
    of ``make`` is raised where its result would have come. A generator that is closed waits for
    the call that is under way.

    Parameters
    ----------
    make : function of an item, called from one other thread
    items : of any number

    Examples
    --------
    >>> list(ahead(lambda x: 2 * x, [1, 2, 3]))
    [2, 4, 6]
    """
    pool, waiting = ThreadPoolExecutor(1, "wellposed-reader"), None
    try:
        for item in items:
            coming: Future[Made] = pool.submit(make, item)
            if waiting is not None:
                yield waiting.result()
            waiting = coming
        if waiting is not None:
            yield waiting.result()
    finally:
        pool.shutdown(cancel_futures=True)
