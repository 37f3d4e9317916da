"""Test ELBO after each epoch, from networks drawn at random and from the linear solution.

    python -m benchmarks.images.start [--rows 20000] [--epochs 12]

MNIST/255, the first 20,000 images, an MLP 784-500-500-20, one learned σ: mean ELBO of all 10,000
test images, one draw each, nats of pixels in [0, 1] that are not dequantised. The random start and
the linear one share the textbook's settings, N(0, I), relu, Adam at 1e-3 with a cosine over the
epochs; the last training has the library's own defaults. Probabilistic PCA of 20 latents is beside.
"""

import argparse
import time
import warnings
from typing import Any

import jax
import numpy as np

import wellposed as wp
from benchmarks.data import unit_images
from wellposed import evaluation
from wellposed.experiments import TEXTBOOK

K, TARGET, FASTER = 20, 559.0, 5
STARTS: dict[str, dict[str, Any]] = {
    "random": TEXTBOOK,
    "linear": TEXTBOOK | {"linear_start": True},
    "defaults": {"noise": "shared"},
}


def course(train: np.ndarray, test: np.ndarray, **settings: Any) -> tuple[list[float], float]:
    """Return the test ELBO after each epoch, and the seconds of training and evaluation."""
    reached: list[float] = []

    def measure(report: wp.training.EpochReport) -> None:
        terms = evaluation.elbo(report.model, test, n_samples=1, key=jax.random.key(1))
        reached.append(float(np.mean(terms.elbo, dtype=np.float64)))

    begun = time.perf_counter()
    own = {"n_components": K, "hidden": (500, 500), "image_shape": (28, 28), "patience": None}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # constant pixels and short trainings are intended
        wp.VAE(**(settings | own | {"random_state": 0})).fit(train, callbacks=[measure])
    return reached, time.perf_counter() - begun


def main() -> None:
    """Print a line a start, and the epochs until the end of the random one."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--epochs", type=int, default=12)
    given = parser.parse_args()
    train, test = unit_images("mnist", "train", given.rows), unit_images("mnist", "test")
    print(f"MNIST/255, {len(train)} images, {given.epochs} epochs, test ELBO, nats")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # constant pixels
        linear = wp.PPCA(K).fit(train).score(test)
    print(f"{'pPCA':10} log p(x) {linear:.1f}", flush=True)
    end = float("nan")
    for name, settings in STARTS.items():
        reached, seconds = course(train, test, **(settings | {"max_epochs": given.epochs}))
        print(
            f"{name:10} {' '.join(f'{elbo:6.1f}' for elbo in reached)}  {seconds:4.0f} s",
            flush=True,
        )
        if name == "random":
            end = reached[-1]
            continue
        after = next((i for i, elbo in enumerate(reached, 1) if elbo >= end), None)
        met = reached[-1] >= TARGET and after is not None and after <= FASTER
        print(
            f"{'':10} reaches the random start's {end:.1f} after {after} epochs (target {FASTER}), "
            f"ends at {reached[-1]:.1f} (target {TARGET:.0f}): {'met' if met else 'missed'}",
            flush=True,
        )


if __name__ == "__main__":
    main()
