"""Dai & Wipf (2019): a learned γ, and a second VAE that learns the codes of the first.

γ is σ² here. Pixels are numbers in [0, 1]; samples are means, as theirs are.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from wellposed import datasets, noise
from wellposed.estimators import VAE, fit_grid

from ._cells import Claim, Reproduction
from ._grid_table import Column, cells_of, figures_of, finished, seeds, seeds_of
from ._likeness import Likeness
from ._picture import over_rows

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAME = "daiwipf2019"
FIXED, LEARNED = "γ = 1", "γ learned"
COLUMNS = (
    Column("elbo", "ELBO, nats", "higher"),
    Column("noise_variance", "γ"),
    Column("active", "active latents"),
    Column("standard", "Fréchet, z ~ N(0, I)", "lower"),
    Column("second_stage", "Fréchet, second stage", "lower"),
)
_FID = "VAE with a fixed γ 52.0 ± 0.6, learned 54.5 ± 1.0, two stages 12.6 ± 1.5"
_KINDS: dict[str, dict[str, Any]] = {
    "standard": {"how": "mean"},
    "second_stage": {"how": "mean", "prior": "second-stage"},
}


def template(*, quick: bool) -> VAE:
    """κ = 64 latents; theirs are convolutions and 400 epochs, here two layers of 512.

    Quick: 15 epochs; else 100.
    """
    return VAE(
        64,
        hidden=(512, 512),
        image_shape=(28, 28),
        transform="identity",
        batch_size=64,
        max_epochs=15 if quick else 100,
        kl_warmup=3 if quick else 20,  # or γ = 1 kills all latents before they say anything
        validation_fraction=0.0,
        patience=None,
    )


def make(
    folder: Path, *, quick: bool, data: Any, progress: bool | str
) -> tuple[Reproduction, "Figure"]:
    """Train the table and lay it out."""
    parts = datasets.load("mnist", cache=data)
    likeness = Likeness(parts, 2_000 if quick else 10_000)
    train = parts.train.values / np.float32(255)

    def measure(fitted: VAE) -> Mapping[str, float]:
        fitted.fit_prior("second-stage", train)
        return likeness.of(fitted, _KINDS)

    vae = template(quick=quick)
    found = fit_grid(
        vae,
        {
            "noise": {FIXED: 1.0, LEARNED: noise.Gaussian("shared")},
            "random_state": range(seeds(quick)),
        },
        train,
        X_test=parts.test.values / np.float32(255),
        folder=folder / "trainings",
        measure=measure,
        progress=progress,
    )
    values = figures_of(finished(found, folder), "noise", COLUMNS)
    made = Reproduction(
        NAME,
        "A learned γ and a second stage, MNIST (Dai & Wipf 2019)",
        {
            "seeds": seeds_of(found, "noise"),
            "epochs": vae.max_epochs,
            "networks": "784-512-512-64, relu",
            "Fréchet of real test images": f"{likeness.floor:.2f}",
        },
        cells_of(values, COLUMNS, {}),
        claims(values),
        (f"Fréchet distances are in the features of our classifier; their FID: {_FID}.",),
    )
    return made, over_rows(made, ("Fréchet, z ~ N(0, I)", "Fréchet, second stage"))


def claims(values: Mapping[str, Mapping[str, np.ndarray]]) -> tuple[Claim, ...]:
    """What the source says of γ and of the second stage."""
    of = {
        (row, name): float(figure.mean())
        for row, figures in values.items()
        for name, figure in figures.items()
    }
    learned, two = of[LEARNED, "standard"], of[LEARNED, "second_stage"]
    return (
        Claim(
            "A second stage brings the samples of a learned γ nearer to the data",
            two < learned,
            f"{learned:.1f} to {two:.1f}",
        ),
        Claim(
            "Learned γ with a second stage is the best of all",
            two == min(v for (_, name), v in of.items() if name in _KINDS),
            ", ".join(f"{row}, {name}: {of[row, name]:.1f}" for row in values for name in _KINDS),
        ),
        Claim(
            "Learned, γ falls far below one",
            of[LEARNED, "noise_variance"] < 0.1,
            f"{of[LEARNED, 'noise_variance']:.4f}",
        ),
    )
