"""Processes of one training that are killed, frozen, stuck or missing; a checkpoint's stop.

    python -m benchmarks.scale faults [--kills 20] [--folder build/scale]

``kills``: one of two processes, at random, is killed (signal 9) at a random moment; the time until
the other has ended is measured, the checkpoint is read, both are started again, and so on. The last
are left to their end, and their model is compared, byte for byte, with that of a training that
nobody killed. ``launched``: the same while processes of ``wellposed launch`` start, which ends all
if one fails, joined or not. ``numbers``: a training is killed on two processes, then on one, then
on four, and ends on two; another ends on two processes of two virtual devices each. ``ends``:
seconds from the moment at which a process freezes, is stuck or does not come, until the gang has
ended, with limits of 10 seconds of silence, 20 for a step and 20 to join; the defaults are 30, none
and 60.
``checkpoint``: how long a training stops for a checkpoint of 16 MB.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

import wellposed as wp
from benchmarks.scale.generated import generate
from wellposed import hosts, serialise

N_ROWS, HEARTBEAT, STEP_TIMEOUT, JOIN_TIMEOUT = 4_000, 10.0, 20.0, 20.0
TWO = "--xla_force_host_platform_device_count=2"
JOINING = f"within {JOIN_TIMEOUT:.0f} s"  # of the messages of a process that waits for others
FIT = """
import os, sys, time, warnings
import wellposed as wp
from wellposed.training import _checkpoint
warnings.simplefilter("ignore")
_checkpoint._SECONDS_BETWEEN = 0.0  # after each epoch
rows, model, checkpoint, what = sys.argv[1:]
place = wp.hosts.find_place(os.environ)
def after(report):
    if place.process == 0:
        print(report.epoch, flush=True)
    if what == "stuck" and place.process == 1 and report.epoch == 2:
        time.sleep(3600)
limits = (float(each) for each in os.environ["LIMITS"].split())
limits = dict(zip(("step_timeout", "heartbeat", "join_timeout"), limits))
with wp.hosts.together(place, **limits):
    vae = wp.VAE(10, hidden=(64,), noise="shared", prior="standard", max_epochs=30, patience=None,
                 random_state=0, checkpoint=checkpoint, progress=False, devices="all")
    vae.fit(wp.sources.open_source(rows), callbacks=[after])
    if place.process == 0:
        vae.save(model, overwrite=True)
"""


class Gang:
    """Processes of one training; ``n`` of them are meant, and those in ``ids`` are started."""

    def __init__(
        self, folder: Path, n: int, name: str, what: str = "", ids: Any = None, flags: str = ""
    ):
        address = f"127.0.0.1:{hosts.free_port()}"
        shared = os.environ | {"WELLPOSED_COORDINATOR": address, "WELLPOSED_PROCESSES": str(n)}
        step = STEP_TIMEOUT if what == "stuck" else 600.0
        shared["LIMITS"] = f"{step} {HEARTBEAT} {JOIN_TIMEOUT}"
        if flags:
            shared["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {flags}".strip()
        self.model, self.checkpoint = folder / f"{name}.wp", folder / f"{name}.ckpt"
        arguments = [folder / "rows.npy", self.model, self.checkpoint, what]
        self.processes = [
            subprocess.Popen(
                [sys.executable, "-c", FIT, *arguments],
                env=shared | {"WELLPOSED_PROCESS": str(i)},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for i in (range(n) if ids is None else ids)
        ]

    def first_epoch(self) -> str:
        """Return the first line of process 0, which is after its first epoch."""
        out = self.processes[0].stdout
        assert out is not None
        return out.readline().strip()

    def wait(self, but: int | None = None, limit: float = 600.0) -> float:
        """Wait for all processes but one; return the seconds, and fail after a limit."""
        begun = time.monotonic()
        for i, process in enumerate(self.processes):
            if i != but:
                process.wait(max(0.1, limit - (time.monotonic() - begun)))
        return time.monotonic() - begun

    def close(self) -> list[str]:
        """End what runs, and return the last line of each process's messages."""
        lines = []
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            _, err = process.communicate()
            lines.append((err.strip().splitlines() or [""])[-1])
        return lines

    @property
    def codes(self) -> list[int | None]:
        """Exit codes."""
        return [process.poll() for process in self.processes]


