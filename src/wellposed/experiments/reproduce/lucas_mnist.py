"""Lucas et al. (2019) on MNIST, and the same protocol on Fashion-MNIST."""

import numpy as np

from wellposed import datasets, transforms
from wellposed.estimators import VAE, Grid
from wellposed.plotting.canvas import Figure

from .._textbook import TEXTBOOK
from . import lucas
from .cells import Claim, Reproduction
from .grid_table import Job, Published
from .picture import over_noise

NAME, FASHION = "lucas2019-mnist", "lucas2019-fashion"

# ELBO, σ²-tuned ELBO, tuned σ², share of latents collapsed, rate.
PUBLISHED: dict[str, tuple[Published, ...]] = {
    "σ² = 10": ((-1450.3, 4.2), (-1098.2, 28.3), 1.797, 0.8988, (28.8, 1.4)),
    "σ² = 1": ((-1022.1, 5.4), (-1018.3, 5.3), 1.145, 0.2738, (125.4, 4.2)),
    "σ² = 0.1": ((-3697.3, 493.3), (-1190.8, 37.4), 0.968, 0.0325, (368.7, 94.6)),
    "σ² = 0.01": ((-38612.5, 1189.8), (-2090.8, 975.1), 0.877, 0.0, (695.9, 118.1)),
    "σ² = 0.001": ((-504259.1, 49149.8), (-1744.7, 48.4), 0.810, 0.0, (756.2, 12.6)),
    "σ² from 10": ((-1022.2, 4.5), (-1022.3, 4.6), 1.318, 0.7375, (73.8, 9.8)),
    "σ² from 1": ((-1011.1, 2.7), (-1011.1, 2.8), 1.182, 0.4788, (106.3, 2.5)),
    "σ² from 0.1": ((-1025.4, 8.6), (-1025.4, 8.6), 1.195, 0.2925, (116.1, 11.4)),
    "σ² from 0.01": ((-1030.6, 3.5), (-1030.5, 3.5), 1.191, 0.23, (121.9, 7.7)),
    "σ² from 0.001": ((-1038.7, 5.6), (-1038.8, 5.6), 1.209, 0.27, (124.9, 1.6)),
}
_BEST = -1011.1
_QUICK_ROWS = 20_000
_SHARE = f", the first {_QUICK_ROWS:,} images"


def template(*, quick: bool = False) -> VAE:
    """Return the poster's model: logit of dequantised pixels, two hidden layers, 200 latents.

    ``quick`` reduces the epochs from 200 to 10 and the warm-up from 10 to 2.
    """
    settings = {
        "n_components": 200,
        "hidden": (1024, 512),
        "image_shape": (28, 28),
        "transform": transforms.Logit(256, alpha=1e-6),
        "batch_size": 128,
        "max_epochs": 10 if quick else 200,
        "kl_warmup": 2 if quick else 10,
        "clip_norm": 1000.0,
        "validation_fraction": 0.0,
        "patience": None,
    }
    return VAE(**(TEXTBOOK | settings))


def reproduction(trainings: Grid, vae: VAE, *, quick: bool, name: str = NAME) -> Reproduction:
    """Return our table beside the published one."""
    data = "MNIST" if name == NAME else "Fashion-MNIST"
    return lucas.reproduction(
        trainings,
        vae,
        name=name,
        title=f"Gaussian VAE on {data} (Lucas et al. 2019)",
        settings={
            "networks": "784-1024-512-200, relu",
            "data": f"{data}{_SHARE if quick else ''}, (x + u)/256, logit with α = 1e-6; "
            "test images, pixels in [0, 256]",
        },
        published=PUBLISHED if name == NAME else {},
        claims=() if quick or name != NAME else _claim_of_best(trainings),
    )


def _claim_of_best(trainings: Grid) -> tuple[Claim, ...]:
    ours = [row["elbo"] for row in trainings.rows if row["noise"] == "σ² from 1"]
    if not ours:
        return ()
    best = float(np.mean(ours))
    claim = "Learned from 1.0, the ELBO reaches the poster's best"
    return (Claim(claim, best >= _BEST, f"{best:.1f}, published {_BEST}"),)


def make(job: Job, name: str = NAME) -> tuple[Reproduction, Figure]:
    """Train the table and draw its picture."""
    parts = datasets.load("mnist" if name == NAME else "fashion-mnist", cache=job.data)
    vae = template(quick=job.quick)
    rows = parts.train.values[: _QUICK_ROWS if job.quick else None]
    trainings = lucas.train(job, vae, rows, parts.test.values)
    table = reproduction(trainings, vae, quick=job.quick, name=name)
    return table, over_noise(table, lucas.VARIANCES)
