"""Count noise on single cells: held-out ELBO of 1,000 cells, paired with Poisson's.

python -m benchmarks.noise.counts [--epochs 40]
"""

import argparse
import math
import warnings

import numpy as np

import wellposed as wp
from benchmarks.data import root
from wellposed.experiments import TEXTBOOK

CELLS = "single-cell/mouse_brain_10x_10000x1000_counts_csr.npz"
HELD_OUT = 1_000


def main() -> None:
    """Train the four, one after another, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=40)
    epochs = parser.parse_args().epochs
    rows = np.random.default_rng(0).permutation(wp.datasets.read(root() / CELLS).values)
    poisson, negative_binomial = wp.noise.Poisson, wp.noise.NegativeBinomial
    base = None
    for noise in (poisson(), poisson(True), negative_binomial(True), negative_binomial()):
        settings = {"n_components": 5, "noise": noise, "hidden": (128,), "max_epochs": epochs}
        vae = wp.VAE(**(TEXTBOOK | settings | {"random_state": 0, "patience": None}))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # short trainings are intended
            elbo = vae.fit(rows[HELD_OUT:]).elbo(rows[:HELD_OUT]).astype(float)
        base = elbo if base is None else base
        gain = elbo - base
        name = f"{type(noise).__name__}(library={noise.library})"
        error = gain.std() / math.sqrt(len(gain))
        print(
            f"{name:32}{elbo.mean():10.2f} nats a cell  {gain.mean():+.2f} ± {error:.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