def finish(folder: Path, n: int, name: str, flags: str = "") -> bytes:
    """Train to the end, and return the model's file."""
    gang = Gang(folder, n, name, flags=flags)
    gang.wait()
    codes, lines = gang.codes, gang.close()
    assert codes == [0] * n, lines
    return gang.model.read_bytes()


def kills(folder: Path, whole: bytes, n_kills: int) -> None:
    """Print how long the other process lives after a kill, and whether the last model is equal."""
    random = np.random.default_rng(0)
    after: dict[str, list[float]] = {"training": [], "limit to join": []}
    codes, moments, unreadable = [], [], 0
    while sum(map(len, after.values())) < n_kills:
        gang = Gang(folder, 2, "killed")
        if random.uniform() < 0.25:  # while they start, join and compile
            time.sleep(random.uniform(0.5, 8.0))
            moments.append("start")
        else:
            moments.append(gang.first_epoch() or "start")
            time.sleep(random.exponential(0.4))
        victim = int(random.integers(2))
        if any(code is not None for code in gang.codes):
            gang.close()
            gang.checkpoint.unlink(missing_ok=True)  # it had ended: begin another
            moments.pop()
            continue
        gang.processes[victim].send_signal(signal.SIGKILL)
        seconds = gang.wait(limit=120.0)
        codes.append(gang.codes[1 - victim])
        waited = "limit to join" if JOINING in gang.close()[1 - victim] else "training"
        after[waited].append(seconds)
        unreadable += not is_readable(gang.checkpoint)
    same = finish(folder, 2, "killed") == whole
    print(f"{n_kills} kills of one of two processes, at epochs {', '.join(moments)}")
    for waited, seconds in after.items():
        if seconds:
            print(f"{waited}: {len(seconds)} times, the other ended after", end=" ")
            print(f"{np.median(seconds):.2f} s, at most {max(seconds):.2f} s")
    print(f"codes {sorted(set(map(str, codes)))}; unreadable checkpoints: {unreadable}", end="; ")
    print(f"the models are equal: {same}", flush=True)


def launched(folder: Path, n_kills: int = 6) -> None:
    """Print how long the others live if ``wellposed launch`` started them, joined or not."""
    random = np.random.default_rng(1)
    command = [sys.executable, "-m", "wellposed", "launch", "-n", "2", "--", "fit"]
    command += [str(folder / "rows.npy"), "-o", str(folder / "launched.wp"), "--distributed"]
    seconds, codes = [], set()
    for _ in range(n_kills):
        launcher = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True
        )
        time.sleep(random.uniform(1.0, 8.0))
        children = Path(f"/proc/{launcher.pid}/task/{launcher.pid}/children").read_text().split()
        begun = time.monotonic()
        os.kill(int(children[int(random.integers(2))]), signal.SIGKILL)
        codes.add(launcher.wait(120.0))
        seconds.append(time.monotonic() - begun)
    print(f"{n_kills} kills within 8 s of `wellposed launch -n 2`: all had ended after", end=" ")
    print(f"{np.median(seconds):.2f} s, at most {max(seconds):.2f} s; codes {codes}", flush=True)


def is_readable(checkpoint: Path) -> bool:
    """Whether a checkpoint is whole, or there is none yet."""
    try:
        serialise.read(checkpoint)
    except FileNotFoundError:
        return True
    except wp.DamagedFileError:
        return False
    return True


