"""The server: from a free port to the last connection."""

import concurrent.futures
import contextlib
import errno
import importlib.util
import os
import secrets
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

from wellposed._checks import check_count
from wellposed._errors import OutputError, SettingError

from ._gate import HOST, Gate
from ._scene import Scene

_NEEDED = ("starlette", "uvicorn")
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_POLL_SECONDS = 0.2


def check_installed() -> None:
    """Raise ``SettingError`` where the packages of the extra are absent."""
    absent = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if absent:
        raise SettingError(
            f"explore needs {' and '.join(_NEEDED)}; {' and '.join(absent)} cannot be imported. "
            "Run `pip install 'wellposed[explore]'`."
        )


def serve(
    scene: Scene,
    *,
    port: int = 0,
    on_ready: Callable[[str], object] = print,
) -> None:
    """Serve the page on this machine alone, until Ctrl-C or SIGTERM.

    Parameters
    ----------
    scene : result of :func:`make_scene`
    port : 0 takes a free one
    on_ready : called with the address once it can be opened

    Raises
    ------
    SettingError
        If the packages of the extra ``explore`` are absent, or the port is out of range.
    OutputError
        If the port is taken.

    Examples
    --------
    >>> from wellposed.explorer import make_scene
    >>> serve(make_scene(vae, X, key=key))  # doctest: +SKIP
    """
    check_installed()
    with listen(port) as listener:
        gate = Gate(secrets.token_urlsafe(24), listener.getsockname()[1])
        _run(make_server(scene, gate), listener, lambda: on_ready(gate.url))


def make_server(scene: Scene, gate: Gate, **patience: Any) -> Any:
    """Build a uvicorn server of the page: ``run(sockets=[...])`` until ``should_exit``.

    ``patience`` is ``seconds`` and ``most`` of :func:`make_protocol`.
    """
    import uvicorn

    from ._app import BODY_SECONDS, make_app
    from ._patience import make_protocol

    settings: dict[str, Any] = {
        "http": make_protocol(**patience),
        "ws": "none",
        "lifespan": "off",
        "loop": "asyncio",
        "log_level": "error",
        "access_log": False,  # it would write the token to the terminal with every drag
        "server_header": False,
        "proxy_headers": False,
        # A request whose body never comes has been refused by then.
        "timeout_graceful_shutdown": BODY_SECONDS + 1,
    }
    return uvicorn.Server(uvicorn.Config(make_app(scene, gate), **settings))


def _run(server: Any, listener: socket.socket, ready: Callable[[], object]) -> None:
    """Run in a thread: a notebook's main thread already has an event loop.

    Signals then are ours, and end in a return; uvicorn would raise them again.
    """
    with concurrent.futures.ThreadPoolExecutor(1) as pool, _end_by_signals(server):
        running = pool.submit(server.run, sockets=[listener])
        try:
            ready()
            # In short waits: on Windows a signal does not end a long one.
            while not concurrent.futures.wait([running], timeout=_POLL_SECONDS).done:
                pass
        except KeyboardInterrupt:
            pass  # where signals are not ours, as in a thread of a notebook
        finally:
            server.should_exit = True
        running.result()


@contextlib.contextmanager
def _end_by_signals(server: Any) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, frame: Any) -> None:
        del frame
        if server.should_exit and number == signal.SIGINT:
            server.force_exit = True  # a second Ctrl-C does not wait
        server.should_exit = True

    before = {number: signal.signal(number, end) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def listen(port: int) -> socket.socket:
    """Listen on this machine alone; 0 takes a free port."""
    check_count("port", port, "0 takes a free one.", low=0, most=65_535)
    # asyncio sends without delay (TCP_NODELAY) only where the protocol is named; else the body
    # of each answer waits some 40 ms for the browser to acknowledge its head.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    if os.name == "posix":  # a port that was just left; elsewhere this would share it
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen()  # from here on a browser waits instead of being refused
    except OSError as error:
        listener.close()
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        raise OutputError(
            f"The port must be free, and ours to take; {port} is not ({error.strerror}). "
            "Leave --port out to take a free one."
        ) from error
    return listener
