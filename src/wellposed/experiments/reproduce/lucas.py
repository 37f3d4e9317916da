"""Lucas et al. (2019): five values of σ², given and as starts of a learned σ², on any images.

ELBOs are of test images, in nats and pixel units; σ² is tuned on training images.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from wellposed import evaluation, noise
from wellposed._typing import PRNGKey, Progress
from wellposed.estimators import VAE, Grid, fit_grid

from . import grid_table
from .cells import Claim, Reproduction
from .grid_table import Column, Figures, Job, Published

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
_TUNING_ROWS = 20_000  # training rows on which σ² is tuned
Half: TypeAlias = Literal["given", "learned"]


def rows_of_table(only: Half | None = None) -> dict[str, float | noise.Gaussian]:
    """Return the noise of each row of the table; ``only`` selects the rows of one kind of σ²."""
    given = dict(zip(GIVEN, VARIANCES, strict=True))
    learned = {
        label: noise.Gaussian(initial=v) for label, v in zip(LEARNED, VARIANCES, strict=True)
    }
    learned[DATA_DRIVEN] = noise.Gaussian("shared")
    return {"given": given, "learned": learned, None: {**given, **learned}}[only]


def grid(
    vae: VAE,
    X: npt.ArrayLike,
    X_test: npt.ArrayLike,
    *,
    n_seeds: int,
    folder: Path | None = None,
    progress: Progress = "auto",
    only: Half | None = None,
) -> Grid:
    """Train all rows of the table, or those of one kind of σ², with all seeds."""
    X, X_test = np.asarray(X), np.asarray(X_test)
    return fit_grid(
        vae,
        {"noise": rows_of_table(only), "random_state": range(n_seeds)},
        X,
        X_test=X_test,
        folder=folder,
        measure=lambda fitted: tuned_figures(fitted, X[:_TUNING_ROWS], X_test),
        progress=progress,
    )


def train(job: Job, vae: VAE, X: np.ndarray, X_test: np.ndarray) -> Grid:
    """Train all rows of the table for a recipe.

    Raises
    ------
    UnfinishedError
        After an interruption.
    """
    folder, progress = job.folder / "trainings", job.progress
    trainings = grid(vae, X, X_test, n_seeds=job.n_seeds, folder=folder, progress=progress)
    return grid_table.require_complete(trainings, folder)


def tuned_figures(vae: VAE, rows: np.ndarray, test: np.ndarray) -> dict[str, float]:
    """Return the σ² that is optimal for the trained networks on training rows, and its ELBO.

    Only log p(x|z) depends on σ². With R the mean of E_q |y − μ(z)|² over test rows, changing σ²
    changes the ELBO by the change of −½(R/σ² + d log σ²).
    """
    key = vae.key("score")
    own = float(np.mean(vae.noise_variance_))
    d = rows.shape[1]
    best = _mean_square(vae, rows, key) / d
    test_square = _mean_square(vae, test, key)
    elbo = evaluation.elbo(vae.model_, test, n_samples=8, key=key).elbo
    change = -0.5 * (test_square * (1 / best - 1 / own) + d * math.log(best / own))
    return {"tuned_elbo": float(np.mean(elbo, dtype=np.float64) + change), "tuned_variance": best}


def _mean_square(vae: VAE, rows: np.ndarray, key: PRNGKey) -> float:
    squares = evaluation.squared_residuals(vae.model_, rows, key=key)
    return float(squares.mean(dtype=np.float64))


def reproduction(
    trainings: Grid,
    vae: VAE,
    *,
    name: str,
    title: str,
    settings: Mapping[str, str | int],
    published: Mapping[str, Sequence[Published]],
    claims: Sequence[Claim] = (),
    notes: Sequence[str] = (),
) -> Reproduction:
    """Return our table beside the published one, if there is one."""
    values = grid_table.figures_of(trainings, COLUMNS)
    common = {
        "seeds": grid_table.seeds_of(trainings),
        "epochs": vae.max_epochs,
        "warm-up of the KL": f"{vae.kl_warmup} epochs",
    }
    return Reproduction(
        name,
        title,
        {**settings, **common},
        grid_table.cells_of(values, COLUMNS, published),
        (*_claims(values, published), *claims),
        tuple(notes),
    )


def _claims(values: Figures, published: Mapping[str, Sequence[Published]]) -> tuple[Claim, ...]:
    """Return the poster's claims about its table, if all ten rows were trained."""
    if not {*GIVEN, *LEARNED} <= set(values):
        return ()
    means = grid_table.means_of(values)
    collapsed = [means[row, "collapsed"] for row in GIVEN]
    given, learned = ([means[row, "elbo"] for row in kind] for kind in (GIVEN, LEARNED))
    claims = [
        Claim(
            "The larger the given σ², the more latents collapse",
            all(a >= b for a, b in itertools.pairwise(collapsed)) and collapsed[0] > collapsed[-1],
            ", ".join(f"{row}: {share:.0%}" for row, share in zip(GIVEN, collapsed, strict=True)),
        ),
        Claim(
            "A learned σ² has a higher ELBO than every given one",
            max(learned) > max(given),
            f"{max(learned):.1f} against {max(given):.1f}",
        ),
    ]
    spread = max(learned) - min(learned)
    references = [_number(published[row][0]) for row in LEARNED if row in published]
    if references:
        wide = max(references) - min(references)
        claims.append(
            Claim(
                "The ELBOs of σ² learned from five starts spread at most half as far as the "
                "poster's",
                spread <= 0.5 * wide,
                f"{spread:.1f} nats, published {wide:.1f}",
            )
        )
    return tuple(claims)


def _number(figure: Published) -> float:
    """Return the number of a published figure, without its error."""
    return figure[0] if isinstance(figure, tuple) else math.nan if figure is None else figure
