"""Lucas et al. (2019), the linear VAE: it reaches pPCA, and its collapse foretells the others'.

First their own experiment: MNIST/255, the first thousand images, 200 latents, all of them in every
step; then linear and nonlinear VAEs over σ², with the forecast from the eigenvalues.
"""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from wellposed import datasets, evaluation
from wellposed.estimators import PPCA, VAE, Grid, LinearVAE, fit_grid, forecast

from ._cells import Cell, Claim, Reproduction
from ._grid_table import finished

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAME = "lucas2019-linear"
_K, _N = 200, 1_000
_PUBLISHED = {"pPCA, exact": 941.654, "linear VAE, gradient": 941.936}
LATENTS = 50
VARIANCES = tuple(float(v) for v in np.geomspace(3.0, 0.01, 7))
LINEAR, DEEP, TOLD = "linear VAE", "VAE, one layer of 256", "forecast"


@dataclasses.dataclass(frozen=True, eq=False)
class Climb:
    """ELBO of the linear VAE along its training, and where it ends; nats a datum."""

    elbo: np.ndarray  # after each step, of one draw of z a row
    end: float  # of the last model, of many draws
    exact: float  # pPCA's log likelihood at its maximum
    fixed_point: float  # the linear VAE solved by its fixed point


def linear_vae(k: int, **settings: Any) -> VAE:
    """A VAE whose networks are one linear layer each; nothing is held out."""
    common = {"hidden": (), "transform": "identity", "validation_fraction": 0.0, "patience": None}
    return VAE(k, **{**common, **settings})


def climb(
    rows: np.ndarray, *, epochs: int, rate: float, folder: Path, progress: bool | str
) -> Climb:
    """Train the linear VAE by Adam on all rows at once, as they did."""
    vae = linear_vae(_K, batch_size=len(rows), max_epochs=epochs, learning_rate=rate)
    found = fit_grid(vae, {"random_state": [0]}, rows, folder=folder, progress=progress)
    best = finished(found, folder).best
    exact = PPCA(_K).fit(rows).score(rows)
    solved = LinearVAE(_K, random_state=0).fit(rows)
    terms = evaluation.elbo(best.model_, rows, n_samples=64, key=jax.random.key(0)).elbo
    return Climb(
        elbo=np.asarray(best.history_["objective"], float),
        end=float(terms.mean(dtype=np.float64)),
        exact=float(exact),
        fixed_point=float(solved.elbo_),
    )


def collapses(
    rows: np.ndarray, *, epochs: int, folder: Path, progress: bool | str
) -> dict[str, np.ndarray]:
    """Share of collapsed latents over σ²: linear, nonlinear, foretold."""
    found: dict[str, np.ndarray] = {}
    for label, hidden in ((LINEAR, ()), (DEEP, (256,))):
        vae = linear_vae(
            LATENTS,
            hidden=hidden,
            max_epochs=epochs,
            kl_warmup=epochs // 6,
            learning_rate=4e-3,
            random_state=0,
        )
        where = folder / ("linear" if not hidden else "deep")
        grid: Grid = fit_grid(vae, {"noise": VARIANCES}, rows, folder=where, progress=progress)
        found[label] = np.array([row["collapsed"] for row in finished(grid, where).rows])
    found[TOLD] = np.array(
        [
            1 - forecast(rows, noise_variance=v, n_components=LATENTS).n_active / LATENTS
            for v in VARIANCES
        ]
    )
    return found


def make(
    folder: Path, *, quick: bool, data: Any, progress: bool | str
) -> tuple[Reproduction, "Figure"]:
    """Both experiments, as one table and one figure."""
    images = datasets.load("mnist", cache=data).train.values / np.float32(255)
    epochs = (3_000, 150) if quick else (12_000, 300)
    rate = 4e-3 if quick else 1e-3  # theirs
    climbed = climb(
        images[:_N], epochs=epochs[0], rate=rate, folder=folder / "climb", progress=progress
    )
    few = images[: 5_000 if quick else 20_000]
    dead = collapses(few, epochs=epochs[1], folder=folder, progress=progress)
    return made_of(climbed, dead, epochs, rate, len(few)), figure_of(climbed, dead)


def made_of(
    climbed: Climb, dead: dict[str, np.ndarray], epochs: tuple[int, int], rate: float, n: int
) -> Reproduction:
    """The table: the end of the climb, and the collapse of each model at each σ²."""
    nats = "log likelihood or ELBO, nats"
    cells = [
        Cell("pPCA, exact", nats, climbed.exact, published=_PUBLISHED["pPCA, exact"]),
        Cell("linear VAE, fixed point", nats, climbed.fixed_point),
        Cell("linear VAE, gradient", nats, climbed.end, published=941.936),
    ]
    for label, shares in dead.items():
        cells += [
            Cell(label, f"σ² = {v:.3g}", float(share))
            for v, share in zip(VARIANCES, shares, strict=True)
        ]
    apart = {label: float(np.abs(dead[label] - dead[TOLD]).max()) for label in (LINEAR, DEEP)}
    claims = (
        Claim(
            "At its maximum the linear VAE's ELBO is pPCA's log likelihood",
            abs(climbed.fixed_point - climbed.exact) < 1e-6 * abs(climbed.exact),
            f"{climbed.fixed_point:.6f} and {climbed.exact:.6f}",
        ),
        Claim(
            "Gradient ascent on the stochastic ELBO comes within one part in a hundred of it",
            abs(climbed.end - climbed.exact) < 0.01 * abs(climbed.exact),
            f"{climbed.exact - climbed.end:.2f} nats below after {epochs[0]} steps",
        ),
        Claim(
            "The linear VAE collapses where the eigenvalues say",
            apart[LINEAR] <= 0.1,
            f"at most {apart[LINEAR]:.0%} of the latents apart, over all variances",
        ),
        Claim(
            "The nonlinear VAE collapses as the linear one does, within a quarter of its latents",
            apart[DEEP] <= 0.25,
            f"at most {apart[DEEP]:.0%} apart",
        ),
    )
    settings = {
        "climb": f"{_N} images of MNIST/255 in the order of the files, {_K} latents, Adam {rate:g}",
        "collapse": f"{n} images, {LATENTS} latents, {epochs[1]} epochs",
        "steps": epochs[0],
    }
    title = "The linear VAE and pPCA (Lucas et al. 2019)"
    note = (
        "Their thousand images are another thousand: MNIST in another order has another first "
        "thousand, and log likelihoods of random thousands scatter by 6 nats."
    )
    return Reproduction(NAME, title, settings, tuple(cells), claims, (note,))


def figure_of(climbed: Climb, dead: dict[str, np.ndarray]) -> "Figure":
    """Draw the climb beside pPCA's line, and the share of collapsed latents over σ²."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.0, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.axhline(climbed.exact, color="#444444", lw=1, label="pPCA, exact")
    left.plot(climbed.elbo, color="#1b5e9c", lw=1, label="linear VAE, stochastic ELBO")
    left.set_ylim(climbed.exact - 600, climbed.exact + 60)
    left.set_xlabel("step")
    left.set_ylabel("nats a datum")
    left.legend(frameon=False, fontsize=8)
    styles = {LINEAR: ("#1b5e9c", "o"), DEEP: ("#b5541c", "s"), TOLD: ("#444444", None)}
    for label, shares in dead.items():
        color, marker = styles[label]
        right.plot(VARIANCES, shares, color=color, marker=marker, ms=4, label=label)
    right.set_xscale("log")
    right.set_xlabel("σ², given")
    right.set_ylabel("latents collapsed")
    right.legend(frameon=False, fontsize=8)
    return figure
