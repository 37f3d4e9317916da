"""The options of several processes, and launch, without computing."""

import os

import numpy as np
import pytest
from cli_running import run, table

from wellposed import hosts


@pytest.fixture
def alone(monkeypatch):
    """No variables of a scheduler."""
    for name in list(os.environ):
        if name.startswith(("SLURM_", "OMPI_", "PMI", "WELLPOSED_PRO", "JAX_COORD", "JOB_COMPL")):
            monkeypatch.delenv(name)


@pytest.fixture
def rows(tmp_path):
    np.save(tmp_path / "rows.npy", table())
    return tmp_path / "rows.npy"


def test_a_place_that_is_not_known_is_refused_with_the_remedy(alone, rows, tmp_path):
    result = run("fit", rows, "-o", tmp_path / "m.wp", "--distributed", code=2)
    assert "no variables of a scheduler" in result.stderr
    assert "--coordinator" in result.stderr


@pytest.mark.parametrize(
    "options",
    [("--coordinator", "a:1"), ("--processes", "2"), ("--process", "0"), ("--step-timeout", "9")],
)
def test_options_of_processes_need_distributed(options, rows, tmp_path):
    result = run("fit", rows, "-o", tmp_path / "m.wp", *options, code=2)
    assert f"{options[0]} is for several processes" in result.stderr


@pytest.mark.parametrize("command", [("score", "a", "b"), ("fit", "rows.npy", "-o", "m.wp")])
def test_launch_refuses_what_would_not_train_together(command):
    said = run("launch", "-n", 2, "--", *command, code=2).stderr
    assert "--distributed; got" in said


def test_processes_share_blocks_alone(tmp_path):
    result = run("score", tmp_path / "m.wp", "rows.npy", "--distributed", code=2)
    assert "without --blocks" in result.stderr


def test_launch_runs_the_command_and_returns_its_code(monkeypatch):
    seen = []
    monkeypatch.setattr(hosts, "launch", lambda command, n: seen.append((command, n)) or 75)
    run("launch", "-n", 3, "--", "fit", "a.npy", "-o", "b.wp", "--distributed", code=75)
    ((command, n),) = seen
    assert n == 3
    assert command[1:] == ["-m", "wellposed", "fit", "a.npy", "-o", "b.wp", "--distributed"]
