"""The command line as processes: what only a real one shows."""

import os
import subprocess
import sys
from pathlib import Path

import wellposed

SOURCE = str(Path(wellposed.__file__).parents[1])


def process(*arguments, program=("-m", "wellposed")):
    return subprocess.run(
        [sys.executable, *program, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=300,
        env=os.environ | {"PYTHONPATH": SOURCE, "COLUMNS": "100"},
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
