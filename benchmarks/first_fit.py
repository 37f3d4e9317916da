"""How long a newcomer waits for a first fit of a small table.

    python -m benchmarks.first_fit --programs

The table is scikit-learn's breast cancer data, 30 columns. ``--programs`` counts the XLA programs
that five fits in one process ask for, one after another (loads from the compiler's cache count
too): the first of 455 rows, then one row more, fewer rows, another k, another noise.
"""

import argparse
import collections
import json
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks import alone

TABLES = Path(__file__).with_name("tables")
PROGRAM_TARGETS = (12, 0, 0, 3, 3)


def main() -> None:
    """Measure what the command line names and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--programs", action="store_true", help="count and name XLA programs")
    parser.add_argument("--epochs", type=int, default=3, help="of each fit of --programs")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = Path(folder) / "rows.npy"
        np.save(rows, breast_cancer())
        if given.programs:
            programs(rows, given.epochs)


def breast_cancer() -> np.ndarray:
    """All 569 rows, float64, shape (569, 30)."""
    from sklearn.datasets import load_breast_cancer

    return np.asarray(load_breast_cancer(return_X_y=True)[0])


def programs(rows: Path, epochs: int) -> None:
    """Print how many programs each fit of one process asked for."""
    script = str(TABLES / "count_programs.py")
    ended = alone.run([sys.executable, script, str(rows), str(epochs)])
    print(f"{'XLA programs':30} {'measured':>9} {'target':>7}  verdict")
    for (what, found), target in zip(json.loads(ended.printed), PROGRAM_TARGETS, strict=True):
        verdict = "met" if len(found) <= target else "missed"
        print(f"{what:30} {len(found):9} {target:7}  {verdict}")
        for name, count in collections.Counter(found).most_common():
            print(f"    {count:3} {name}")


if __name__ == "__main__":
    main()
