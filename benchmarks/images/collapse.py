"""What the linear start does to collapse, with the KL's warm-up and without.

    python -m benchmarks.images.collapse [poster] [given] [--full]

``poster`` is the best row of Lucas et al. (2019): MNIST, 200 latents, σ² learned from 1.0, logit of
dequantised pixels; ``wellposed reproduce lucas2019-mnist`` has the whole table. By default 20,000
images and 10 epochs, 2 of them the warm-up of the KL; ``--full`` has the poster's 60,000 and 200,
10 of them the warm-up. From the linear start σ² begins at the value of pPCA instead of 1.0.

``given`` trains 32 latents on the digits in [0, 1] at four noise variances, 300 epochs, a sixth of
them the warm-up, and counts latents that have not collapsed beside ``wellposed.forecast``.

ELBOs are of test images, nats; the poster's in its pixel units. All other settings are the
textbook's: N(0, I) as p(z), relu, Adam, no average of the parameters.
"""

import argparse
import time
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

import wellposed as wp
from benchmarks.data import images
from wellposed.experiments import TEXTBOOK
from wellposed.experiments.reproduce.lucas_mnist import template

QUICK_ROWS = 20_000
VARIANCES = (0.534, 0.139, 0.0361, 0.00309)


def fit(rows: np.ndarray, settings: dict[str, Any]) -> wp.VAE:
    """Fit without the warnings that these trainings intend."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # constant pixels, variances out of proportion
        return wp.VAE(**settings).fit(rows)


def each_start(
    rows: np.ndarray, settings: dict[str, Any], warmup: int
) -> Iterator[tuple[str, wp.VAE, float]]:
    """Yield the model of both starts, with the warm-up and without, and its seconds."""
    for start in ("random", "linear"):
        for epochs in (warmup, 0):
            begun = time.perf_counter()
            own = {"linear_start": start == "linear", "kl_warmup": epochs}
            vae = fit(rows, settings | own)
            yield f"{start:7} {epochs:7}", vae, time.perf_counter() - begun


def mean_elbo(vae: wp.VAE, rows: np.ndarray) -> float:
    """Mean ELBO, nats."""
    return float(vae.elbo(rows, 8).mean(dtype=np.float64))


def poster(*, full: bool) -> None:
    """Print a line a training of the poster's row."""
    train, test = images("mnist", "train"), images("mnist", "test")
    train = train if full else train[:QUICK_ROWS]
    settings = template(quick=not full).get_params()
    settings |= {"noise": wp.noise.Gaussian(initial=1.0), "random_state": 0}
    k, epochs = settings["n_components"], settings["max_epochs"]
    linear = wp.PPCA(k, transform=settings["transform"]).fit(train)
    print(f"MNIST, {len(train)} images, {epochs} epochs, {k} latents")
    print(f"pPCA: log p(x) {linear.score(test):.1f}, σ² {linear.noise_variance_:.3f}")
    print(f"{'start':7} {'warm-up':>7} {'ELBO':>8} {'σ²':>6} {'collapsed':>9} {'rate':>6} {'s':>5}")
    for name, vae, seconds in each_start(train, settings, settings["kl_warmup"]):
        measured = vae.collapse(test)
        print(
            f"{name} {mean_elbo(vae, test):8.1f} {float(np.mean(vae.noise_variance_)):6.3f} "
            f"{measured.collapsed.mean():9.1%} {measured.rates.sum():6.1f} {seconds:5.0f}",
            flush=True,
        )


def given() -> None:
    """Print active latents of the digits at given noise variances."""
    digits = np.random.default_rng(0).permutation(wp.datasets.load_digits().values / 16.0)
    train, test = digits[:1437], digits[1437:]
    k, epochs = 32, 300
    own = {"n_components": k, "transform": "identity", "hidden": (128, 128), "patience": None}
    own |= {"learning_rate": 4e-3, "max_epochs": epochs, "random_state": 0, "progress": False}
    print(f"\ndigits in [0, 1], {epochs} epochs, {k} latents")
    print(
        f"{'σ²':>7} {'forecast':>8} {'start':7} {'warm-up':>7} {'k − collapsed':>13} "
        f"{'active units':>12} {'ELBO':>8} {'over pPCA':>9} {'s':>4}"
    )
    for variance in VARIANCES:
        active = wp.forecast(train, noise_variance=variance, n_components=k).n_active
        exact = wp.PPCA(k, noise=variance).fit(train).score(test)
        settings = TEXTBOOK | own | {"noise": variance}
        for name, vae, seconds in each_start(train, settings, epochs // 6):
            measured, elbo = vae.collapse(test), mean_elbo(vae, test)
            print(
                f"{variance:7} {active:8} {name} {k - int(measured.collapsed.sum()):13} "
                f"{int(measured.active_units.sum()):12} {elbo:8.2f} {elbo - exact:9.2f} "
                f"{seconds:4.0f}",
                flush=True,
            )


def main() -> None:
    """Print the tables asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("parts", nargs="*", help="poster, given; both by default")
    parser.add_argument("--full", action="store_true", help="the poster's rows and epochs")
    arguments = parser.parse_args()
    parts = arguments.parts or ["poster", "given"]
    if unknown := set(parts) - {"poster", "given"}:
        parser.error(f"no part {', '.join(sorted(unknown))}; there are poster, given")
    if "poster" in parts:
        poster(full=arguments.full)
    if "given" in parts:
        given()


if __name__ == "__main__":
    main()
