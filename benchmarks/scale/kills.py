"""A training from a file that is killed at random moments, and its result.

    python -m benchmarks.scale.kills [--kills 20] [--folder build/scale]

A process fits a VAE to a file in blocks, with a checkpoint. It is killed (signal 9) at a random
moment, started again with the same command, and so on; the last is left to its end. Its model is
compared, bit for bit, with that of a process that nobody killed. Printed are the kills, at which
epochs they came, and how many checkpoints could not be read.
"""

import argparse
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from benchmarks.data import REPOSITORY
from benchmarks.scale.generated import generate

N_ROWS = 40_000
FIT = """
import sys, warnings
import wellposed as wp
from wellposed.training import _checkpoint
warnings.simplefilter("ignore")
_checkpoint._SECONDS_BETWEEN = 0.0  # after each epoch
rows, model, checkpoint = sys.argv[1:]
vae = wp.VAE(10, hidden=(64,), noise="shared", prior="standard", max_epochs=40, patience=None,
             random_state=0, checkpoint=checkpoint)
vae.fit(wp.sources.open_source(rows), callbacks=[lambda r: print(r.epoch, flush=True)])
vae.save(model)
"""


def start(rows: Path, model: Path, checkpoint: Path) -> subprocess.Popen:
    """Start the training in a process of its own."""
    command = [sys.executable, "-c", FIT, rows, model, checkpoint]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def first_epoch(process: subprocess.Popen) -> str:
    """Return the first line that a process prints, which is after its first epoch."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def main() -> None:
    """Kill and start again, and compare."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--folder", type=Path, default=REPOSITORY / "build" / "scale")
    options = parser.parse_args()
    folder = options.folder
    folder.mkdir(parents=True, exist_ok=True)
    rows, whole, killed = folder / "rows.npy", folder / "whole.wp", folder / "killed.wp"
    checkpoint = folder / "killed.ckpt"
    for path in (whole, killed, checkpoint, folder / "whole.ckpt"):
        path.unlink(missing_ok=True)
    generate(rows, N_ROWS, np.uint8)
    begun = time.perf_counter()
    process = start(rows, whole, folder / "whole.ckpt")
    _, errors = process.communicate()
    assert process.returncode == 0, errors
    print(f"uninterrupted: {time.perf_counter() - begun:.0f} s", flush=True)
    random, seen, unreadable = np.random.default_rng(0), [], 0
    while len(seen) < options.kills:
        process = start(rows, killed, checkpoint)
        # Some of them before the first epoch.
        early = random.uniform() < 0.2
        if not early:
            seen.append(first_epoch(process) or "none")
            time.sleep(random.exponential(0.5))
        else:
            seen.append("before the first")
            time.sleep(random.uniform(0.5, 6.0))
        if process.poll() is not None:
            unreadable += process.returncode != 0
            seen.pop()
            break
        process.send_signal(signal.SIGKILL)
        process.wait()
    process = start(rows, killed, checkpoint)
    _, errors = process.communicate()
    unreadable += process.returncode != 0
    same = process.returncode == 0 and whole.read_bytes() == killed.read_bytes()
    print(f"{len(seen)} kills, each after the epoch: {', '.join(seen)}")
    print(f"checkpoints that could not be read: {unreadable}; the models are equal: {same}")
    for path in (rows, whole, killed, checkpoint, folder / "whole.ckpt"):
        path.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
