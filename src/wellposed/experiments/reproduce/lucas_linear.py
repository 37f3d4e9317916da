"""Lucas et al. (2019), the linear VAE: its optimum is pPCA, and its collapse is a forecast.

The first part is their experiment: the first thousand images of MNIST/255, 200 latents, all rows in
every step. The second part compares linear and nonlinear VAEs over σ² with the forecast from the
eigenvalues.
"""

import dataclasses
from typing import Any

import jax
import numpy as np

from wellposed import datasets, evaluation
from wellposed.estimators import PPCA, VAE, LinearVAE, fit_grid, forecast
from wellposed.plotting.canvas import Figure

from .._textbook import TEXTBOOK
from .cells import Cell, Claim, Reproduction
from .grid_table import Job, require_complete

NAME = "lucas2019-linear"
_K, _N = 200, 1_000
_PUBLISHED = {"pPCA, exact": 941.654, "linear VAE, gradient": 941.936}
LATENTS = 50
VARIANCES = tuple(float(v) for v in np.geomspace(3.0, 0.01, 7))
LINEAR, DEEP, FORECAST = "linear VAE", "VAE, one layer of 256", "forecast"


@dataclasses.dataclass(frozen=True, eq=False)
class Ascent:
    """ELBO of the linear VAE during and after gradient ascent, beside its optimum; nats a datum."""

    elbo: np.ndarray  # (steps,), one draw of z a row
    end: float  # of the last model, many draws
    exact: float  # pPCA's log likelihood at its maximum
    fixed_point: float  # of the linear VAE solved by its fixed point


def linear_vae(k: int, **settings: Any) -> VAE:
    """Return a VAE whose networks are one linear layer each; no rows are held out."""
    common = {"hidden": (), "transform": "identity", "validation_fraction": 0.0, "patience": None}
    return VAE(**{**TEXTBOOK, **common, **settings, "n_components": k})


def ascend(rows: np.ndarray, job: Job, *, epochs: int, rate: float) -> Ascent:
    """Train the linear VAE by Adam on all rows at once, as the source does."""
    vae = linear_vae(_K, batch_size=len(rows), max_epochs=epochs, learning_rate=rate)
    folder = job.folder / "climb"
    grid = fit_grid(vae, {"random_state": [0]}, rows, folder=folder, progress=job.progress)
    best: Any = require_complete(grid, folder).best
    exact = PPCA(_K).fit(rows).score(rows)
    solution = LinearVAE(_K, random_state=0).fit(rows)
    terms = evaluation.elbo(best.model_, rows, n_samples=64, key=jax.random.key(0)).elbo
    return Ascent(
        elbo=np.asarray(best.history_["objective"], float),
        end=float(terms.mean(dtype=np.float64)),
        exact=float(exact),
        fixed_point=float(solution.elbo_),
    )


def collapses(rows: np.ndarray, job: Job, *, epochs: int) -> dict[str, np.ndarray]:
    """Return the share of collapsed latents for each σ²: linear, nonlinear and forecast."""
    shares: dict[str, np.ndarray] = {}
    for label, hidden, name in ((LINEAR, (), "linear"), (DEEP, (256,), "deep")):
        vae = linear_vae(
            LATENTS,
            hidden=hidden,
            max_epochs=epochs,
            kl_warmup=epochs // 6,
            learning_rate=4e-3,
            random_state=0,
        )
        folder = job.folder / name
        grid = fit_grid(vae, {"noise": VARIANCES}, rows, folder=folder, progress=job.progress)
        complete = require_complete(grid, folder)
        shares[label] = np.array([row["collapsed"] for row in complete.rows])
    active = [forecast(rows, noise_variance=v, n_components=LATENTS).n_active for v in VARIANCES]
    shares[FORECAST] = 1 - np.array(active) / LATENTS
    return shares


