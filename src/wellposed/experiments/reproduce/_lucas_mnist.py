"""Lucas et al. (2019) on MNIST, and the same protocol on Fashion-MNIST."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from wellposed import datasets, transforms
from wellposed.estimators import VAE, Grid

from . import _lucas as lucas
from ._cells import Claim, Reproduction
from ._grid_table import Published, finished, seeds
from ._picture import over_noise

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAME, FASHION = "lucas2019-mnist", "lucas2019-fashion"

# ELBO, σ²-tuned ELBO, tuned σ², share of latents collapsed, rate.
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
PUBLISHED: dict[str, tuple[Published, ...]] = {
    **{f"σ² = {v:g}": figures for v, figures in _FIXED.items()},
    **{f"σ² from {v:g}": figures for v, figures in _LEARNED.items()},
}
_BEST = -1011.1
_QUICK_ROWS = 20_000
_SHARE = f", the first {_QUICK_ROWS:,} images"


def template(*, quick: bool = False) -> VAE:
    """The poster's model: logit of dequantised pixels, two hidden layers, 200 latents.

    Quick: 10 epochs instead of 200, 2 of warm-up instead of 10, of the first 20,000 images; the
    networks are the same.
    """
    return VAE(
        n_components=200,
        hidden=(1024, 512),
        activation="relu",
        image_shape=(28, 28),
        transform=transforms.Logit(256, alpha=1e-6),
        batch_size=128,
        learning_rate=1e-3,
        max_epochs=10 if quick else 200,
        kl_warmup=2 if quick else 10,
        clip_norm=1000.0,
        validation_fraction=0.0,
        patience=None,
    )


def reproduction(found: Grid, vae: VAE, *, quick: bool, name: str = NAME) -> Reproduction:
    """Lay the grid beside the published table."""
    data = "MNIST" if name == NAME else "Fashion-MNIST"
    return lucas.reproduction(
        found,
        vae,
        name=name,
        title=f"Gaussian VAE on {data} (Lucas et al. 2019)",
        settings={
            "networks": "784-1024-512-200, relu",
            "data": f"{data}{_SHARE if quick else ''}, (x + u)/256, logit with α = 1e-6; "
            "test images, pixels in [0, 256]",
        },
        published=PUBLISHED if name == NAME else {},
        claims=() if quick or name != NAME else _best_reached(found),
    )


def _best_reached(found: Grid) -> tuple[Claim, ...]:
    ours = [row["elbo"] for row in found.rows if row["noise"] == "σ² from 1"]
    if not ours:
        return ()
    best = float(np.mean(ours))
    return (
        Claim(
            "Learned from 1.0, the ELBO reaches the poster's best",
            best >= _BEST,
            f"{best:.1f}, published {_BEST}",
        ),
    )


def make(
    folder: Path, *, quick: bool, data: Any, progress: bool | str, name: str = NAME
) -> tuple[Reproduction, "Figure"]:
    """Train the table and lay it out."""
    parts = datasets.load("mnist" if name == NAME else "fashion-mnist", cache=data)
    vae = template(quick=quick)
    found = lucas.grid(
        vae,
        parts.train.values[: _QUICK_ROWS if quick else None],
        parts.test.values,
        n_seeds=seeds(quick),
        folder=folder / "trainings",
        progress=progress,
    )
    made = reproduction(finished(found, folder), vae, quick=quick, name=name)
    return made, over_noise(made, lucas.VARIANCES)
