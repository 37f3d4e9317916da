"""Time and programs of a first fit of a small table.

    python -m benchmarks.first_fit --peers PYTHON
    python -m benchmarks.first_fit --programs

The table is scikit-learn's breast cancer data, 30 columns. The first form times whole processes
that fit ``VAE(5)`` to 455 rows: with an empty compiler cache, with the cache of the first
one, and a PyTorch loop of as many epochs (PYTHON is an interpreter with ``torch==2.13.0``).
``--programs`` counts the XLA programs that five fits in one process ask for, one after another
(loads from the compiler's cache count too): the first of 455 rows, then one row more, fewer rows,
another k, another noise.
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
COLD, WARM = 2.0, 1.2


def main() -> None:
    """Measure what the command line names and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--programs", action="store_true", help="count and name XLA programs")
    parser.add_argument("--epochs", type=int, default=3, help="of each fit of --programs")
    parser.add_argument("--peers", default=sys.executable, help="interpreter with PyTorch")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = Path(folder) / "rows.npy"
        if given.programs:
            np.save(rows, breast_cancer())
            programs(rows, given.epochs)
        else:
            np.save(rows, breast_cancer()[:455])
            times(rows, given.peers)


def breast_cancer() -> np.ndarray:
    """All 569 rows, float64, shape (569, 30)."""
    from sklearn.datasets import load_breast_cancer

    return np.asarray(load_breast_cancer(return_X_y=True)[0])


def times(rows: Path, peers: str) -> None:
    """Print seconds of a whole process, ours beside PyTorch's."""
    cold, warm = alone.cold_and_warm([sys.executable, str(TABLES / "ours_fit.py"), str(rows)])
    peer = alone.run([peers, str(TABLES / "torch_small.py"), str(rows), cold.printed])
    alone.heading(f"PyTorch, {json.loads(cold.printed)['epochs']} epochs", peer)
    alone.beside("VAE(5).fit, empty compiler cache", cold, peer, COLD)
    alone.beside("VAE(5).fit, second process", warm, peer, WARM)


def programs(rows: Path, epochs: int) -> None:
    """Print how many programs each fit of one process asked for, and their names."""
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
