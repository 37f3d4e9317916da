"""Seconds an epoch, ours beside a tight PyTorch loop, pythae and the matrix products alone.

    python -m benchmarks.train [mlp] [conv32] [conv64] --peers PYTHON
        [--epochs 7] [--rounds 1]

Each contender runs alone in a process of its own, one after another: those that take turns slow
one another, since they share caches and the clock's frequency. The machine must
therefore be quiet from the first to the last; ``--rounds`` repeats the whole sequence, and the
fastest of each contender's rounds counts. Peers need an environment with ``torch==2.13.0`` and
``pythae==0.1.2``; ``--peers`` is its interpreter.
"""

import argparse
import contextlib
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.cases import CASES

WARM_UP = 2
CONTENDERS = {
    "mlp": ("ours", "torch_loop", "pythae_trainer", "products"),
    "conv32": ("ours", "torch_loop"),
    "conv64": ("ours", "torch_loop"),
}
# reference: the ratio seconds(reference) / seconds(ours) must reach this
TARGETS = {
    ("mlp", "torch_loop"): 2.0,
    ("mlp", "pythae_trainer"): 2.8,
    ("mlp", "products"): 1 / 1.07,
    ("conv32", "torch_loop"): 1.1,
    ("conv64", "torch_loop"): 1.0,
}


class Runner:
    """A contender in its own process."""

    def __init__(self, name: str, case: str, python: str):
        worker = str(Path(__file__).with_name("worker.py"))
        self.name = name
        self.seconds: list[float] = []
        self._complaints = tempfile.TemporaryFile("w+")  # noqa: SIM115 - lives as long as the process
        self._process = subprocess.Popen(
            [python, worker, name, case],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            text=True,
        )
        self._read()  # the first epoch, with its compilation

    def epoch(self) -> None:
        """Run one epoch and keep its time."""
        assert self._process.stdin is not None
        print("go", file=self._process.stdin, flush=True)
        self.seconds.append(self._read())

    def close(self) -> None:
        """Let the process end."""
        with contextlib.suppress(BrokenPipeError):
            self._process.communicate("stop\n", timeout=60)

    def _read(self) -> float:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._complaints.seek(0)
            raise RuntimeError(f"{self.name} ended early:\n{self._complaints.read()[-2000:]}")
        return float(line)


def alone(name: str, case: str, epochs: int, python: str) -> float:
    """Median seconds an epoch of one contender, with none beside it."""
    runner = Runner(name, case, python)
    try:
        for _ in range(WARM_UP + epochs):
            runner.epoch()
    finally:
        runner.close()
    return statistics.median(runner.seconds[WARM_UP:])


def measure(case: str, epochs: int, rounds: int, peers: str) -> dict[str, float]:
    """Median seconds an epoch of each contender, one contender after another."""
    found: dict[str, float] = {}
    for _ in range(rounds):
        for name in CONTENDERS[case]:
            python = sys.executable if name in ("ours", "products") else peers
            seconds = alone(name, case, epochs, python)
            found[name] = min(seconds, found.get(name, seconds))
    return found


def main() -> None:
    """Measure the cases asked for and print a table of ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", help=f"of {', '.join(CASES)}; all by default")
    parser.add_argument("--peers", default=sys.executable)
    parser.add_argument("--epochs", type=int, default=7)
    parser.add_argument("--rounds", type=int, default=1)
    arguments = parser.parse_args()
    print(
        "Each contender alone in its own process, one after another; median of "
        f"{arguments.epochs} epochs after {WARM_UP}, fastest of {arguments.rounds} round(s)."
    )
    print(f"{'case':8} {'reference':15} {'reference/ours':>14} {'target':>7} {'limit':>6}  verdict")
    for case in arguments.cases or CASES:
        seconds = measure(case, arguments.epochs, arguments.rounds, arguments.peers)
        for name in CONTENDERS[case][1:]:
            ratio, target = seconds[name] / seconds["ours"], TARGETS[case, name]
            verdict = "met" if ratio >= target else "missed"
            # The ratio of a loop that takes no time beside its matrix products.
            limit = f"{seconds[name] / seconds['products']:.2f}" if "products" in seconds else ""
            print(f"{case:8} {name:15} {ratio:14.2f} {target:7.2f} {limit:>6}  {verdict}")
        listed = ", ".join(f"{name} {value:.3f} s" for name, value in seconds.items())
        print(f"{'':8} {listed}")


if __name__ == "__main__":
    main()
