"""Variance split and calibration of trained models on real data, before and after recalibration.

    python -m benchmarks.judge.calibration [wine] [kin8nm] [power-plant] [digits] [--pictures DIR]

Each data set is cut in three at random: a model is trained on the first part (half), its noise is
recalibrated on the second, and it is evaluated on the third, as are the variance split and pPCA.
"""

import argparse
import dataclasses
import warnings
from pathlib import Path

import jax
import numpy as np

import wellposed as wp
from benchmarks.data import root
from wellposed import evaluation, plotting
from wellposed.experiments import TEXTBOOK

FILES = {
    "wine": "uci/wine-quality-red.txt",
    "kin8nm": "uci/kin8nm.txt",
    "power-plant": "uci/power-plant.txt",
}
LATENTS = {"wine": 4, "kin8nm": 6, "power-plant": 3, "digits": 8}
MOST_ROWS = 3_000
JUDGED = 400  # rows for hidden features
NINETY = 2  # position among evaluation's levels
KEY = jax.random.key(0)


@dataclasses.dataclass(frozen=True)
class Parts:
    """Rows for training, recalibration and evaluation; data units."""

    train: np.ndarray
    held_out: np.ndarray
    test: np.ndarray


def parts_of(name: str) -> Parts:
    """Read a data set, at most 3,000 rows of it, and cut it in half, a quarter and a quarter."""
    if name == "digits":
        rows = wp.datasets.load_digits().values
    else:
        rows = wp.datasets.read(root() / FILES[name]).values
    order = np.random.default_rng(0).permutation(len(rows))[:MOST_ROWS]
    n = len(order)
    return Parts(*(np.asarray(rows)[part] for part in np.split(order, [n // 2, 3 * n // 4])))


def train(name: str, parts: Parts) -> wp.VAE:
    """Train one VAE with one noise variance a feature."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pixels that never vary; the budget of epochs
        own = {
            "n_components": LATENTS[name],
            "noise": "feature",
            "image_shape": (8, 8) if name == "digits" else None,
            "hidden": (64, 64),
            "max_epochs": 150,
            "patience": 15,
            "progress": False,
            "random_state": 0,
        }
        return wp.VAE(**(TEXTBOOK | own)).fit(parts.train)


def judge(vae: wp.VAE, parts: Parts) -> tuple[evaluation.Calibration, evaluation.Calibration]:
    """Return the calibration of reconstructions and of hidden features on the third part."""
    return (
        vae.calibration(parts.test),
        vae.calibration(parts.test[:JUDGED], given="features"),
    )


def line(what: str, before: object, after: object) -> None:
    """Print one figure, before and after recalibration."""
    print(f"{what:44} {before!s:>20} {after!s:>20}", flush=True)


def coverage_text(found: evaluation.Calibration) -> str:
    """Format the coverage of the central 90 % with its error."""
    cover = found.coverage
    return f"{cover.coverage[NINETY]:.1%} ± {cover.standard_error[NINETY]:.1%}"


def elbo(vae: wp.VAE, rows: np.ndarray) -> str:
    """Format the mean ELBO of rows with its error, nats a datum."""
    values = vae.elbo(rows).astype(np.float64)
    return f"{values.mean():.3f} ± {values.std(ddof=1) / np.sqrt(len(values)):.3f}"


def report(name: str, pictures: Path | None) -> None:
    """Train, evaluate, recalibrate, evaluate again."""
    parts = parts_of(name)
    vae = train(name, parts)
    d = parts.train.shape[1]
    print(f"\n{name}: {d} features, {len(parts.train)} training rows, {len(parts.test)} test rows")
    print(vae.variance_split(parts.test))
    before, score = judge(vae, parts), elbo(vae, parts.test)
    found = evaluation.recalibrate(vae.model_, vae.rows(parts.held_out), key=KEY)
    print(found)
    vae.recalibrate(parts.held_out)
    after = judge(vae, parts)
    print(f"{'':44} {'before':>20} {'recalibrated':>20}")
    line("coverage of 90 %, reconstructions", coverage_text(before[0]), coverage_text(after[0]))
    line("coverage of 90 %, hidden features", coverage_text(before[1]), coverage_text(after[1]))
    line("CRPS, reconstructions", before[0].crps.mean, after[0].crps.mean)
    line("CRPS, hidden features", before[1].crps.mean, after[1].crps.mean)
    line("CRPS, climatology", before[0].crps.mean_reference, "")
    line("skill, reconstructions", before[0].crps.skill, after[0].crps.skill)
    line("skill, hidden features", before[1].crps.skill, after[1].crps.skill)
    line("ELBO of the third part, nats", score, elbo(vae, parts.test))
    split = vae.variance_split(parts.test)
    line("noise over mean squared residual", "", split.total_ratio)
    line("gain in ELBO left, nats", "", split.gain)
    line("R̂ of the chains", f"{before[1].mixing:.3f}", f"{after[1].mixing:.3f}")
    if pictures is not None:
        draw(name, split, before, pictures)


def draw(
    name: str,
    split: evaluation.VarianceSplit,
    found: tuple[evaluation.Calibration, evaluation.Calibration],
    folder: Path,
) -> None:
    """Save the figures of one data set."""
    folder.mkdir(parents=True, exist_ok=True)
    panels = {
        "split": plotting.variance_split(split),
        "reconstructions": plotting.calibration(found[0]),
        "hidden": plotting.calibration(found[1]),
    }
    if name == "digits":
        panels["split-images"] = plotting.variance_split(split, (8, 8))
    for kind, ax in panels.items():
        ax.figure.savefig(folder / f"{name}-{kind}.png", dpi=100)  # type: ignore[union-attr]


def main() -> None:
    """Print the report of each data set asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=[*FILES, "digits"])
    parser.add_argument("--pictures", type=Path)
    asked = parser.parse_args()
    for name in asked.names:
        report(name, asked.pictures)


if __name__ == "__main__":
    main()
