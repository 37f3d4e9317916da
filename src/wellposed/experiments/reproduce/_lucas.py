"""Lucas et al. (2019): σ² given at five values and learned from five, on any images.

ELBOs are of test images, in nats and pixel units; σ² is tuned on training images.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from wellposed import evaluation, noise
from wellposed._typing import PRNGKey
from wellposed.estimators import VAE, Grid, fit_grid

from ._cells import Claim, Reproduction
from ._grid_table import Column, Figures, Published, cells_of, figures_of, seeds_of

VARIANCES = (10.0, 1.0, 0.1, 0.01, 0.001)
GIVEN = tuple(f"σ² = {v:g}" for v in VARIANCES)
LEARNED = tuple(f"σ² from {v:g}" for v in VARIANCES)
DATA_DRIVEN = "σ² from the data"

COLUMNS = (
    Column("elbo", "ELBO", "higher"),
    Column("tuned_elbo", "σ²-tuned ELBO", "higher"),
    Column("tuned_variance", "tuned σ²"),
    Column("collapsed", "collapsed"),
    Column("rate", "rate"),
)

# Rows whose residuals tune σ².
_TUNING_ROWS = 20_000


def rows_of_table(only: str | None = None) -> dict[str, Any]:
    """The axis of the grid: a label for each row of the table, and its noise."""
    given = dict(zip(GIVEN, VARIANCES, strict=True))
    learned = {
        label: noise.Gaussian(initial=v) for label, v in zip(LEARNED, VARIANCES, strict=True)
    }
    learned[DATA_DRIVEN] = noise.Gaussian("shared")
    return {"given": given, "learned": learned, None: {**given, **learned}}[only]


def grid(
    vae: VAE,
    X: Any,
    X_test: Any,
    *,
    n_seeds: int,
    folder: Path | None = None,
    progress: bool | str = "auto",
    only: str | None = None,
) -> Grid:
    """Train all rows of the table with all seeds.

    ``only`` is "given" or "learned", for the rows whose σ² is that.
    """
    X, X_test = np.asarray(X), np.asarray(X_test)

    def tuned(fitted: VAE) -> Mapping[str, float]:
        return tuned_figures(fitted, X[:_TUNING_ROWS], X_test)

    return fit_grid(
        vae,
        {"noise": rows_of_table(only), "random_state": range(n_seeds)},
        X,
        X_test=X_test,
        folder=folder,
        measure=tuned,
        progress=progress,
    )


def tuned_figures(fitted: VAE, rows: Any, test: Any) -> dict[str, float]:
    """The σ² that is best for the networks as they are, on training rows, and the ELBO it gives.

    Only log p(x|z) depends on σ²: with R the mean of E_q |y − μ(z)|² over test rows, another σ²
    moves the ELBO by −½(R/σ² + d log σ²) less the same at the model's own.
    """
    key = fitted.key("score")
    own = float(np.mean(fitted.noise_variance_))
    d = np.shape(rows)[1]
    best = _mean_square(fitted, rows, key) / d
    there = _mean_square(fitted, test, key)
    elbo = evaluation.elbo(fitted.model_, test, n_samples=8, key=key).elbo
    moved = -0.5 * (there * (1 / best - 1 / own) + d * math.log(best / own))
    return {"tuned_elbo": float(np.mean(elbo, dtype=np.float64) + moved), "tuned_variance": best}


def _mean_square(fitted: VAE, rows: Any, key: PRNGKey) -> float:
    squares = evaluation.squared_residuals(fitted.model_, rows, key=key)
    return float(squares.mean(dtype=np.float64))


def reproduction(
    found: Grid,
    vae: VAE,
    *,
    name: str,
    title: str,
    settings: Mapping[str, Any],
    published: Mapping[str, Sequence[Published]],
    claims: Sequence[Claim] = (),
    notes: Sequence[str] = (),
) -> Reproduction:
    """Lay the grid beside the published table, where there is one."""
    values = figures_of(found, "noise", COLUMNS)
    cells = cells_of(values, COLUMNS, published)
    common = {
        "seeds": seeds_of(found, "noise"),
        "epochs": vae.max_epochs,
        "warm-up of the KL": f"{vae.kl_warmup} epochs",
    }
    made = (*_claims(values, published), *claims)
    return Reproduction(name, title, {**settings, **common}, cells, made, tuple(notes))


def _claims(values: Figures, published: Mapping[str, Sequence[Published]]) -> tuple[Claim, ...]:
    """What the poster says of its table, where all ten rows were trained."""
    if not {*GIVEN, *LEARNED} <= set(values):
        return ()
    elbo = {label: float(np.mean(figures["elbo"])) for label, figures in values.items()}
    dead = {label: float(np.mean(figures["collapsed"])) for label, figures in values.items()}
    best = {kind: max(elbo[row] for row in kind) for kind in (GIVEN, LEARNED)}
    claims = [
        Claim(
            "The more noise is given, the more latents collapse",
            all(a >= b for a, b in itertools.pairwise(dead[row] for row in GIVEN))
            and dead[GIVEN[0]] > dead[GIVEN[-1]],
            ", ".join(f"{row}: {dead[row]:.0%}" for row in GIVEN),
        ),
        Claim(
            "A learned σ² beats every given one",
            best[LEARNED] > best[GIVEN],
            f"{best[LEARNED]:.1f} against {best[GIVEN]:.1f}",
        ),
    ]
    spread = best[LEARNED] - min(elbo[row] for row in LEARNED)
    theirs = [_number(published[row][0]) for row in LEARNED if row in published]
    if theirs:
        wide = max(theirs) - min(theirs)
        claims.append(
            Claim(
                "Learned from any start, the ELBO spreads at most half as far as the poster's",
                spread <= 0.5 * wide,
                f"{spread:.1f} nats over five starts, published {wide:.1f}",
            )
        )
    return tuple(claims)


def _number(figure: Published) -> float:
    """The number of a published figure, without its error."""
    return figure[0] if isinstance(figure, tuple) else math.nan if figure is None else figure
