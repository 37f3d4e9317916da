"""Run one contender, one epoch for each line on standard input."""

import importlib
import sys
import time
from pathlib import Path


class Turns:
    """Print the seconds of the epoch that ended, and wait for the next line."""

    def __init__(self) -> None:
        self._started = time.perf_counter()

    def __call__(self, *_: object) -> None:
        print(f"{time.perf_counter() - self._started:.6f}", flush=True)
        if sys.stdin.readline().strip() != "go":
            sys.exit(0)
        self._started = time.perf_counter()


def main() -> None:
    """Train the contender and the case named on the command line."""
    sys.path.insert(0, str(Path(__file__).parents[1]))
    contender, case = sys.argv[1:3]
    cases = importlib.import_module("benchmarks.cases")
    module = importlib.import_module(f"benchmarks.contenders.{contender}")
    module.train(cases.CASES[case], Turns())


if __name__ == "__main__":
    main()
