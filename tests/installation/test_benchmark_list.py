"""The list of benchmarks that the documentation quotes: each exists, and is run once."""

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def listed(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))  # the benchmarks are not installed with the library
    from benchmarks import __main__ as found

    return found


def test_every_command_of_a_page_names_a_module_that_can_be_run(listed):
    found = listed.commands()
    assert {"python -m benchmarks.density", "python -m benchmarks.gaps"} <= set(found)
    for command, pages in found.items():
        match = re.match(r"python -m (benchmarks[\w.]+)", command)
        if match is None:
            continue
        spec = importlib.util.find_spec(match[1])
        assert spec is not None, (command, pages)
        if spec.submodule_search_locations is not None:
            assert importlib.util.find_spec(f"{match[1]}.__main__"), (command, pages)


def test_a_command_that_ended_well_is_not_run_again(listed, tmp_path, capsys):
    command = "python -c print(3)"
    assert listed.run(command, tmp_path)
    (path,) = tmp_path.iterdir()
    assert path.read_text() == "3\n"
    assert listed.run(command, tmp_path)
    assert "has been run" in capsys.readouterr().out
    assert not listed.run("python -c raise(SystemExit(3))", tmp_path)
    assert len(list(tmp_path.glob("*.txt"))) == 1
