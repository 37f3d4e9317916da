"""Inference gaps, lagging-inference training, and rate against distortion.

    python -m benchmarks.judge.inference [gaps] [lagging] [curve] [--picture curve.png]

- gaps: log p(x) − ELBO on held-out digits, split into amortisation and approximation gap, for
  encoders of three sizes.
- lagging: binarised MNIST, 3000 images, with networks so deep that plain training leaves most of
  the information in the data unused: plain, with KL warm-up, with the aggressive encoder phase,
  and with both; held-out ELBO, rate, information, latents, seconds.
- curve: rate and distortion of digits over β, with the slope that β should be.
"""

import argparse
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np

import wellposed as wp
from benchmarks.data import images
from wellposed import plotting, training
from wellposed.experiments import TEXTBOOK

N_TRAIN, N_TEST = 3_000, 1_000
EPOCHS = 30
VARIANTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "KL warm-up": {"kl_warmup": 12},
    "lagging": {"encoder_steps": 30},
    "both": {"kl_warmup": 12, "encoder_steps": 30},
}
SMALL: dict[str, Any] = {
    **TEXTBOOK,
    "n_components": 10,
    "hidden": (128,),
    "max_epochs": 60,
    "random_state": 0,
    "image_shape": (8, 8),
}
DEEP: dict[str, Any] = {
    **TEXTBOOK,
    "n_components": 32,
    "noise": wp.noise.Bernoulli(),
    "hidden": (200,) * 4,
    "max_epochs": EPOCHS,
    "batch_size": 50,
    "patience": None,
    "random_state": 0,
}
BETAS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)


def digits() -> tuple[np.ndarray, np.ndarray]:
    """The embedded digits, shuffled: 1400 to train on, 397 held out."""
    rows = np.random.default_rng(0).permutation(wp.datasets.load_digits().values)
    return rows[:1400], rows[1400:]


def binarised() -> tuple[np.ndarray, np.ndarray]:
    """MNIST above and below the middle grey, the first images of either part."""
    parts = images("mnist", "train")[:N_TRAIN], images("mnist", "test")[:N_TEST]
    return tuple((part > 127).astype(np.float32) for part in parts)  # type: ignore[return-value]


def gap_table() -> dict[str, training.InferenceGaps]:
    """Print and return the gaps on 200 held-out digits for each encoder."""
    train, test = digits()
    print("\ndigits, Gaussian, 10 latents: log p(x) − ELBO on 200 held-out rows, nats")
    print(f"{'encoder':>10} {'amortisation':>18} {'approximation':>18} {'total':>18} {'s':>5}")
    found = {}
    for width in (8, 64, 256):
        encoder = wp.nn.MakeMLP((width,))
        vae = wp.VAE(**(SMALL | {"encoder": encoder})).fit(train)
        begun = time.perf_counter()
        gap = vae.amortisation_gap(test[:200])
        gaps = training.inference_gaps(gap, vae.score_samples(test[:200], 5_000))
        found[f"MLP {width}"] = gaps
        print(
            f"{f'MLP {width}':>10} {gaps.amortisation!s:>18} {gaps.approximation!s:>18} "
            f"{gaps.total!s:>18} {time.perf_counter() - begun:5.1f}",
            flush=True,
        )
    return found


def lagging_table() -> dict[str, dict[str, float]]:
    """Print and return the figures of each way of training."""
    train, test = binarised()
    print(f"\nbinarised MNIST, {N_TRAIN} images, MLP 4 × 200, 32 latents, {EPOCHS} epochs")
    print(
        f"{'training':>12} {'ELBO':>16} {'rate':>14} {'I(x; z)':>14} {'active':>7} {'R > 0.1':>8} "
        f"{'phase':>6} {'s':>6}"
    )
    found = {}
    for name, settings in VARIANTS.items():
        begun = time.perf_counter()
        vae = wp.VAE(**(DEEP | settings)).fit(train)
        seconds = time.perf_counter() - begun
        figures, latents = vae.rate_distortion(test), vae.collapse(test)
        low, high = figures.information_range
        phase = int((vae.history_.get("encoder_steps", np.zeros(1)) > 0).sum())
        found[name] = {
            "elbo": figures.elbo.value,
            "rate": figures.rate.value,
            "information": low,
            "active": int(latents.active_units.sum()),
            "seconds": seconds,
        }
        print(
            f"{name:>12} {figures.elbo!s:>16} {figures.rate!s:>14} {low:5.2f} to {high:5.1f} "
            f"{latents.active_units.sum():7} {(latents.rates > 0.1).sum():8} {phase:6} "
            f"{seconds:6.0f}",
            flush=True,
        )
    return found


def curve_table(picture: Path | None = None) -> wp.evaluation.RateDistortionCurve:
    """Print the curve of held-out digits over β, and draw it."""
    train, test = digits()
    vae = wp.VAE(**(SMALL | {"noise": 0.3}))
    curve = wp.rate_distortion_curve(vae, train, test, beta=BETAS)
    print("\ndigits, Gaussian with σ² = 0.3: rate and distortion over β, held out, nats")
    print(curve)
    if picture is not None:
        plotting.rate_distortion(curve).figure.savefig(picture, dpi=100)
        print(f"wrote {picture}")
    return curve


def main() -> None:
    """Print the tables asked for, all by default."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tables", nargs="*", default=["gaps", "lagging", "curve"])
    parser.add_argument("--picture", type=Path)
    arguments = parser.parse_args()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # short trainings and constant features are intended
        if "gaps" in arguments.tables:
            gap_table()
        if "lagging" in arguments.tables:
            lagging_table()
        if "curve" in arguments.tables:
            curve_table(arguments.picture)


if __name__ == "__main__":
    main()
