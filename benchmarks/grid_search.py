"""scikit-learn's grid search over VAEs, beside the same grid as a PyTorch loop.

    python -m benchmarks.grid_search --peers PYTHON

``GridSearchCV`` over 2 noises x 2 k x 3 folds on scikit-learn's breast cancer data, each fit
scored on its fold by 128 importance samples a row, the best fitted again on all rows: a whole
process with an empty compiler cache, one with the cache that the first left, and a PyTorch loop
of as many epochs a fit (PYTHON is an interpreter with ``torch==2.13.0``).
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks import alone
from benchmarks.first_fit import TABLES, breast_cancer

TARGET = 1.5


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers", default=sys.executable, help="interpreter with PyTorch")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = Path(folder) / "rows.npy"
        np.save(rows, breast_cancer())
        cold, warm = alone.cold_and_warm([sys.executable, str(TABLES / "ours_grid.py"), str(rows)])
        peer = alone.run([given.peers, str(TABLES / "torch_small.py"), str(rows), cold.printed])
    work = json.loads(cold.printed)
    epochs = sum(fit["epochs"] for fit in (*work["fits"], work["refit"]))
    alone.heading(f"PyTorch, {len(work['fits']) + 1} fits, {epochs} epochs", peer)
    alone.beside("GridSearchCV, empty compiler cache", cold, peer, TARGET)
    alone.beside("GridSearchCV, second process", warm, peer, TARGET)


if __name__ == "__main__":
    main()
