"""Stirn & Knowles (2020): a higher log likelihood can come with a worse mean.

Log likelihoods are of the posterior predictive, pixels are numbers in [0, 1], not dequantised; a
variance's bias is its mean less the mean squared error.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from wellposed import datasets, evaluation, noise
from wellposed.estimators import VAE, fit_grid

from ._cells import Cell, Claim, Reproduction
from ._grid_table import Column, Published, cells_of, figures_of, finished, seeds, seeds_of
from ._picture import over_rows

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAME = "stirn2020"
UNIT, SMALL, FREE = "σ² = 1", "σ² = 0.001", "σ²(z), no floor"
STUDENT, FLOORED, SHARED = "Student t, scale(z)", "σ²(z), floor of the data", "one σ²"
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
    """Their networks, 512-256-128 with elu. Quick: 10 epochs; else 100."""
    return VAE(
        _LATENTS[name],
        hidden=(512, 256, 128),
        activation="elu",
        image_shape=(28, 28),
        transform="identity",
        batch_size=128,
        max_epochs=10 if quick else 100,
        validation_fraction=0.0,
        patience=None,
        allow_unbounded=True,
    )


def rows_of_table() -> dict[str, Any]:
    """The axis: theirs, and what they lack: a floor, and one σ²."""
    return {
        UNIT: 1.0,
        SMALL: 0.001,
        FREE: noise.Gaussian("conditional", floor=0.0),
        STUDENT: noise.StudentT("conditional", floor=0.0, degrees="conditional"),
        FLOORED: noise.Gaussian("conditional"),
        SHARED: noise.Gaussian("shared"),
    }


def make(
    folder: Path, *, quick: bool, data: Any, progress: bool | str
) -> tuple[Reproduction, "Figure"]:
    """Train both tables and lay them out as one."""
    cells: list[Cell] = []
    made_claims: list[Claim] = []
    settings: dict[str, Any] = {"networks": "784-512-256-128, elu"}
    for name in PUBLISHED:
        vae = template(name, quick=quick)
        values, n_seeds = _measured(vae, name, folder, quick, data, progress)
        for cell in cells_of(values, COLUMNS, PUBLISHED[name]):
            cells.append(_named(cell, name))
        made_claims += claims(name, values)
        settings |= {"seeds": n_seeds, "epochs": vae.max_epochs}
    title = "Likelihood beside the error of the mean (Stirn & Knowles 2020)"
    made = Reproduction(NAME, title, settings, tuple(cells), tuple(made_claims))
    return made, over_rows(made, [column.label for column in COLUMNS])


def _measured(
    vae: VAE, name: str, folder: Path, quick: bool, data: Any, progress: bool | str
) -> tuple[dict[str, dict], str]:
    parts = datasets.load(name, cache=data)
    train, test = (part.values / np.float32(255) for part in (parts.train, parts.test))

    def measure(fitted: VAE) -> Mapping[str, float]:
        found = evaluation.posterior_predictive(
            fitted.model_, test, key=jax.random.key(0), n_samples=_DRAWS
        )
        return {
            "log_density": float(found.log_density.mean(dtype=np.float64)),
            "rmse": found.rmse,
            "variance_bias": found.variance_bias,
        }

    found = fit_grid(
        vae,
        {"noise": rows_of_table(), "random_state": range(seeds(quick))},
        train,
        X_test=test,
        folder=folder / f"trainings-{name}",
        measure=measure,
        progress=progress,
    )
    return figures_of(finished(found, folder), "noise", COLUMNS), seeds_of(found, "noise")


def _named(cell: Cell, name: str) -> Cell:
    return dataclasses.replace(cell, row=f"{name}: {cell.row}")


def claims(name: str, values: Mapping[str, Mapping[str, np.ndarray]]) -> list[Claim]:
    """Likelihood and error part ways where σ depends on z."""
    density, rmse, bias = (
        {row: float(figures[column.figure].mean()) for row, figures in values.items()}
        for column in COLUMNS
    )
    return [
        Claim(
            f"{name}: σ²(z) has the higher likelihood and the worse mean, beside σ² = 0.001",
            density[FREE] > density[SMALL] and rmse[FREE] > rmse[SMALL],
            f"{density[FREE]:.0f} against {density[SMALL]:.0f} nats, RMSE {rmse[FREE]:.3f} "
            f"against {rmse[SMALL]:.3f}",
        ),
        Claim(
            f"{name}: one learned σ² has the mean of the best given one, and a variance that is "
            "right",
            rmse[SHARED] <= 1.02 * min(rmse[UNIT], rmse[SMALL])
            and abs(bias[SHARED]) < 0.1 * rmse[SHARED] ** 2,
            f"RMSE {rmse[SHARED]:.3f}, bias {bias[SHARED]:.2g}",
        ),
    ]