def numbers(folder: Path, whole: bytes) -> None:
    """Print whether trainings that change their number of processes end alike."""
    for n in (2, 1, 4):
        interrupt(folder, n, "changed")
    same = finish(folder, 2, "changed") == whole
    print(f"2, 1, 4 and 2 processes, one restart after another: equal to 2: {same}", flush=True)
    interrupt(folder, 2, "square")
    (folder / "square.wp").write_bytes(finish(folder, 2, "square", TWO))
    ours, theirs = (
        np.array(wp.load(folder / f"{name}.wp").history_["held_out_objective"])
        for name in ("square", "whole")
    )
    relative = np.abs(ours / theirs - 1)
    print(
        f"2 processes, then 2 of 2 devices each: {len(ours)} and {len(theirs)} epochs; held-out "
        f"objective {relative.max():.1e} relative, of the last epoch {relative[-1]:.1e}",
        flush=True,
    )


def interrupt(folder: Path, n: int, name: str) -> None:
    """Train for an epoch or more, and kill process 0."""
    gang = Gang(folder, n, name)
    gang.first_epoch()
    time.sleep(0.3)
    gang.processes[0].send_signal(signal.SIGKILL)
    gang.wait(limit=120.0)
    gang.close()


def ends(folder: Path) -> None:
    """Print the seconds until a gang has ended, and the message."""
    for victim in (0, 1):
        gang = Gang(folder, 2, f"frozen{victim}")
        gang.first_epoch()
        gang.processes[victim].send_signal(signal.SIGSTOP)
        seconds = gang.wait(but=victim, limit=200.0)
        gang.processes[victim].send_signal(signal.SIGCONT)
        gang.wait(limit=60.0)
        print(f"process {victim} frozen, heartbeat {HEARTBEAT:.0f} s: {seconds:.1f} s", end="; ")
        print(gang.codes, gang.close()[1 - victim][:90], flush=True)
    gang = Gang(folder, 2, "stuck", "stuck")
    while gang.first_epoch() not in ("2", ""):
        pass
    seconds = gang.wait(limit=200.0)
    print(f"process 1 stuck, step_timeout {STEP_TIMEOUT:.0f} s: {seconds:.1f} s", end="; ")
    print(gang.codes, gang.close()[0][:90], flush=True)
    for present in (0, 1):
        gang = Gang(folder, 2, f"alone{present}", ids=[present])
        seconds = gang.wait(limit=200.0)
        print(f"process {present} alone, {JOIN_TIMEOUT:.0f} s to join: {seconds:.1f} s", end="; ")
        print(gang.codes, gang.close()[0][:90], flush=True)


def checkpoint(folder: Path) -> None:
    """Print how long a training stops for a checkpoint of 16 MB."""
    import jax
    import jax.numpy as jnp

    from wellposed.training import _checkpoint

    _checkpoint._SECONDS_BETWEEN = 0.0
    path = folder / "state.ckpt"
    file = _checkpoint.Checkpoint.at(path, "benchmark")
    state = {"weights": jnp.zeros(4_000_000, jnp.float32)}
    for now in (True, False):
        stops = []
        for _ in range(20):
            state = jax.block_until_ready(jax.tree.map(lambda leaf: leaf + 1, state))
            begun = time.perf_counter()
            file.save(state, (), now=now)
            stops.append(1e3 * (time.perf_counter() - begun))
            while file._pending is not None and not file._pending.done():
                time.sleep(0.01)
        how = "by the training itself" if now else "by a thread"
        print(f"checkpoint of 16 MB {how}: {np.median(stops):.1f} ms, at most {max(stops):.1f} ms")
    path.unlink()


def faults(folder: Path, n_kills: int) -> None:
    """Run all parts."""
    for path in folder.glob("*.ckpt"):
        path.unlink()
    generate(folder / "rows.npy", N_ROWS, np.uint8)
    checkpoint(folder)
    begun = time.perf_counter()
    whole = finish(folder, 2, "whole")
    print(f"two processes, uninterrupted: {time.perf_counter() - begun:.0f} s", flush=True)
    print(f"one process: equal: {finish(folder, 1, 'one') == whole}", flush=True)
    kills(folder, whole, n_kills)
    launched(folder)
    numbers(folder, whole)
    ends(folder)
    for path in [*folder.glob("*.ckpt"), *folder.glob("*.wp"), folder / "rows.npy"]:
        path.unlink()
