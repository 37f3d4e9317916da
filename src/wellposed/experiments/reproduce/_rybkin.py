"""Rybkin, Daniilidis & Levine (2021): where σ comes from decides likelihood and samples.

Pixels are numbers in [0, 1], not dequantised; −log p is the negative ELBO there. Their β-VAE with
weight β is the Gaussian VAE with σ² = β, so that its row here is a σ² that is given.
"""

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from wellposed import datasets, noise
from wellposed.estimators import VAE, fit_grid

from ._cells import Claim, Reproduction
from ._grid_table import Column, Published, cells_of, figures_of, finished, seeds, seeds_of
from ._likeness import Likeness
from ._picture import over_rows

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAME = "rybkin2020"
UNIT, BETA, PER_PIXEL, SHARED = "σ = 1", "β-VAE, best β", "σ(z), one a pixel", "shared σ"
_BETAS = (0.1, 0.01, 0.001)  # from which the β-VAE's is chosen by its samples, as theirs was

COLUMNS = (
    Column("negative_elbo", "−log p ≤, nats", "lower"),
    Column("means", "Fréchet, means", "lower"),
    Column("draws", "Fréchet, draws", "lower"),
    Column("rate", "rate"),
    Column("noise_variance", "σ²"),
)
# −log p and FID of Inception's features.
_THEIRS = {UNIT: (740.5, 59.9), BETA: (-796.2, 53.23), PER_PIXEL: (-2895.0, 132.5)}
_THEIRS |= {SHARED: (-896.1, 32.18)}
PUBLISHED: dict[str, tuple[Published, ...]] = {
    row: (bound, None, None, None, None) for row, (bound, _) in _THEIRS.items()
}
_KINDS: dict[str, dict[str, Any]] = {"means": {"how": "mean"}, "draws": {"how": "ancestral"}}


def template(*, quick: bool) -> VAE:
    """Twenty latents; theirs are convolutions and ten epochs, here two layers of 512.

    Quick: ten epochs, as theirs; else sixty.
    """
    return VAE(
        20,
        hidden=(512, 512),
        image_shape=(28, 28),
        transform="identity",
        batch_size=128,
        max_epochs=10 if quick else 60,
        validation_fraction=0.0,
        patience=None,
    )


def rows_of_table() -> dict[str, Any]:
    """The axis: the sources of σ by name."""
    betas = {f"β = {beta:g}": beta for beta in _BETAS}
    learned = {PER_PIXEL: noise.Gaussian("conditional"), SHARED: noise.Gaussian("shared")}
    return {UNIT: 1.0, **betas, **learned}


def make(
    folder: Path, *, quick: bool, data: Any, progress: bool | str
) -> tuple[Reproduction, "Figure"]:
    """Train the table and lay it out."""
    parts = datasets.load("mnist", cache=data)
    likeness = Likeness(parts, 2_000 if quick else 10_000)

    def measure(fitted: VAE) -> Mapping[str, float]:
        return likeness.of(fitted, _KINDS)

    vae = template(quick=quick)
    found = fit_grid(
        vae,
        {"noise": rows_of_table(), "random_state": range(seeds(quick))},
        parts.train.values / np.float32(255),
        X_test=parts.test.values / np.float32(255),
        folder=folder / "trainings",
        measure=measure,
        progress=progress,
    )
    values = figures_of(finished(found, folder), "noise", (*COLUMNS, Column("elbo", "")))
    for figures in values.values():
        figures["negative_elbo"] = -figures["elbo"]
    best = min((f"β = {beta:g}" for beta in _BETAS), key=lambda row: values[row]["means"].mean())
    values = {BETA if row == best else row: figures for row, figures in values.items()}
    made = Reproduction(
        NAME,
        "Where σ comes from, MNIST (Rybkin et al. 2021)",
        {
            "seeds": seeds_of(found, "noise"),
            "epochs": vae.max_epochs,
            "networks": "784-512-512-20, relu",
            "the best β": best.removeprefix("β = "),
            "Fréchet of real test images": f"{likeness.floor:.2f}",
        },
        cells_of(values, COLUMNS, PUBLISHED),
        claims(values),
        (
            "Fréchet distances are in the features of our classifier; theirs, in Inception's, "
            "are " + ", ".join(f"{row}: {fid}" for row, (_, fid) in _THEIRS.items()) + ".",
        ),
    )
    return made, over_rows(made, ("−log p ≤, nats", "Fréchet, means", "Fréchet, draws"))


def claims(values: Mapping[str, Mapping[str, np.ndarray]]) -> tuple[Claim, ...]:
    """The orders that the source reports."""
    bound, means = (
        {row: float(figures[name].mean()) for row, figures in values.items()}
        for name in ("negative_elbo", "means")
    )
    order = (PER_PIXEL, SHARED, BETA, UNIT)
    return (
        Claim(
            "−log p falls from σ = 1 over the best β and a shared σ to one a pixel",
            all(bound[a] < bound[b] for a, b in itertools.pairwise(order)),
            ", ".join(f"{row}: {bound[row]:.0f}" for row in reversed(order)),
        ),
        Claim(
            "The means of the model with a shared σ look best, and those of σ(z) worst",
            min(order, key=means.__getitem__) == SHARED
            and max(order, key=means.__getitem__) == PER_PIXEL,
            ", ".join(f"{row}: {means[row]:.1f}" for row in order),
        ),
        Claim(
            "With unit variance −log p stays above (d/2) log 2π on any data",
            bool(bound[UNIT] > 392 * np.log(2 * np.pi)),
            f"{bound[UNIT]:.1f} above {392 * np.log(2 * np.pi):.1f}",
        ),
    )
