"""Lucas et al. (2019): a hundred trainings, and where fixing σ² or its start leads them.

Their table of the Gaussian VAE on MNIST has ten rows: σ² given at five values, and learned from
five. Figures are means over seeds, ± their standard deviation.
"""

import itertools
import math
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from wellposed import evaluation, noise, transforms
from wellposed._typing import PRNGKey
from wellposed.estimators import VAE, Grid, fit_grid

from ._cells import Cell, Claim, Reproduction

NAME = "lucas2019-mnist"

VARIANCES = (10.0, 1.0, 0.1, 0.01, 0.001)

# ELBO, σ²-tuned ELBO, tuned σ², share of latents collapsed, rate; each with its ± or NaN.
_FIXED = {
    10.0: ((-1450.3, 4.2), (-1098.2, 28.3), 1.797, 0.8988, (28.8, 1.4)),
    1.0: ((-1022.1, 5.4), (-1018.3, 5.3), 1.145, 0.2738, (125.4, 4.2)),
    0.1: ((-3697.3, 493.3), (-1190.8, 37.4), 0.968, 0.0325, (368.7, 94.6)),
    0.01: ((-38612.5, 1189.8), (-2090.8, 975.1), 0.877, 0.0, (695.9, 118.1)),
    0.001: ((-504259.1, 49149.8), (-1744.7, 48.4), 0.810, 0.0, (756.2, 12.6)),
}
_LEARNED = {
    10.0: ((-1022.2, 4.5), (-1022.3, 4.6), 1.318, 0.7375, (73.8, 9.8)),
    1.0: ((-1011.1, 2.7), (-1011.1, 2.8), 1.182, 0.4788, (106.3, 2.5)),
    0.1: ((-1025.4, 8.6), (-1025.4, 8.6), 1.195, 0.2925, (116.1, 11.4)),
    0.01: ((-1030.6, 3.5), (-1030.5, 3.5), 1.191, 0.23, (121.9, 7.7)),
    0.001: ((-1038.7, 5.6), (-1038.8, 5.6), 1.209, 0.27, (124.9, 1.6)),
}
PUBLISHED = {
    **{f"σ² = {v:g}": figures for v, figures in _FIXED.items()},
    **{f"σ² from {v:g}": figures for v, figures in _LEARNED.items()},
}
DATA_DRIVEN = "σ² from the data"
_BEST = -1011.1

COLUMNS = ("ELBO", "σ²-tuned ELBO", "tuned σ²", "collapsed", "rate")
_BETTER = ("higher", "higher", "", "", "")

# Rows whose residuals tune σ².
_TUNING_ROWS = 20_000


def template(*, quick: bool = False) -> VAE:
    """The poster's model: logit of dequantised pixels, two hidden layers, 200 latents.

    Quick: 15 epochs instead of 200, 2 of warm-up instead of 10; the networks are the same.
    """
    return VAE(
        n_components=200,
        hidden=(1024, 512),
        activation="relu",
        image_shape=(28, 28),
        transform=transforms.Logit(256, alpha=1e-6),
        batch_size=128,
        learning_rate=1e-3,
        max_epochs=15 if quick else 200,
        kl_warmup=2 if quick else 10,
        clip_norm=1000.0,
        validation_fraction=0.0,
        patience=None,
    )


def rows_of_table(only: str | None = None) -> dict[str, Any]:
    """The axis of the grid: a label for each row of the table, and its noise."""
    given = {f"σ² = {v:g}": v for v in VARIANCES}
    learned = {f"σ² from {v:g}": noise.Gaussian(initial=v) for v in VARIANCES}
    learned[DATA_DRIVEN] = noise.Gaussian("shared")
    return {"given": given, "learned": learned, None: {**given, **learned}}[only]


