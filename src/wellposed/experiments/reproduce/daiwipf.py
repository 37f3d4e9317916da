"""Dai & Wipf (2019): a learned γ, and a second VAE trained on the codes of the first.

Their γ is our σ². Pixels are numbers in [0, 1]; samples are means μ(z), as in the source.
"""

from collections.abc import Mapping

from wellposed import datasets, noise
from wellposed.estimators import VAE
from wellposed.plotting.canvas import Figure

from . import grid_table
from .cells import Claim, Reproduction
from .frechet import FrechetReference
from .grid_table import Column, Figures, Job
from .picture import over_rows
from .second_stage import second_stage, two_stage_means
from .unit_pixels import unit_pixels, unit_vae

NAME = "daiwipf2019"
FIXED, LEARNED = "γ = 1", "γ learned"
COLUMNS = (
    Column("elbo", "ELBO, nats", "higher"),
    Column("noise_variance", "γ"),
    Column("active", "active latents"),
    Column("standard", "Fréchet, z ~ N(0, I)", "lower"),
    Column("second_stage", "Fréchet, second stage", "lower"),
)
_FID = "VAE with a fixed γ 52.0 ± 0.6, learned 54.5 ± 1.0, two stages 12.6 ± 1.5"
_KINDS = ("standard", "second_stage")


def template(*, quick: bool) -> VAE:
    """Return a VAE with 64 latents and two layers of 512, for 100 epochs, or 15 if quick.

    The source has as many latents, convolutions and 400 epochs.
    """
    return unit_vae(
        64,
        hidden=(512, 512),
        batch_size=64,
        max_epochs=15 if quick else 100,
        kl_warmup=3 if quick else 20,  # without it, all latents collapse early at γ = 1
    )


def make(job: Job) -> tuple[Reproduction, Figure]:
    """Train the table and draw its picture."""
    parts = datasets.load("mnist", cache=job.data)
    reference = FrechetReference(parts, 2_000 if job.quick else 10_000)
    train, test = unit_pixels(parts)

    def measure(fitted: VAE) -> Mapping[str, float]:
        means = two_stage_means(fitted, second_stage(fitted, train), reference.n_samples)
        return {
            **reference.distances(fitted, {"standard": {"how": "mean"}}),
            "second_stage": reference.distance(means),
        }

    vae = template(quick=job.quick)
    rows = {FIXED: 1.0, LEARNED: noise.Gaussian("shared")}
    trainings = grid_table.train_rows(job, vae, rows, train, test, measure)
    values = grid_table.figures_of(trainings, COLUMNS)
    table = Reproduction(
        NAME,
        "A learned γ and a second stage, MNIST (Dai & Wipf 2019)",
        {
            "seeds": grid_table.seeds_of(trainings),
            "epochs": vae.max_epochs,
            "networks": "784-512-512-64, relu",
            "Fréchet of real test images": f"{reference.floor:.2f}",
        },
        grid_table.cells_of(values, COLUMNS, {}),
        claims(values),
        (f"Fréchet distances are in the features of our classifier. The published FIDs: {_FID}.",),
    )
    return table, over_rows(table, ("Fréchet, z ~ N(0, I)", "Fréchet, second stage"))


def claims(values: Figures) -> tuple[Claim, ...]:
    """Return the source's claims about γ and the second stage."""
    means = grid_table.means_of(values)
    learned, two = means[LEARNED, "standard"], means[LEARNED, "second_stage"]
    distances = {(row, name): means[row, name] for row in values for name in _KINDS}
    return (
        Claim(
            "A second stage brings the samples of a learned γ nearer to the data",
            two < learned,
            f"{learned:.1f} to {two:.1f}",
        ),
        Claim(
            "Learned γ with a second stage has the smallest distance of all",
            two == min(distances.values()),
            ", ".join(f"{row}, {name}: {value:.1f}" for (row, name), value in distances.items()),
        ),
        Claim(
            "A learned γ falls far below one",
            means[LEARNED, "noise_variance"] < 0.1,
            f"{means[LEARNED, 'noise_variance']:.4f}",
        ),
    )
