"""Rybkin, Daniilidis & Levine (2021): the choice of σ determines likelihood and samples.

Pixels are numbers in [0, 1], not dequantised; −log p is the negative ELBO there. Their β-VAE with
weight β is the Gaussian VAE with σ² = β, so its row here has a given σ².
"""

import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np

from wellposed import datasets, noise
from wellposed.estimators import VAE
from wellposed.plotting.canvas import Figure

from . import grid_table
from .cells import Claim, Reproduction
from .frechet import FrechetReference
from .grid_table import Column, Figures, Job, Published
from .picture import over_rows
from .unit_pixels import unit_pixels, unit_vae

NAME = "rybkin2020"
UNIT, BETA, PER_PIXEL, SHARED = "σ = 1", "β-VAE, best β", "σ(z), one a pixel", "shared σ"
_BETAS = (0.1, 0.01, 0.001)  # candidates; as in the source, the samples decide which is best

COLUMNS = (
    Column("negative_elbo", "−log p ≤, nats", "lower"),
    Column("means", "Fréchet, means", "lower"),
    Column("draws", "Fréchet, draws", "lower"),
    Column("rate", "rate"),
    Column("noise_variance", "σ²"),
)
# −log p, and the FID in Inception's features.
_PUBLISHED = {
    UNIT: (740.5, 59.9),
    BETA: (-796.2, 53.23),
    PER_PIXEL: (-2895.0, 132.5),
    SHARED: (-896.1, 32.18),
}
PUBLISHED: dict[str, tuple[Published, ...]] = {
    row: (bound, None, None, None, None) for row, (bound, _) in _PUBLISHED.items()
}
_KINDS: dict[str, dict[str, Any]] = {"means": {"how": "mean"}, "draws": {"how": "ancestral"}}


def template(*, quick: bool) -> VAE:
    """Return a VAE with twenty latents and two layers of 512, for sixty epochs, or ten if quick.

    The source has convolutions and ten epochs.
    """
    return unit_vae(20, hidden=(512, 512), batch_size=128, max_epochs=10 if quick else 60)


def rows_of_table() -> dict[str, float | noise.Gaussian]:
    """Return the noise of each row."""
    betas = {f"β = {beta:g}": beta for beta in _BETAS}
    learned = {
        PER_PIXEL: noise.Gaussian("conditional", ratio=None),
        SHARED: noise.Gaussian("shared"),
    }
    return {UNIT: 1.0, **betas, **learned}


def make(job: Job) -> tuple[Reproduction, Figure]:
    """Train the table and draw its picture."""
    parts = datasets.load("mnist", cache=job.data)
    reference = FrechetReference(parts, 2_000 if job.quick else 10_000)

    def measure(fitted: VAE) -> Mapping[str, float]:
        return reference.distances(fitted, _KINDS)

    vae = template(quick=job.quick)
    trainings = grid_table.train_rows(job, vae, rows_of_table(), *unit_pixels(parts), measure)
    values = grid_table.figures_of(trainings, (*COLUMNS, Column("elbo", "")))
    for figures in values.values():
        figures["negative_elbo"] = -figures["elbo"]
    best = min((f"β = {beta:g}" for beta in _BETAS), key=lambda row: values[row]["means"].mean())
    values = {BETA if row == best else row: figures for row, figures in values.items()}
    fids = ", ".join(f"{row}: {fid}" for row, (_, fid) in _PUBLISHED.items())
    table = Reproduction(
        NAME,
        "Where σ comes from, MNIST (Rybkin et al. 2021)",
        {
            "seeds": grid_table.seeds_of(trainings),
            "epochs": vae.max_epochs,
            "networks": "784-512-512-20, relu",
            "the best β": best.removeprefix("β = "),
            "Fréchet of real test images": f"{reference.floor:.2f}",
        },
        grid_table.cells_of(values, COLUMNS, PUBLISHED),
        claims(values),
        (
            "Fréchet distances are in the features of our classifier. The published ones, in "
            f"Inception's features: {fids}.",
        ),
    )
    return table, over_rows(table, ("−log p ≤, nats", "Fréchet, means", "Fréchet, draws"))


def claims(values: Figures) -> tuple[Claim, ...]:
    """Return the orders that the source reports."""
    figures, order = grid_table.means_of(values), (PER_PIXEL, SHARED, BETA, UNIT)
    bound, means = ([figures[row, name] for row in order] for name in ("negative_elbo", "means"))
    constant = 392 * np.log(2 * np.pi)
    return (
        Claim(
            "−log p decreases from σ = 1 to the best β, to a shared σ, to one a pixel",
            all(a < b for a, b in itertools.pairwise(bound)),
            ", ".join(f"{row}: {v:.0f}" for row, v in zip(order[::-1], bound[::-1], strict=True)),
        ),
        Claim(
            "The means of the model with a shared σ are the best, and those of σ(z) the worst",
            order[int(np.argmin(means))] == SHARED and order[int(np.argmax(means))] == PER_PIXEL,
            ", ".join(f"{row}: {value:.1f}" for row, value in zip(order, means, strict=True)),
        ),
        Claim(
            "With unit variance −log p exceeds (d/2) log 2π on any data",
            bool(bound[-1] > constant),
            f"{bound[-1]:.1f} above {constant:.1f}",
        ),
    )
