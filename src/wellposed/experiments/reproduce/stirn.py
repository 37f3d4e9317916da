"""Stirn & Knowles (2020): a higher log likelihood can come with a worse mean.

Log likelihoods are of the posterior predictive; pixels are numbers in [0, 1], not dequantised. The
bias of a variance is its mean minus the mean squared error.
"""

import dataclasses
from collections.abc import Mapping

import jax
import numpy as np

from wellposed import datasets, evaluation, noise
from wellposed.estimators import VAE, Grid
from wellposed.plotting.canvas import Figure

from . import grid_table
from .cells import Cell, Claim, Reproduction
from .grid_table import Column, Figures, Job, Published
from .picture import over_rows
from .unit_pixels import unit_pixels, unit_vae

NAME = "stirn2020"
UNIT, SMALL, FREE = "σ² = 1", "σ² = 0.001", "σ²(z), no floor"
STUDENT, FLOORED, SHARED = "Student t, scale(z)", "σ²(z), floor of the data", "one σ²"
LIMITED = "σ(z) within tenfold of its own"
COLUMNS = (
    Column("log_density", "log p(x* | x), nats", "higher"),
    Column("rmse", "RMSE", "lower"),
    Column("variance_bias", "variance bias"),
)
PUBLISHED: dict[str, dict[str, tuple[Published, ...]]] = {
    "mnist": {
        UNIT: ((-732.10, 0.11), 0.17, 0.98),
        SMALL: ((-2902.66, 29.23), 0.11, -0.012),
        FREE: ((2593.51, 267.72), 0.25, 0.043),
        STUDENT: ((4826.82, 530.95), 0.27, 0.38),
    },
    "fashion-mnist": {
        UNIT: ((-730.05, 0.11), 0.15, None),
        SMALL: ((-1452.44, 3.65), 0.094, None),
        FREE: ((2154.31, 42.11), 0.25, None),
        STUDENT: ((3134.52, 18.60), 0.29, None),
    },
}
_LATENTS = {"mnist": 10, "fashion-mnist": 25}
_DRAWS = 20


def template(name: str, *, quick: bool) -> VAE:
    """Return a VAE with the source's networks, for 100 epochs, or 4 if quick."""
    return unit_vae(
        _LATENTS[name],
        hidden=(512, 256, 128),
        activation="elu",
        batch_size=128,
        max_epochs=4 if quick else 100,
        allow_unbounded=True,
    )


def rows_of_table() -> dict[str, float | noise.AbstractNoise]:
    """Return the noise of each row: the source's four, two with a floor, and one learned σ²."""
    return {
        UNIT: 1.0,
        SMALL: 0.001,
        FREE: noise.Gaussian("conditional", floor=0.0, ratio=None),
        STUDENT: noise.StudentT("conditional", floor=0.0, degrees="conditional", ratio=None),
        FLOORED: noise.Gaussian("conditional", ratio=None),
        LIMITED: noise.Gaussian("conditional"),
        SHARED: noise.Gaussian("shared"),
    }


def make(job: Job) -> tuple[Reproduction, Figure]:
    """Train the tables of both data sets and combine them in one."""
    cells: list[Cell] = []
    all_claims: list[Claim] = []
    settings: dict[str, str | int] = {"networks": "784-512-256-128, elu"}
    for name in PUBLISHED:
        vae = template(name, quick=job.quick)
        trainings = _train(vae, name, job)
        values = grid_table.figures_of(trainings, COLUMNS)
        cells += (
            dataclasses.replace(cell, row=f"{name}: {cell.row}")
            for cell in grid_table.cells_of(values, COLUMNS, PUBLISHED[name])
        )
        all_claims += claims(name, values)
        settings |= {"seeds": grid_table.seeds_of(trainings), "epochs": vae.max_epochs}
    title = "Likelihood beside the error of the mean (Stirn & Knowles 2020)"
    table = Reproduction(NAME, title, settings, tuple(cells), tuple(all_claims))
    return table, over_rows(table, [column.label for column in COLUMNS])


def _train(vae: VAE, name: str, job: Job) -> Grid:
    train, test = unit_pixels(datasets.load(name, cache=job.data))

    def measure(fitted: VAE) -> Mapping[str, float]:
        predictive = evaluation.posterior_predictive(
            fitted.model_, test, key=jax.random.key(0), n_samples=_DRAWS
        )
        return {
            "log_density": float(predictive.log_density.mean(dtype=np.float64)),
            "rmse": predictive.rmse,
            "variance_bias": predictive.variance_bias,
        }

    folder = f"trainings-{name}"
    return grid_table.train_rows(job, vae, rows_of_table(), train, test, measure, name=folder)


def claims(name: str, values: Figures) -> list[Claim]:
    """Return the claims: where σ depends on z, a better likelihood comes with a worse mean."""
    means = grid_table.means_of(values)
    density, rmse, bias = ({row: means[row, c.figure] for row in values} for c in COLUMNS)
    return [
        Claim(
            f"{name}: σ²(z) has a higher likelihood and a worse mean than σ² = 0.001",
            density[FREE] > density[SMALL] and rmse[FREE] > rmse[SMALL],
            f"{density[FREE]:.0f} against {density[SMALL]:.0f} nats, RMSE {rmse[FREE]:.3f} "
            f"against {rmse[SMALL]:.3f}",
        ),
        Claim(
            f"{name}: one learned σ² has the mean of the best given one, and the correct variance",
            rmse[SHARED] <= 1.02 * min(rmse[UNIT], rmse[SMALL])
            and abs(bias[SHARED]) < 0.1 * rmse[SHARED] ** 2,
            f"RMSE {rmse[SHARED]:.3f}, bias {bias[SHARED]:.2g}",
        ),
    ]
