"""One process at a time: its wall and processor seconds, and what it printed last."""

import dataclasses
import os
import resource
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence

_CACHE_SETTINGS = ("JAX_COMPILATION_CACHE_DIR", "WELLPOSED_COMPILED")


@dataclasses.dataclass(frozen=True)
class Ended:
    """A process that succeeded."""

    wall: float
    cpu: float
    printed: str  # its last line


def run(command: Sequence[str], environment: Mapping[str, str | None] | None = None) -> Ended:
    """Run a command to its end; a variable of value None is left out of its environment.

    Raises
    ------
    RuntimeError
        If the command fails, with the end of its error output.
    """
    merged = {**os.environ, **(environment or {})}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    done = subprocess.run(
        list(command),
        env={name: value for name, value in merged.items() if value is not None},
        capture_output=True,
        text=True,
        check=False,
    )
    wall = time.perf_counter() - started
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[:3])} failed:\n{done.stderr[-2000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Ended(wall, cpu, done.stdout.strip().rpartition("\n")[2])


def cold_and_warm(command: Sequence[str]) -> tuple[Ended, Ended]:
    """Run a command twice: with an empty compiler cache, and with the cache of the first run."""
    with tempfile.TemporaryDirectory() as folder:
        own = dict.fromkeys(_CACHE_SETTINGS) | {"WELLPOSED_CACHE": folder}
        return run(command, own), run(command, own)


def beside(what: str, ended: Ended, peer: Ended, target: float) -> None:
    """Print one line of a table: ours over the peer, by wall clock."""
    ratio = ended.wall / peer.wall
    verdict = "met" if ratio <= target else "missed"
    print(
        f"{what:34} {ended.wall:7.2f} {ended.cpu:7.2f} {ratio:7.2f} {target:7.2f}  {verdict}",
        flush=True,
    )


def heading(peer: str, ended: Ended) -> None:
    """Print the head of that table, with the peer's own figures."""
    print("whole processes, imports included, each alone and one after another; seconds")
    print(f"{'':34} {'wall':>7} {'cpu':>7} {'ratio':>7} {'target':>7}  verdict")
    print(f"{peer:34} {ended.wall:7.2f} {ended.cpu:7.2f} {1:7.2f}")