def make(job: Job) -> tuple[Reproduction, Figure]:
    """Run both experiments; return one table and one figure."""
    images = datasets.load("mnist", cache=job.data).train.values / np.float32(255)
    steps, epochs = (3_000, 150) if job.quick else (12_000, 300)
    rate = 4e-3 if job.quick else 1e-3  # the source's
    ascent = ascend(images[:_N], job, epochs=steps, rate=rate)
    rows = images[: 5_000 if job.quick else 20_000]
    shares = collapses(rows, job, epochs=epochs)
    note = (
        "Their thousand images are not ours: MNIST in another order has another first thousand, "
        "and the log likelihoods of random thousands differ by 6 nats."
    )
    table = Reproduction(
        NAME,
        "The linear VAE and pPCA (Lucas et al. 2019)",
        {
            "gradient ascent": f"{_N} images of MNIST/255 in the order of the files, {_K} latents, "
            f"Adam {rate:g}",
            "collapse": f"{len(rows)} images, {LATENTS} latents, {epochs} epochs",
            "steps": steps,
        },
        tuple(_cells(ascent, shares)),
        _claims(ascent, shares, steps),
        (note,),
    )
    return table, _figure(ascent, shares)


def _cells(ascent: Ascent, shares: dict[str, np.ndarray]) -> list[Cell]:
    values = {
        "pPCA, exact": ascent.exact,
        "linear VAE, fixed point": ascent.fixed_point,
        "linear VAE, gradient": ascent.end,
    }
    cells = [
        Cell(row, "log likelihood or ELBO, nats", value, published=_PUBLISHED.get(row))
        for row, value in values.items()
    ]
    return cells + [
        Cell(label, f"σ² = {v:.3g}", float(share))
        for label, row in shares.items()
        for v, share in zip(VARIANCES, row, strict=True)
    ]


def _claims(ascent: Ascent, shares: dict[str, np.ndarray], steps: int) -> tuple[Claim, ...]:
    linear, deep = (float(np.abs(shares[row] - shares[FORECAST]).max()) for row in (LINEAR, DEEP))
    return (
        Claim(
            "At its maximum the linear VAE's ELBO is pPCA's log likelihood",
            abs(ascent.fixed_point - ascent.exact) < 1e-6 * abs(ascent.exact),
            f"{ascent.fixed_point:.6f} and {ascent.exact:.6f}",
        ),
        Claim(
            "Gradient ascent on the stochastic ELBO comes within 1 % of it",
            abs(ascent.end - ascent.exact) < 0.01 * abs(ascent.exact),
            f"{ascent.exact - ascent.end:.2f} nats below after {steps} steps",
        ),
        Claim(
            "The linear VAE collapses as the eigenvalues predict, within a tenth of its latents",
            linear <= 0.1,
            f"the shares differ by at most {linear:.0%} of the latents, over all variances",
        ),
        Claim(
            "The nonlinear VAE collapses as they predict, within a quarter of its latents",
            deep <= 0.25,
            f"by at most {deep:.0%}",
        ),
    )


def _figure(ascent: Ascent, shares: dict[str, np.ndarray]) -> Figure:
    """Draw the ELBO below pPCA's log likelihood, and the share of collapsed latents over σ²."""
    figure = Figure(figsize=(9.0, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.axhline(ascent.exact, color="#444444", lw=1, label="pPCA, exact")
    left.plot(ascent.elbo, color="#1b5e9c", lw=1, label="linear VAE, stochastic ELBO")
    left.set_ylim(ascent.exact - 600, ascent.exact + 60)
    left.set_xlabel("step")
    left.set_ylabel("nats a datum")
    left.legend(frameon=False, fontsize=8)
    styles = {LINEAR: ("#1b5e9c", "o"), DEEP: ("#b5541c", "s"), FORECAST: ("#444444", None)}
    for label, values in shares.items():
        color, marker = styles[label]
        right.plot(VARIANCES, values, color=color, marker=marker, ms=4, label=label)
    right.set_xscale("log")
    right.set_xlabel("σ², given")
    right.set_ylabel("latents collapsed")
    right.legend(frameon=False, fontsize=8)
    return figure
