"""The command as a process: how it starts, how it ends, and that nothing is left."""

import os
import signal
import socket
import subprocess
import sys

import pytest
from serving import SOURCE, ask, end, fitted, served
from typer.testing import CliRunner

import wellposed as wp
from wellposed.cli import app

WISH = {"z": [0.0, 0.0], "alpha": 1.0, "draw": 0}


def refused(*arguments):
    """What the command says when it refuses to start."""
    result = CliRunner().invoke(app, ["explore", *map(str, arguments)])
    assert result.exit_code == 2, result.output
    return result.output


@pytest.fixture(scope="module")
def model(tmp_path_factory, digits):
    path = tmp_path_factory.mktemp("explore") / "model.wp"
    fitted(digits[:200], 2, image_shape=(8, 8)).save(path)
    return path


@pytest.mark.skipif(os.name != "posix", reason="signals are those of POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it(model, number):
    with served(model) as server:
        # A browser keeps its connection open.
        with socket.create_connection(("127.0.0.1", server.port), timeout=20):
            assert ask(server, "look", WISH).status == 200
            code, out, err = end(server.process, number)
        assert (code, out, err) == (0, "", "")
        with socket.socket() as free:
            free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            free.bind(("127.0.0.1", server.port))
            free.listen()


def test_a_request_without_an_end_does_not_hold_it(model):
    with served(model) as server:
        half = socket.create_connection(("127.0.0.1", server.port), timeout=20)
        half.sendall(
            f"POST /{server.token}/look HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
            f"Origin: http://127.0.0.1:{server.port}\r\nContent-Type: application/json\r\n"
            "Content-Length: 100\r\n\r\n{".encode()
        )
        assert ask(server, "facts").status == 200  # others are answered meanwhile
        assert end(server.process, signal.SIGTERM)[0] == 0
        half.close()


def test_every_start_has_another_token_and_a_given_port_is_kept(model):
    with served(model) as first:
        taken = subprocess.run(
            [sys.executable, "-m", "wellposed", "explore", model, "--port", str(first.port)],
            capture_output=True, text=True, timeout=120, env=os.environ | {"PYTHONPATH": SOURCE},
            check=False,
        )  # fmt: skip
        assert taken.returncode == 2
        assert taken.stdout == ""
        assert "error: The port must be free" in taken.stderr
        assert str(first.port) in taken.stderr
        assert end(first.process, signal.SIGTERM)[0] == 0
    with served(model, "--port", first.port) as second:
        assert second.port == first.port
        assert second.token != first.token
        assert ask(second, path=f"/{first.token}/facts").status == 403


def test_the_extra_is_named_where_it_is_absent(model, monkeypatch):
    import importlib.util

    real = importlib.util.find_spec
    absent = lambda name, *rest: None if name == "uvicorn" else real(name, *rest)  # noqa: E731
    monkeypatch.setattr(importlib.util, "find_spec", absent)
    told = refused(model)
    assert "uvicorn cannot be imported" in told
    assert "pip install 'wellposed[explore]'" in told


def test_the_rest_of_the_library_needs_no_extra():
    program = (
        "import sys; import wellposed.cli, wellposed.estimators, wellposed.explore; "
        "print(sorted({'starlette', 'uvicorn'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True,
        env=os.environ | {"PYTHONPATH": SOURCE},
    )  # fmt: skip
    assert done.stdout == "[]\n"


def test_what_it_cannot_serve_is_refused_before_it_starts(model, digits, tmp_path):
    exact = tmp_path / "exact.wp"
    wp.PPCA(2).fit(digits[:100, 10:14]).save(exact)
    assert "explore takes a fitted wellposed.VAE; got PPCA" in refused(exact)
    assert "0 to 65535; got 70000" in refused(model, "--port", 70000)
    vae = wp.load(model)
    with pytest.raises(wp.DataError, match="one label a row; got labels of shape"):
        vae.explore(digits[:5], labels=[1, 2])
    assert "2000" in refused(model, "--rows", 2001)
