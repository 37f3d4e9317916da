"""Served pages, in a thread or as the users' process, and requests to them."""

import contextlib
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jax
import numpy as np

import wellposed as wp
from linear_gaussian import exact_model, rows_of
from wellposed.explorer import Scene, make_scene
from wellposed.explorer._gate import Gate
from wellposed.explorer._serve import listen, make_server

SOURCE = str(Path(wp.__file__).parents[1])


def scene(d: int, k: int, n: int = 0, *, labels: Any = None, **shown: Any) -> Scene:
    """A model that needs no training, and rows of its own density.

    ``shown`` are ``image_shape_`` and ``feature_names_in_`` of a fitted estimator.
    """
    model, density = exact_model(d, k)
    vae = SimpleNamespace(**{"model_": model, "image_shape_": None} | shown)
    rows = rows_of(density, n).astype(np.float32) if n else None
    return make_scene(vae, rows, labels, key=jax.random.key(0), most_rows=50)


@contextlib.contextmanager
def in_thread(scene: Scene, **patience: Any) -> Iterator[SimpleNamespace]:
    """Serve in a thread of this process; give the port, token, address, and how to end it."""
    with listen(0) as listener:
        gate = Gate("t" * 32, listener.getsockname()[1])
        server = make_server(scene, gate, **patience)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})

        def stop() -> None:
            server.should_exit = True
            thread.join(20)
            assert not thread.is_alive()

        thread.start()
        try:
            yield SimpleNamespace(
                scene=scene, port=gate.port, token=gate.token, url=gate.url, stop=stop
            )
        finally:
            stop()


@contextlib.contextmanager
def serve(*arguments: object) -> Iterator[SimpleNamespace]:
    """Run ``wellposed explore``; give its process, port, token and address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "wellposed", "explore", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": SOURCE},
    )
    try:
        line = process.stdout.readline()
        found = re.fullmatch(r"http://127\.0\.0\.1:(\d+)/([\w-]{32})/\n", line)
        assert found, line + process.stderr.read()
        assert process.stdout.readline() == "Ctrl-C ends it.\n"
        port, token = int(found[1]), found[2]
        yield SimpleNamespace(process=process, port=port, token=token, url=line.strip())
    finally:
        end(process, signal.SIGKILL)


def end(process: subprocess.Popen, number: int) -> tuple[int, str, str]:
    """Send a signal, where it still runs, and wait; code, stdout and stderr."""
    process.send_signal(number)
    with process:
        out, err = process.communicate(timeout=20)
    return process.returncode, out, err


def ask(server, name="", body=None, *, method=None, path=None, **headers) -> SimpleNamespace:
    """One request, by default as the page makes it; a header that is None is left out."""
    own = {"Host": f"127.0.0.1:{server.port}"}
    if body is not None:
        own |= {"Content-Type": "application/json", "Origin": f"http://127.0.0.1:{server.port}"}
        body = body if isinstance(body, (bytes, str)) else json.dumps(body)
    own |= {name.replace("_", "-"): value for name, value in headers.items()}
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    path = f"/{server.token}/{name}" if path is None else path
    method = method or ("GET" if body is None else "POST")
    connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    data = body.encode() if isinstance(body, str) else body
    if data is not None and "Transfer-Encoding" not in own:
        own.setdefault("Content-Length", str(len(data)))
    for header, value in own.items():
        if value is not None:
            connection.putheader(header, value)
    connection.endheaders(data)
    reply = connection.getresponse()
    content = reply.read()
    connection.close()
    found = {key.lower(): value for key, value in reply.getheaders()}
    return SimpleNamespace(status=reply.status, headers=found, content=content)
