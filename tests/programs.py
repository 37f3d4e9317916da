"""How many programs a call compiles."""

import warnings
from collections.abc import Callable

import jax

_COMPILED = "/jax/core/compile/backend_compile_duration"


def count_programs(call: Callable[[], object]) -> int:
    """Call, and return the number of XLA programs that were compiled or read from a cache."""
    seen: list[str] = []

    def listen(event: str, duration: float, **_: object) -> None:
        del duration
        if event == _COMPILED:
            seen.append(event)

    jax.monitoring.register_event_duration_secs_listener(listen)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            call()
    finally:
        jax.monitoring.unregister_event_duration_listener(listen)
    return len(seen)
