"""Devices that a pass over rows is spread over: each computes whole chunks by the same program."""

import contextlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextvars import ContextVar
from typing import Any, TypeVar

import equinox as eqx
import jax

from wellposed._typing import Tree

Item = TypeVar("Item")
Made = TypeVar("Made")

_DEVICES: ContextVar[tuple[Any, ...]] = ContextVar("wellposed_devices", default=())


@contextlib.contextmanager
def spread_over(devices: Sequence[Any]) -> Iterator[None]:
    """Within the block, chunks of rows and of draws go to these devices in turn.

    A chunk is computed by the program of one device, so that results have the same bits on any
    number of devices of one kind.

    Parameters
    ----------
    devices : of this process; fewer than two leave everything on the default device

    Examples
    --------
    >>> from wellposed.evaluation import over_rows
    >>> def double(factor, x, *, key):
    ...     return factor * x.sum()
    >>> with spread_over(jax.devices()):
    ...     over_rows(double, 2.0, [[1, 2]], key=jax.random.key(0)).tolist()
    [6.0]
    """
    before = _DEVICES.set(tuple(devices))
    try:
        yield
    finally:
        _DEVICES.reset(before)


def in_turn(
    start: Callable[[Any, Item], Made], given: Tree, items: Iterable[Item]
) -> Iterator[Made]:
    """Yield ``start(given, item)`` of each item, in order, each on the next device.

    One more is started than there are devices before the first result is yielded, so that it is
    copied while the next ones are computed.

    Parameters
    ----------
    start : function that starts a computation, and does not wait for it
    given : pytree whose arrays each device gets once
    items : of any number
    """
    copies = _on_each_device(given)
    running: deque[Made] = deque()
    for i, item in enumerate(items):
        running.append(start(copies[i % len(copies)], item))
        if len(running) > len(copies):
            yield running.popleft()
    yield from running


def _on_each_device(tree: Tree) -> list[Tree]:
    devices = _DEVICES.get()
    if len(devices) < 2:
        return [tree]
    arrays, rest = eqx.partition(tree, eqx.is_array)
    return [eqx.combine(jax.device_put(arrays, device), rest) for device in devices]