def grid(
    X: Any,
    X_test: Any,
    *,
    quick: bool = False,
    n_seeds: int | None = None,
    folder: Path | None = None,
    progress: bool | str = "auto",
    vae: VAE | None = None,
    only: str | None = None,
) -> Grid:
    """Train all rows of the table with all seeds, five or, quick, one.

    ``only`` is "given" or "learned", for the rows whose σ² is that.
    """
    X, X_test = np.asarray(X), np.asarray(X_test)
    seeds = range(n_seeds or (1 if quick else 5))

    def tuned(fitted: VAE) -> Mapping[str, float]:
        return tuned_figures(fitted, X[:_TUNING_ROWS], X_test)

    return fit_grid(
        template(quick=quick) if vae is None else vae,
        {"noise": rows_of_table(only), "random_state": seeds},
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
    key = fitted._key("score")
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


def reproduction(found: Grid, vae: VAE, *, quick: bool) -> Reproduction:
    """Lay the grid beside the published table."""
    names = ("elbo", "tuned_elbo", "tuned_variance", "collapsed", "rate")
    cells = []
    values: dict[str, dict[str, np.ndarray]] = {}
    for row in found.rows:
        for name in names:
            of_row = values.setdefault(row["noise"], {})
            of_row[name] = np.append(of_row.get(name, []), row.get(name, np.nan))
    for label, figures in values.items():
        published = PUBLISHED.get(label, (None,) * len(names))
        for name, column, better, there in zip(names, COLUMNS, _BETTER, published, strict=True):
            value, error = _mean(figures[name])
            there, its_error = there if isinstance(there, tuple) else (there, math.nan)
            cells.append(Cell(label, column, value, error, there, its_error, better))
    settings = {
        "seeds": _seeds(found),
        "networks": "784-1024-512-200, relu",
        "epochs": vae.max_epochs,
        "warm-up of the KL": f"{vae.kl_warmup} epochs",
        "data": "MNIST, (x + u)/256, logit with α = 1e-6; test images, pixels in [0, 256]",
    }
    title = "Gaussian VAE on MNIST (Lucas et al. 2019)" + (", quick" if quick else "")
    return Reproduction(NAME, title, settings, tuple(cells), _claims(values, quick))


def _seeds(found: Grid) -> str:
    """How many seeds the rows have: one number, or the range of it."""
    counts = Counter(row["noise"] for row in found.rows).values()
    low, high = min(counts), max(counts)
    return f"{low}" if low == high else f"{low} to {high}"


def _mean(values: np.ndarray) -> tuple[float, float]:
    """Mean and standard deviation over seeds, as the poster has them."""
    spread = values.std(ddof=1) if len(values) > 1 else math.nan
    return float(values.mean()), float(spread)


def _claims(values: dict[str, dict[str, np.ndarray]], quick: bool) -> tuple[Claim, ...]:
    elbo = {label: float(np.mean(figures["elbo"])) for label, figures in values.items()}
    dead = {label: float(np.mean(figures["collapsed"])) for label, figures in values.items()}
    learned = [f"σ² from {v:g}" for v in VARIANCES]
    given = [f"σ² = {v:g}" for v in VARIANCES]
    spread = max(elbo[row] for row in learned) - min(elbo[row] for row in learned)
    theirs = [figures[0][0] for figures in _LEARNED.values()]
    theirs = max(theirs) - min(theirs)
    falls = [dead[row] for row in given]
    claims = [
        Claim(
            "The more noise is given, the more latents collapse",
            all(a >= b for a, b in itertools.pairwise(falls)),
            ", ".join(f"{row}: {dead[row]:.0%}" for row in given),
        ),
        Claim(
            "A learned σ² beats every given one",
            max(elbo[row] for row in learned) > max(elbo[row] for row in given),
            f"{max(elbo[row] for row in learned):.1f} against "
            f"{max(elbo[row] for row in given):.1f}",
        ),
        Claim(
            "Learned from any start, the ELBO spreads at most half as far as the poster's",
            spread <= 0.5 * theirs,
            f"{spread:.1f} nats over five starts, published {theirs:.1f}",
        ),
    ]
    if not quick:
        best = elbo["σ² from 1"]
        claims.append(
            Claim(
                "Learned from 1.0, the ELBO reaches the poster's best",
                best >= _BEST,
                f"{best:.1f}, published {_BEST}",
            )
        )
    return tuple(claims)
