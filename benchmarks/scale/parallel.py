"""A training in 1, 2 and 4 processes, on 8 devices of one process, and without a mesh.

    python -m benchmarks.scale parallel [--epochs 20]

Each trains the same model of the digits with batches of 256 rows, on a mesh in 8 shards, in
processes of its own: parameters bit by bit, the objective of each epoch relative to that on one
device, and the time of a step. ``input`` measures what a training from a file waits for it.
"""

import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np

import wellposed as wp
from benchmarks.scale.generated import generate
from wellposed import datasets, hosts, training
from wellposed.training.chunked import fit as chunked

BATCH = 256
EIGHT = "--xla_force_host_platform_device_count=8"
WAYS = (
    ("one device of a mesh", "mesh", 1, ""),
    ("2 processes", "mesh", 2, ""),
    ("4 processes", "mesh", 4, ""),
    ("8 virtual devices", "mesh", 1, EIGHT),
    ("no mesh", "plain", 1, ""),
)


def start(path: Path) -> None:
    """Write the model that all trainings start from."""
    vae = wp.VAE(10, hidden=(256, 256), prior="standard", max_epochs=1, random_state=0)
    vae.fit(datasets.load_digits().values).save(path)


def train(mesh: training.DataMesh | None, model: Path, parameters: Path, epochs: int) -> Any:
    """Train, write the parameters, and return objectives, and seconds of an epoch."""
    kept: list[Any] = []
    seconds: list[tuple[float, float]] = []

    def look(report: training.EpochReport) -> None:
        kept[:] = [report.model]
        seconds.append((time.process_time(), time.perf_counter()))

    loaded: Any = wp.load(model)
    plan = training.Plan(batch_size=BATCH, max_epochs=epochs, learning_rate=2e-3, ema_decay=0.99)
    member = training.Member(loaded.model_, jax.random.key(0), plan=plan)
    rows = datasets.load_digits().values
    run = training.fit_member(member, rows, mesh=mesh, callbacks=[look])
    leaves = [np.ravel(leaf) for leaf in jax.tree.leaves(kept[0]) if hasattr(leaf, "shape")]
    np.save(parameters, np.concatenate(leaves))
    steps = math.ceil(len(rows) / BATCH)
    cpu, wall = np.median(np.diff(seconds, axis=0), axis=0) / steps
    return {
        "objective": run.history.column("objective").tolist(),
        "cpu": float(cpu),
        "wall": float(wall),
    }


def job(kind: str, n: str, index: str, port: str, model: str, parameters: str, epochs: str) -> None:
    """Join the other processes, train, and print the figures."""
    if int(n) > 1:
        jax.config.update("jax_cpu_collectives_implementation", "gloo")
        jax.distributed.initialize(f"127.0.0.1:{port}", int(n), int(index))
    mesh = None if kind == "plain" else training.DataMesh.of("all")
    print(json.dumps(train(mesh, Path(model), Path(parameters), int(epochs))), flush=True)


def in_processes(folder: Path, kind: str, n: int, flags: str, epochs: int) -> dict[str, Any]:
    """Return the figures of the first of n processes, and its parameters."""
    port, flags = hosts.free_port(), f"{os.environ.get('XLA_FLAGS', '')} {flags}".strip()
    environment = os.environ | ({"XLA_FLAGS": flags} if flags else {})
    files = [folder / f"parameters-{i}.npy" for i in range(n)]
    module = [sys.executable, "-W", "ignore", "-m", "benchmarks.scale.parallel"]
    running = [
        subprocess.Popen(
            [*module, kind, str(n), str(i), str(port), folder / "start.wp", files[i], str(epochs)],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        for i in range(n)
    ]
    said = [process.communicate()[0] for process in running]
    found = json.loads(said[0].splitlines()[-1])
    parameters = [np.load(file) for file in files]
    found["parameters"] = parameters[0]
    found["alike"] = all(np.array_equal(each, parameters[0]) for each in parameters)
    for file in files:
        file.unlink()
    return found


def parallel(folder: Path, epochs: int = 20) -> None:
    """Print how trainings on several devices differ from that on one."""
    start(folder / "start.wp")
    print(
        f"\nthe digits, {epochs} epochs, batches of {BATCH} rows in 8 shards, beside one device\n"
        f"{'':22}{'same bits':>10}{'parameters':>12}{'objective':>12}{'the last':>10}"
        f"{'ms a step':>11}{'CPU ms':>8}"
    )
    one: dict[str, Any] = {}
    for name, kind, n, flags in WAYS:
        found = in_processes(folder, kind, n, flags, epochs)
        one = one or found
        largest = np.abs(found["parameters"] - one["parameters"]).max()
        relative = np.abs(np.array(found["objective"]) / np.array(one["objective"]) - 1)
        same = found["alike"] and not largest and not relative.any()
        print(
            f"{name:22}{same!s:>10}{largest:12.1e}{relative.max():12.1e}{relative[-1]:10.1e}"
            f"{1e3 * found['wall']:11.1f}{1e3 * found['cpu']:8.1f}",
            flush=True,
        )
    (folder / "start.wp").unlink()


def waiting(folder: Path, n_rows: int = 30_000) -> None:
    """Print the share of a training that waits for its input: two layers of 500, bytes."""
    path, spent, ahead = folder / "input.npy", [0.0], chunked.ahead
    generate(path, n_rows, np.uint8)

    def timed(make: Any, items: Any) -> Iterator[Any]:
        arrivals = ahead(make, items)
        while True:
            begun = time.perf_counter()
            item = next(arrivals, None)
            spent[0] += time.perf_counter() - begun
            if item is None:
                return
            yield item

    chunked.ahead = timed  # type: ignore[assignment]
    begun: list[float] = []
    vae = wp.VAE(
        20, hidden=(500, 500), noise="shared", prior="standard", max_epochs=4, random_state=0
    )
    source = wp.sources.NpySource(path)

    def look(_: Any) -> None:
        if not begun:  # without compilation
            begun.append(time.perf_counter())
            spent[0] = 0.0
        else:
            begun[1:] = [time.perf_counter()]

    vae.fit(source, callbacks=[look])
    chunked.ahead = ahead
    share = spent[0] / (begun[1] - begun[0])
    print(f"\nfrom a file, {n_rows:,} rows of 784 bytes, two layers of 500: waits {share:.2%}")
    path.unlink()


if __name__ == "__main__":
    job(*sys.argv[1:])
