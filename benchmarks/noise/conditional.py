"""The trap of σ(z): likelihood beside the error of the means, for each kind of σ.

    python -m benchmarks.noise.conditional [--data NAME ...] [--epochs 100] [--seeds 2]
        [--vae KEY=VALUE ...]

Held-out ELBO in nats a row, and the root mean squared error of held-out reconstructions, in
standard deviations of the columns (shares of 255 for MNIST, of which 6,000 images are trained on,
for a tenth of the epochs), from networks drawn at random and from the linear solution:

- one σ, and one σ a feature;
- σ(z) without limit: f + t softplus(r(z)), as in Stirn & Knowles (2020);
- σ(z) of this library: f + s times a factor from 1/10 to 10, s learned.

All other settings are the textbook's: N(0, I) as p(z), relu, Adam at 1e-3, no average of the
parameters. ``--vae`` changes them.
"""

import argparse
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

import wellposed as wp
from benchmarks.data import images
from benchmarks.density.__main__ import setting
from benchmarks.density.tables import MOST_ROWS, SEVEN, jittered
from wellposed.experiments import TEXTBOOK

IMAGES, N_IMAGES = "mnist", 6_000
KINDS: dict[str, Callable[[], Any]] = {
    "one σ": lambda: "shared",
    "σ a feature": lambda: "feature",
    "σ(z), no limit": lambda: wp.noise.Gaussian("conditional", ratio=None),
    "σ(z)": lambda: "conditional",
}
Split = tuple[np.ndarray, np.ndarray, np.ndarray]  # to fit, held out, unit of the error (d,)


def split_of(name: str, seed: int) -> Split:
    """Return rows to fit, rows held out, and the unit of each column's error."""
    if name == IMAGES:
        train, test = images(name, "train")[:N_IMAGES], images(name, "test")[:1_000]
        return train, test, np.full(train.shape[1], 255.0)
    table = jittered(name, SEVEN[name](), MOST_ROWS).split(seed)
    return table.train, table.test, table.train.std(axis=0)


def settings_of(name: str, d: int, epochs: int) -> dict[str, Any]:
    """Return the recipe: one for tables, one for images."""
    if name != IMAGES:
        own = {"n_components": min(10, d - 1), "hidden": (128, 128), "max_epochs": epochs}
        return TEXTBOOK | own
    epochs = max(1, epochs // 10)
    return TEXTBOOK | {
        "n_components": 32,
        "hidden": (256, 256),
        "transform": wp.transforms.Unit(256),
        "max_epochs": epochs,
        "kl_warmup": int(0.4 * epochs),
    }


def figures(split: Split, settings: dict[str, Any]) -> tuple[float, float]:
    """Return the held-out ELBO and the error of the reconstructions."""
    train, test, unit = split
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # constant pixels and short trainings are intended
        vae = wp.VAE(**settings).fit(train)
    error = (vae.reconstruct(test) - test) / unit
    return float(vae.elbo(test, 8).mean(dtype=np.float64)), float(np.sqrt(np.mean(error**2)))


def main() -> None:
    """Train every kind on every table and print a line each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vae", type=setting, nargs="*", default=[], metavar="KEY=VALUE")
    names = ["concrete", "energy", "kin8nm", IMAGES]
    parser.add_argument("--data", nargs="*", choices=[*SEVEN, IMAGES], default=names)
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--seeds", type=int, default=2)
    arguments = parser.parse_args()
    print(f"{'data':14} {'noise':15} {'start':7} {'ELBO, nats':>11} {'RMSE':>7} {'s':>5}")
    for name in arguments.data:
        splits = [split_of(name, seed) for seed in range(arguments.seeds)]
        recipe = settings_of(name, splits[0][0].shape[1], arguments.epochs)
        recipe |= {"patience": None, **dict(arguments.vae)}
        for linear in (False, True):
            for kind, noise in KINDS.items():
                begun = time.perf_counter()
                own = recipe | {"noise": noise(), "linear_start": linear}
                each = [figures(s, own | {"random_state": i}) for i, s in enumerate(splits)]
                elbo, rmse = np.mean(each, axis=0)
                start = "linear" if linear else "random"
                seconds = time.perf_counter() - begun
                print(
                    f"{name:14} {kind:15} {start:7} {elbo:11.2f} {rmse:7.4f} {seconds:5.0f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
