"""Training and scoring from disk: memory, rows a second, reading; ours beside the same in memory.

    python -m benchmarks.scale [memory] [rate] [reading] [scores] [parallel] [input] [faults]
        [bfloat16] [--gigabytes 20] [--rows 60000] [--kills 20] [--epochs 20] [--seeds 3]
        [--folder build/scale]

``memory``: a file of ``--gigabytes`` is generated, fitted in one pass and scored, each in a process
of its own, whose peak memory is printed beside that of a process that does the same with 1,024
rows; the file is deleted. "pPCA" is a fit of probabilistic PCA and its scores. ``rate``: rows a CPU
second of epochs of MNIST from a file over those in memory, and the share of the time that reading
took. ``reading``: rows a second of 784 bytes in the order of a training, from a file that the
system no longer holds in memory. ``scores``: a million rows encoded and scored from a
file and by two processes, compared with the same in memory.
``parallel``: trainings on several processes and devices beside one. ``input``: the share of a
training that waits for rows. ``faults``: processes that are killed, frozen, stuck or missing.
``bfloat16``: products of lower precision. These four are described in the modules of their names,
``input`` in ``parallel``.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np

import wellposed as wp
from benchmarks.data import REPOSITORY, images
from benchmarks.scale.bfloat16 import bfloat16
from benchmarks.scale.faults import faults
from benchmarks.scale.generated import WIDTH, generate
from benchmarks.scale.parallel import parallel, waiting
from wellposed import sources

TABLES = ("memory", "rate", "reading", "scores", "parallel", "input", "faults", "bfloat16")
SCORED, DRAWS = 1_000_000, 2  # rows; draws of z a row
ROUNDS, WIDE = 3, (500, 500)


def drop_from_memory(path: Path) -> None:
    """Tell the system that the file need not be kept in memory."""
    with path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def vae(**settings: Any) -> wp.VAE:
    """Settings of all fits."""
    given = {"noise": "shared", "prior": "standard", "max_epochs": 1, "random_state": 0}
    return wp.VAE(20, **{**given, **settings})


def job(kind: str, path: Path, model: Path) -> dict[str, float]:
    """Fit or score in this process, and return its peak memory in bytes, and seconds."""
    source = sources.open_source(path)
    start, cpu = time.perf_counter(), time.process_time()
    out = model.with_suffix(".npy")
    if kind == "fit":
        vae(hidden=(64,)).fit(source).save(model)
    elif kind == "scores":
        fitted: Any = wp.load(model)
        fitted.score_samples(source, 1, "encoder", out=out)
    else:
        wp.PPCA(20).fit(source).score_samples(source, out=out)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {
        "peak": peak,
        "rows": source.n_rows,
        "seconds": time.perf_counter() - start,
        "cpu": time.process_time() - cpu,
    }


def in_a_process(kind: str, path: Path, model: Path) -> dict[str, float]:
    """Return :func:`job`'s figures of a fresh process."""
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.scale", "job", kind]
    found = subprocess.run([*command, path, model], check=True, capture_output=True, text=True)
    return json.loads(found.stdout.splitlines()[-1])


def memory(folder: Path, gigabytes: float) -> None:
    """Print peak memory of a fit and of scores of a large file, beside a small one."""
    n_rows = round(gigabytes * 1e9 / (4 * WIDTH))
    large, small, model = folder / "large.npy", folder / "small.npy", folder / "model.wp"
    generate(small, 1_024)
    generate(large, n_rows)
    print(f"\n{large.stat().st_size / 1e9:.1f} GB, {n_rows:,} rows of {WIDTH} float32, one pass")
    try:
        for kind in ("fit", "scores", "pPCA"):
            least, most = (in_a_process(kind, path, model) for path in (small, large))
            print(
                f"{kind:8} peak {most['peak'] / 1e6:6.0f} MB, with 1,024 rows "
                f"{least['peak'] / 1e6:6.0f} MB: {(most['peak'] - least['peak']) / 1e6:6.0f} MB "
                f"more; {most['rows'] / most['cpu']:,.0f} rows a CPU second",
                flush=True,
            )
    finally:
        for path in (large, small, model, model.with_suffix(".npy")):
            path.unlink(missing_ok=True)


class Timed(sources.NpySource):
    """A source that sums the seconds of its reads."""

    seconds = 0.0

    def read(self, block: int, out: np.ndarray) -> None:
        """Fill ``out`` with the rows of a block."""
        start = time.perf_counter()
        super().read(block, out)
        Timed.seconds += time.perf_counter() - start


