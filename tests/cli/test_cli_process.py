"""The command line as processes: what only a real one shows."""

import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from cli_running import table

import wellposed
from wellposed.cli._terminal import prepare, say, say_paragraph

SOURCE = str(Path(wellposed.__file__).parents[1])


ENVIRONMENT = os.environ | {"PYTHONPATH": SOURCE, "COLUMNS": "100"}


def process(*arguments, program=("-m", "wellposed"), stdout=subprocess.PIPE, **environment):
    return subprocess.run(
        [sys.executable, *program, *map(str, arguments)],
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        timeout=300,
        env=ENVIRONMENT | environment,
        check=False,
    )


def test_the_module_runs_and_states_its_version():
    result = process("--version")
    assert result.returncode == 0
    assert result.stdout == f"wellposed {wellposed.__version__}\n"


def test_help_names_every_command_and_loads_no_numerics():
    program = (
        "-c",
        "import sys; from wellposed.cli import app; app(standalone_mode=False); "
        "print(sorted({'jax', 'sklearn', 'scipy', 'matplotlib'} & set(sys.modules)))",
    )
    result = process("--help", program=program)
    for command in ("demo", "fit", "explore", "sample", "score", "encode", "decode", "data"):
        assert f" {command} " in result.stdout
    assert result.stdout.strip().endswith("[]")


def test_the_script_is_the_app():
    import tomllib

    project = Path(__file__).resolve().parents[2] / "pyproject.toml"
    assert tomllib.loads(project.read_text())["project"]["scripts"] == {
        "wellposed": "wellposed.cli:app"
    }


def test_errors_of_a_process_are_one_line_and_code_two(tmp_path):
    result = process("score", tmp_path / "none.wp", tmp_path / "none.csv")
    assert result.returncode == 2
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.startswith("error: ")


def test_a_mistyped_command_is_refused():
    result = process("scroe")
    assert result.returncode == 2
    assert "score" in result.stderr


def test_text_that_an_encoding_has_not_is_spelled_out(tmp_path):
    np.savetxt(tmp_path / "σ.csv", table(20, 3), "%.2f", ",", header="a,b,c", comments="")
    result = process("forecast", tmp_path / "σ.csv", "-k", "1", PYTHONIOENCODING="ascii")
    assert result.returncode == 0, result.stderr
    assert result.stdout.isascii()
    assert "sigma^2 = " in result.stdout
    assert "variance lambda" in result.stdout


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "cp437", "latin-1", "utf-8"])
def test_any_stream_takes_any_text(encoding, monkeypatch):
    streams = {}
    for name in ("stdout", "stderr"):
        streams[name] = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
        monkeypatch.setattr(sys, name, streams[name])
    prepare()
    text = "σ² ‖x‖ ≤ 1 … \N{SNOWMAN} \ud800 \x1b[31m [red]"
    say(text)
    say_paragraph("error", text, colour="red")
    for stream in streams.values():
        stream.flush()
        shown = stream.buffer.getvalue().decode(encoding)
        assert "\x1b" not in shown
        assert r"\ud800 \x1b[31m [red]" in shown
        assert ("sigma^2 ||x|| <= 1 ... ?" in shown) == (encoding == "ascii")


def test_a_reader_that_leaves_is_no_error():
    reader, writer = os.pipe()
    os.close(reader)
    result = process("data", "list", stdout=writer)
    os.close(writer)
    assert (result.returncode, result.stderr) == (141, "")


@pytest.mark.skipif(os.name != "posix", reason="the shell is that of POSIX")
@pytest.mark.parametrize(("where", "code"), [(">&-", 0), ("2>&-", 0), (">/dev/full", 2)])
def test_streams_that_are_closed_or_full(where, code):
    line = f'"{sys.executable}" -m wellposed data list {where}'
    if "full" in where and not os.path.exists("/dev/full"):
        pytest.skip("/dev/full is Linux's")
    done = subprocess.run(
        line, shell=True, capture_output=True, text=True, env=ENVIRONMENT, check=False
    )
    assert done.returncode == code
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr
    assert ("No space left" in done.stderr) == (code == 2)
