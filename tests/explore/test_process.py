"""The command as a process: how it starts, how it ends, and that nothing is left."""

import json
import os
import signal
import socket
import subprocess
import sys
import warnings

import pytest
from serving import SOURCE, ask, end, serve
from typer.testing import CliRunner

import wellposed as wp
from textbook import textbook_vae
from wellposed.cli import app

WISH = {"z": [0.0, 0.0], "alpha": 1.0, "draw": 0}


def refused(*arguments):
    """Return the error output of the command when it refuses to start."""
    result = CliRunner().invoke(app, ["explore", *map(str, arguments)])
    assert result.exit_code == 2, result.output
    return result.output


@pytest.fixture(scope="module")
def model(tmp_path_factory, digits):
    path = tmp_path_factory.mktemp("explore") / "model.wp"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        vae = textbook_vae(2, hidden=(8,), max_epochs=1, random_state=0, image_shape=(8, 8))
        vae.fit(digits[:200]).save(path)
    return path


def unfinished(server):
    """A request whose body never comes."""
    half = socket.create_connection(("127.0.0.1", server.port), timeout=20)
    half.sendall(
        f"POST /{server.token}/look HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
        f"Origin: http://127.0.0.1:{server.port}\r\nContent-Type: application/json\r\n"
        "Content-Length: 100\r\n\r\n{".encode()
    )
    return half


@pytest.mark.skipif(os.name != "posix", reason="signals are those of POSIX")
def test_its_life(model, digits):
    with serve(model, "digits", "--rows", 60) as first:
        facts = json.loads(ask(first, "facts").content)
        assert len(facts["points"]) == 60
        assert facts["nRows"] == len(digits)
        labels = wp.datasets.load_digits().labels[facts["rows"]]
        assert facts["labels"] == labels.tolist()
        with unfinished(first), socket.create_connection(("127.0.0.1", first.port), timeout=20):
            assert ask(first, "look", WISH).status == 200  # others are answered meanwhile
            assert end(first.process, signal.SIGINT) == (0, "", "")
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", first.port), timeout=5)
    with serve(model, "--port", first.port) as second:
        assert second.port == first.port
        assert second.token != first.token
        assert ask(second, path=f"/{first.token}/facts").status == 403
        told = refused(model, "--port", second.port)
        assert f"error: The port must be free, and ours to take; {second.port} is not" in told
        assert end(second.process, signal.SIGTERM) == (0, "", "")


def test_the_extra_is_named_where_it_is_absent(model, monkeypatch):
    import importlib.util

    real = importlib.util.find_spec
    absent = lambda name, *rest: None if name == "uvicorn" else real(name, *rest)  # noqa: E731
    monkeypatch.setattr(importlib.util, "find_spec", absent)
    told = refused(model)
    assert "uvicorn cannot be imported" in told
    assert "pip install 'wellposed[explore]'" in told


def test_the_rest_of_the_library_needs_no_extra():
    """Nor is what a single measure needs imported before its first use."""
    program = (
        "import sys; import wellposed.cli, wellposed.estimators, wellposed.explorer; "
        "wellposed.evaluation.ais; "
        "print(sorted({'starlette', 'uvicorn', 'blackjax'} & set(sys.modules)))"
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
    assert "0 to 65,535; got 70000" in refused(model, "--port", 70000)
    vae = wp.load(model)
    with pytest.raises(wp.DataError, match="one label a row; got labels of shape"):
        vae.explore(digits[:5], labels=[1, 2])
    assert "2000" in refused(model, "--rows", 2001)