def rate(folder: Path, n_rows: int) -> None:
    """Print rows a CPU second of epochs from a file over those in memory, and the waiting."""
    X = images("mnist", "train")[:n_rows]
    path = folder / "rows.npy"
    np.save(path, X.reshape(len(X), 28, 28))
    source = Timed(path)
    parts = {"memory": X.reshape(len(X), 28, 28), "file": source}
    spent: dict[str, list[float]] = {name: [] for name in parts}
    read = total = 0.0
    for _ in range(ROUNDS):  # in turn, since other work on the machine comes and goes
        for name, data in parts.items():
            cpu: list[float] = []
            Timed.seconds, start = 0.0, time.perf_counter()
            wide = vae(max_epochs=5, hidden=WIDE)
            wide.fit(data, callbacks=[lambda _, c=cpu: c.append(time.process_time())])
            spent[name] += np.diff(cpu).tolist()
            if name == "file":
                read, total = read + Timed.seconds, total + time.perf_counter() - start
    rates = {name: 0.9 * len(X) / np.median(each) for name, each in spent.items()}
    for name, each in rates.items():
        print(f"{name:8} {each:10,.0f} rows a CPU second", flush=True)
    print(
        f"file over memory {rates['file'] / rates['memory']:.3f}; reading took {read / total:.2%} "
        "of the time, in a thread of its own"
    )
    path.unlink()


def reading(folder: Path) -> None:
    """Print rows a second of 784 bytes in the order of a training, from disk."""
    path = folder / "bytes.npy"
    generate(path, 2_000_000, np.uint8)
    print("\nrows a second of 784 bytes, cold, in random order of blocks")
    for block_rows in (64, 128, 256, 1_024):
        drop_from_memory(path)
        source = sources.NpySource(path, block_rows)
        order = sources.Order(source, 0, sources.chunk_rows_of(WIDTH))
        reader, start, n = sources.Reader(source), time.perf_counter(), 0
        for chunk in range(0, order.n_chunks, 2):
            n += len(reader.read(order.pieces(0, chunk))[0])
        print(f"blocks of {block_rows:5} {n / (time.perf_counter() - start):12,.0f}", flush=True)
    path.unlink()


def scores(folder: Path) -> None:
    """Encode and score a million rows from a file, in memory, and by two joined processes."""
    path, model, out = (folder / name for name in ("scored.npy", "scored.wp", "log_p.npy"))
    generate(path, SCORED, np.uint8)
    source = sources.NpySource(path)
    fitted = vae(max_epochs=2, devices=1).fit(source.rows(0, 2_000))
    fitted.save(model, overwrite=True)
    X, scoring = np.load(path), {"n_samples": DRAWS, "method": "encoder"}
    print(f"\n{SCORED:,} rows; equal, bit for bit and in order, to those in memory")
    start = time.perf_counter()
    from_file = fitted.transform(source)
    seconds = time.perf_counter() - start
    print(f"latents from a file, {seconds:.0f} s: {np.array_equal(from_file, fitted.transform(X))}")
    inside = fitted.score_samples(X, **scoring)
    start = time.perf_counter()
    from_file = fitted.score_samples(source, **scoring)
    seconds = time.perf_counter() - start
    print(f"scores from a file, {seconds:.0f} s: {np.array_equal(from_file, inside)}", flush=True)
    command = ["-m", "wellposed", "launch", "-n", "2", "--", "score", model, path, "--blocks"]
    command += ["--samples", DRAWS, "--method", "encoder", "-o", out, "--force", "--distributed"]
    start = time.perf_counter()
    subprocess.run([sys.executable, *map(str, command)], check=True, stderr=subprocess.DEVNULL)
    seconds = time.perf_counter() - start
    print(f"scores by two processes, {seconds:.0f} s: {np.array_equal(np.load(out), inside)}")
    for each in (path, model, out):
        each.unlink()


def main() -> None:
    """Run the tables that are asked for."""
    if sys.argv[1:2] == ["job"]:
        kind, path, model = sys.argv[2:]
        print(json.dumps(job(kind, Path(path), Path(model))))
        return
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("tables", nargs="*", default=TABLES, help=", ".join(TABLES))
    parser.add_argument("--gigabytes", type=float, default=20.0)
    parser.add_argument("--rows", type=int, default=60_000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=REPOSITORY / "build" / "scale")
    options = parser.parse_args()
    unknown = sorted(set(options.tables) - set(TABLES))
    if unknown:
        parser.error(f"tables are {', '.join(TABLES)}; got {unknown[0]}")
    options.folder.mkdir(parents=True, exist_ok=True)
    warnings.simplefilter("ignore")
    folder = options.folder
    tables = {
        "memory": lambda: memory(folder, options.gigabytes),
        "rate": lambda: rate(folder, options.rows),
        "reading": lambda: reading(folder),
        "scores": lambda: scores(folder),
        "parallel": lambda: parallel(folder, options.epochs),
        "input": lambda: waiting(folder),
        "faults": lambda: faults(folder, options.kills),
        "bfloat16": lambda: bfloat16(options.seeds, 2 * options.epochs),
    }
    for name in TABLES:
        if name in options.tables:
            tables[name]()


if __name__ == "__main__":
    main()
