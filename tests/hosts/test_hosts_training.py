"""``fit --distributed``: one model file, on any number of processes, and after restarts."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import wellposed as wp

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="signals are those of POSIX"),
]

SETTINGS = ("--components", "2", "--hidden", "8", "--noise", "shared", "--prior", "standard")
ENVIRONMENT = os.environ | {"PYTHONPATH": str(Path(wp.__file__).parents[1]), "JAX_PLATFORMS": "cpu"}


def start(n, rows, model, *options):
    command = ("fit", rows, "-o", model, "--blocks", *SETTINGS, *options, "--distributed")
    return subprocess.Popen(
        [sys.executable, "-m", "wellposed", "launch", "-n", str(n), "--", *map(str, command)],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process, code=0):
    out, err = process.communicate(timeout=600)
    assert process.returncode == code, err
    return out, err


@pytest.fixture
def rows(tmp_path):
    generator = np.random.default_rng(0)
    values = generator.normal(size=(2_000, 2)) @ generator.normal(size=(2, 6))
    np.save(tmp_path / "rows.npy", values + 0.1 * generator.normal(size=(2_000, 6)))
    return tmp_path / "rows.npy"


def test_a_training_ends_alike_after_a_stop_and_on_one_process(rows, tmp_path):
    plan, model, checkpoint = ("--max-epochs", "40"), tmp_path / "a.wp", tmp_path / "a.ckpt"
    out, err = finish(start(2, rows, model, *plan))
    assert out.count("Wrote") == 1  # process 0 alone writes
    assert "[1] Wrote" not in out
    whole = model.read_bytes()
    model.unlink()

    stopped = start(2, rows, model, *plan, "--checkpoint", checkpoint)
    assert stopped.stderr is not None
    seen = [stopped.stderr.readline() for _ in range(2)]
    assert all("joins at" in line for line in seen)
    begun = time.monotonic()
    while not checkpoint.exists():  # an epoch has ended
        assert time.monotonic() - begun < 120
        time.sleep(0.05)
    stopped.send_signal(signal.SIGTERM)
    _, err = finish(stopped, 130)
    assert err.count("The training stops after this epoch") == 2
    assert "Interrupted after" in err
    assert not model.exists()

    finish(start(1, rows, model, *plan, "--checkpoint", checkpoint))
    assert model.read_bytes() == whole
    scores = tmp_path / "scores.npy"
    command = ("score", model, rows, "--blocks", "--samples", "4", "-o", scores, "--distributed")
    launch = [sys.executable, "-m", "wellposed", "launch", "-n", "2", "--", *map(str, command)]
    finish(subprocess.Popen(launch, env=ENVIRONMENT, stdout=-1, stderr=-1, text=True))
    expected = wp.load(model).score_samples(np.load(rows), 4)
    assert np.array_equal(np.load(scores), expected)


def test_different_data_are_refused_by_each_process(rows, tmp_path):
    address = f"127.0.0.1:{wp.hosts.free_port()}"
    other = np.load(rows)
    other[-1] += 1
    np.save(tmp_path / "other.npy", other)
    shared = ENVIRONMENT | {"WELLPOSED_COORDINATOR": address, "WELLPOSED_PROCESSES": "2"}
    command = ["-o", tmp_path / "m.wp", "--blocks", *SETTINGS, "--distributed"]
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "wellposed", "fit", path, *command],
            env=shared | {"WELLPOSED_PROCESS": str(i)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for i, path in enumerate((rows, tmp_path / "other.npy"))
    ]
    for process in processes:
        _, err = finish(process, 2)
        assert "rows is" in err
        assert "in process 1" in err
    assert not (tmp_path / "m.wp").exists()
