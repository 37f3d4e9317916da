"""Training on a mesh: the same bits on any number of processes, and the training on one device."""

import json
import os
import socket
import subprocess
import sys
import types
from pathlib import Path

import jax
import jax.numpy as jnp
import mesh_worker
import numpy as np
import pytest

import wellposed as wp
from wellposed.training import DataMesh, Member, Plan, fit_chunks, fit_member
from wellposed.training.mesh.tree import own_total, pairwise

WORKER = Path(__file__).with_name("mesh_worker.py")
VALUES = np.random.default_rng(0).normal(size=(8, 3)).astype(np.float32)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A model to start from, and its rows: five columns of two latents and noise."""
    folder, draws = tmp_path_factory.mktemp("mesh"), np.random.default_rng(0)
    rows = draws.normal(size=(330, 2)) @ draws.normal(size=(2, 5))
    rows = (rows + 0.1 * draws.normal(size=rows.shape)).astype(np.float32)
    vae = wp.VAE(
        2,
        hidden=(8,),
        noise="feature",
        prior="standard",
        max_epochs=1,
        validation_folds=0,
        linear_start=False,
        progress=False,
        random_state=0,
    )
    with pytest.warns(wp.TrainingWarning):
        vae.fit(rows)
    np.save(folder / "rows.npy", rows)
    vae.save(folder / "start.wp")
    return folder / "start.wp", folder / "rows.npy"


@pytest.fixture(scope="module")
def start(files):
    return wp.load(files[0]).model_, np.load(files[1])


@pytest.fixture(scope="module")
def one_device(start):
    """The training on a mesh of one device."""
    return mesh_worker.train(*start, DataMesh.of(1))


def processes(files, n: int, *flags: str) -> list[dict]:
    """Train in n processes, and return what each prints."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    flags_of_all = " ".join([os.environ.get("XLA_FLAGS", ""), *flags])
    environment = {**os.environ, "XLA_FLAGS": flags_of_all}
    running = [
        subprocess.Popen(
            [sys.executable, WORKER, *files, str(n), str(i), str(port)],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        for i in range(n)
    ]
    try:
        said = [process.communicate(timeout=500)[0] for process in running]
    finally:
        for process in running:
            process.kill()
    return [json.loads(text.splitlines()[-1]) for text in said]


@pytest.mark.slow
@pytest.mark.parametrize("n", [2, 4])
def test_processes_have_the_bits_of_one_device(files, one_device, n):
    for found in processes(files, n):
        assert found["devices"] == n
        assert found["digest"] == one_device["digest"]
        np.testing.assert_array_equal(found["history"], one_device["history"])


@pytest.mark.slow
def test_eight_devices_of_a_process_have_the_objective_of_one(files, one_device):
    (found,) = processes(files, 1, "--xla_force_host_platform_device_count=8")
    assert found["devices"] == 8
    ours, theirs = (np.array(each["history"]) for each in (found, one_device))
    np.testing.assert_allclose(ours, theirs, rtol=1e-4)
    np.testing.assert_allclose(ours[-1], theirs[-1], rtol=1e-5)


def test_a_mesh_of_one_device_trains_as_no_mesh_does(start, one_device):
    """Batches of 60 rows are filled up to 64: the mean is over the rows alone."""
    plain = mesh_worker.train(*start, None)
    np.testing.assert_allclose(one_device["history"], plain["history"], rtol=1e-5)


@pytest.mark.slow
def test_weights_and_chunks_train_as_without_a_mesh(start):
    model, rows = start
    plan = Plan(batch_size=64, max_epochs=2, learning_rate=1e-2)
    weights = np.random.default_rng(1).uniform(0.2, 3, len(rows))
    member = Member(model, jax.random.key(2), plan=plan, weights=weights / weights.mean())
    runs = [fit_member(member, rows, mesh=mesh) for mesh in (None, DataMesh.of(1, 2))]
    np.testing.assert_allclose(runs[0].history.rows, runs[1].history.rows, rtol=1e-5)
    chunked = Member(model, jax.random.key(2), plan=plan, held=np.arange(40))
    runs = [fit_chunks(chunked, Halves(rows), rows, mesh=m) for m in (None, DataMesh.of(1, 2))]
    np.testing.assert_allclose(runs[0].history.rows, runs[1].history.rows, rtol=1e-5)


class Halves(wp.training.Chunks):
    """Two chunks of an array."""

    def __init__(self, rows: np.ndarray):
        self.rows, self.n_rows, self.n_chunks = rows, len(rows), 2
        self.chunk_rows = len(rows) // 2

    def identity(self) -> str:
        return "halves"

    def read(self, n_pass: int, chunk: int) -> np.ndarray:
        return self.rows[chunk * self.chunk_rows :][: self.chunk_rows]


@pytest.mark.parametrize("n_devices", [1, 2, 4, 8])
def test_the_tree_of_sums_is_that_of_one_device(n_devices):
    each = 8 // n_devices

    def of_device(first: int) -> jax.Array:
        shards = jnp.asarray(VALUES[first : first + each])
        zeros, number = jnp.zeros(3), jnp.asarray(each, jnp.int32)
        return own_total(lambda i: shards[i], zeros, number, 8)

    parts = jnp.stack([of_device(each * i) for i in range(n_devices)])
    fours = [(VALUES[i] + VALUES[i + 1]) + (VALUES[i + 2] + VALUES[i + 3]) for i in (0, 4)]
    np.testing.assert_array_equal(pairwise(parts), fours[0] + fours[1])


def test_what_no_mesh_can_have_is_refused():
    here = types.SimpleNamespace(process_index=0)
    with pytest.raises(wp.SettingError, match="power of two"):
        DataMesh.of(1, 6)
    with pytest.raises(wp.SettingError, match=r"shards=2 on 4 devices. Set shards=4"):
        DataMesh((here,) * 4, 2)
    with pytest.raises(wp.SettingError, match=r"on 3 devices. Use 2 devices"):
        DataMesh((here,) * 3)
    with pytest.raises(wp.SettingError, match=r"equally many devices of each process"):
        DataMesh((types.SimpleNamespace(process_index=1),))
    with pytest.raises(wp.SettingError, match="got devices=64"):
        wp.VAE(1, devices=64, max_epochs=1, random_state=0).fit(VALUES)
    with pytest.raises(wp.SettingError, match='"all"'):
        wp.VAE(1, devices="many").fit(VALUES)


def test_an_aggressive_phase_has_one_device(start):
    member = Member(start[0], jax.random.key(0), plan=Plan(encoder_steps=2))
    with pytest.raises(wp.SettingError, match="encoder_steps=2"):
        fit_member(member, start[1], mesh=DataMesh.of(1))
