"""Processes that join through JAX: sums, refusals, and their end when one is gone."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import wellposed
from wellposed import hosts

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are those of POSIX")

PROGRAM = """
import os, sys, time
from wellposed import hosts
place = hosts.find_place(os.environ)
given = {name: float(value) for name, value in (a.split("=") for a in sys.argv[2:])}
with hosts.together(place, **given):
    import jax, numpy as np
    from jax.sharding import Mesh, NamedSharding, PartitionSpec
    mesh = Mesh(np.array(jax.devices()), ("d",))
    split, whole = (NamedSharding(mesh, PartitionSpec(*axes)) for axes in (("d",), ()))
    rows = np.full((1,), 1.0 + place.process, np.float32)
    x = jax.make_array_from_process_local_data(split, rows)
    step = jax.jit(lambda x: (2 * x).sum(), out_shardings=whole)
    hosts.beat()
    for i in range(10_000):
        total = float(step(x))
        hosts.beat()
        if i == 0:
            print("sum", total, flush=True)
        if sys.argv[1] == "differ":
            hosts.agree_on({"data": f"rows {place.process}", "settings": "same"})
        if sys.argv[1] == "stuck" and place.process and i == 5:
            time.sleep(600)
        if hosts.any_asked():
            print("stopped", i, flush=True)
            break
        time.sleep(0.02)
"""
ENVIRONMENT = os.environ | {
    "PYTHONPATH": str(Path(wellposed.__file__).parents[1]),
    "JAX_PLATFORMS": "cpu",
}


def start(what, *given, n=2, ids=None, port=None):
    address = f"127.0.0.1:{port or hosts.free_port()}"
    shared = ENVIRONMENT | {"WELLPOSED_COORDINATOR": address, "WELLPOSED_PROCESSES": str(n)}
    return [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM, what, *given],
            env=shared | {"WELLPOSED_PROCESS": str(i)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for i in (range(n) if ids is None else ids)
    ]


def first_lines(processes):
    return [process.stdout.readline() for process in processes]


def ends(processes, within):
    """Return codes and messages; fail if one has not ended within some seconds."""
    results = []
    deadline = time.monotonic() + within
    for process in processes:
        try:
            _, err = process.communicate(timeout=max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            for each in processes:
                each.kill()
            raise
        results.append((process.returncode, err))
    return results


def test_two_processes_add_and_each_refuses_different_data():
    processes = start("differ")
    assert first_lines(processes) == ["sum 6.0\n"] * 2
    for i, (code, err) in enumerate(ends(processes, 60)):
        assert code == 1
        assert f"process {i} of 2 on " in err
        assert "differ: data is rows 0 in process 0, rows 1 in process 1. Make" in err


@pytest.mark.slow
@pytest.mark.parametrize("victim", [0, 1])
def test_the_others_end_within_seconds_of_a_death(victim):
    processes = start("run", n=3)
    first_lines(processes)
    processes[victim].kill()
    for i, (code, err) in enumerate(ends(processes, 10)):
        assert code == (-signal.SIGKILL if i == victim else hosts.LOST)
        assert i == victim or f"process {i} of 3 ends" in err


@pytest.mark.slow
@pytest.mark.parametrize("victim", [0, 1])
def test_a_frozen_process_is_seen_by_its_silence(victim):
    processes = start("run", "heartbeat=4")
    first_lines(processes)
    processes[victim].send_signal(signal.SIGSTOP)
    ((code, err),) = ends([processes[1 - victim]], 4 + 5)
    assert code == hosts.LOST
    assert f"process {victim}" in err
    processes[victim].send_signal(signal.SIGCONT)
    ((code, _),) = ends([processes[victim]], 10)
    assert code == hosts.LOST


@pytest.mark.slow
def test_a_stuck_process_is_seen_by_the_steps_that_do_not_end():
    processes = start("stuck", "step_timeout=5")
    first_lines(processes)
    for code, err in ends(processes, 2 * 5):
        assert code == hosts.LOST
        assert "no step has ended for 5 s" in err


@pytest.mark.slow
def test_a_process_that_does_not_come_and_an_address_where_nobody_listens():
    for alone, message in ((0, "All 2 processes must come"), (1, "found no process 0 at")):
        ((code, err),) = ends(start("run", "join_timeout=4", ids=[alone]), 30)
        assert code == hosts.LOST
        assert message in err


@pytest.mark.slow
def test_two_processes_with_one_id():
    port = hosts.free_port()
    processes = start("run", "join_timeout=15", n=3, ids=[0, 1, 1], port=port)
    results = ends(processes, 60)
    assert [code for code, _ in results] == [hosts.LOST] * 3
    assert any("another process came with the same id" in err for _, err in results)
    twins = ends(start("run", "join_timeout=8", ids=[0, 0]), 60)
    assert sorted(code for code, _ in twins) == [1, hosts.LOST]
    assert any("another process 0 of this training runs here" in err for _, err in twins)


@pytest.mark.slow
def test_a_signal_to_one_process_stops_all_after_the_same_step():
    processes = start("run")
    first_lines(processes)
    processes[1].send_signal(signal.SIGTERM)
    lines = first_lines(processes)
    assert lines[0] == lines[1]
    assert lines[0].startswith("stopped ")
    assert [code for code, _ in ends(processes, 20)] == [0, 0]
