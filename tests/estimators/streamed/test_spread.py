"""Scores, latents and draws over devices and processes: the bits of one device, in order."""

import os
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pandas as pd
import pytest

import wellposed as wp
from wellposed.estimators.streamed import draws
from wellposed.evaluation import spread_over

WORKER = Path(__file__).with_name("spread_worker.py")
N = 1_300


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A model, its rows, and what one device makes of them."""
    folder, random = tmp_path_factory.mktemp("spread"), np.random.default_rng(0)
    rows = random.normal(size=(N, 2)) @ random.normal(size=(2, 4)) + random.normal(size=(N, 4))
    rows = rows.astype(np.float32)
    vae = wp.VAE(
        2,
        hidden=(8,),
        noise="shared",
        prior="standard",
        linear_start=False,
        max_epochs=1,
        validation_folds=0,
        progress=False,
        random_state=0,
    )
    with pytest.warns(wp.TrainingWarning):
        vae.fit(rows)
    np.save(folder / "rows.npy", rows)
    vae.save(folder / "model.wp")
    return folder


@pytest.fixture(scope="module")
def vae(folder):
    return wp.load(folder / "model.wp")


def check(folder, vae):
    """Compare the files with what one device returns."""
    rows = np.load(folder / "rows.npy")
    scores, latents = vae.score_samples(rows, 4, "encoder"), vae.transform(rows)
    assert np.array_equal(np.load(folder / "scores.npy"), scores)
    frame = pd.read_parquet(folder / "latents.parquet")
    assert list(frame.columns) == ["vae0", "vae1"]
    assert np.array_equal(frame.to_numpy(), latents)
    assert np.array_equal(np.load(folder / "draws.npy"), vae.sample(1_000))
    return np.abs(latents).sum(dtype=float)


def run(folder, *commands, flags=""):
    flags = f"{os.environ.get('XLA_FLAGS', '')} {flags}".strip()
    environment = os.environ | ({"XLA_FLAGS": flags} if flags else {})
    running = [
        subprocess.Popen(
            [sys.executable, WORKER, folder, *map(str, command)],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        for command in commands
    ]
    try:
        return [process.communicate(timeout=500)[0].splitlines() for process in running]
    finally:
        for process in running:
            process.kill()


def test_chunks_on_devices_in_turn_come_in_order(folder, vae):
    rows = np.load(folder / "rows.npy")
    latents, drawn = vae.transform(rows), vae.sample(1_000)
    with spread_over(3 * jax.devices()[:1]):
        assert np.array_equal(vae.transform(rows), latents)
        assert np.array_equal(vae.sample(1_000), drawn)


def test_draws_in_a_file_are_those_in_memory(vae, tmp_path, monkeypatch):
    monkeypatch.setattr(draws, "_MOST_ROWS", 512)
    expected = vae.sample(1_300, random_state=3)
    for name, read in (("x.npy", np.load), ("x.parquet", pd.read_parquet)):
        path = vae.sample(1_300, random_state=3, out=tmp_path / name)
        assert path == tmp_path / name
        assert np.array_equal(np.asarray(read(path)), expected)
    with pytest.raises(wp.SettingError, match=r"\.csv"):
        vae.sample(3, out=tmp_path / "x.csv")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.npy", "x.parquet"]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::wellposed.TrainingWarning")
def test_draws_of_a_frame_are_written_as_a_frame(tmp_path, monkeypatch):
    monkeypatch.setattr(draws, "_MOST_ROWS", 256)
    random = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "a": random.normal(size=200),
            "kind": random.choice(["x", "y", "z"], 200),
            "batch": random.choice(["first", "second"], 200),
        }
    )
    vae = wp.VAE(1, covariates=["batch"], hidden=(4,), max_epochs=2, random_state=0, progress=False)
    vae.fit(frame)
    read = pd.read_parquet(vae.sample(700, out=tmp_path / "x.parquet"))
    pd.testing.assert_frame_equal(read, vae.sample(700), check_dtype=False)
    with pytest.raises(wp.SettingError, match=r"x\.npy.*ends in \.parquet"):
        vae.sample(3, out=tmp_path / "x.npy")


@pytest.mark.slow
def test_four_devices_have_the_bits_of_one(folder, vae):
    (lines,) = run(folder, (), flags="--xla_force_host_platform_device_count=4")
    assert lines == [f"4 {check(folder, vae)}"]


@pytest.mark.slow
def test_two_processes_have_the_bits_of_one_and_fail_together(folder, vae):
    for name in ("scores.npy", "latents.parquet", "draws.npy"):
        (folder / name).unlink(missing_ok=True)
    port = wp.hosts.free_port()
    said = run(folder, (2, 0, port), (2, 1, port))
    total = check(folder, vae)
    for i, printed in enumerate(said):
        lines = printed[-4:]  # Gloo prints too
        assert lines[0] == f"2 {total}"
        assert "row 1000, column 2" in lines[1]
        assert lines[1].startswith("DataError" if i else "HostsError: All processes must compute")
        assert "these differ: call is" in lines[2]
        assert lines[3].startswith("HostsError" if i else "OutputError")
    assert not (folder / "none.npy").exists()
