"""Disentanglement against β, and against the σ² that each β implies.

    python -m benchmarks.tables.disentanglement [--seeds 3] [--epochs 240]
        [--rows 2000] [--betas 0.5 1 2 4 8 16]

VAEs of six latents on ``datasets.blob_images``: images of four known factors with noise of known
variance σ². The noise variance of the models is fixed at σ², and the KL is weighed by β: each is
the VAE of noise variance βσ², which one fit checks. Beside them stand the VAE with its defaults,
whose σ² is learned; PCA; and the latents of β = 1 and of the largest β, those with a rate over 0.1
nats rotated at random, which leaves N(0, I) as it is. Scores are of draws z ~ q(z | x) of 2,000
images not trained on; errors are standard errors over seeds of data and training. ``nats`` is the
held-out ELBO of the model with the implied σ². ``--betas`` chooses the weights.
"""

import argparse
import dataclasses
import time
import warnings
from typing import Any

import jax
import numpy as np
from scipy.stats import ortho_group
from sklearn.decomposition import PCA

import wellposed as wp
from wellposed import evaluation
from wellposed.evaluation._estimate import standard_error
from wellposed.evaluation.variance.affine_units import unit_of

BETAS = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
LATENTS, TEST_ROWS = 6, 2_000
SCORES = (
    "mutual_information_gap",
    "disentanglement",
    "completeness",
    "informativeness",
    "sap",
    "factor_vae",
)
SHORT = ("MIG", "D", "C", "I", "SAP", "FactorVAE", "rate", "nats")


@dataclasses.dataclass(frozen=True)
class Trial:
    """Images to train on and images to measure, of one seed."""

    seed: int
    train: wp.datasets.BlobImages
    test: wp.datasets.BlobImages

    @classmethod
    def of(cls, seed: int, rows: int) -> "Trial":
        generator = np.random.default_rng(seed)
        train, test = (wp.datasets.blob_images(n, seed=generator) for n in (rows, TEST_ROWS))
        return cls(seed, train, test)

    def scores(self, latents: np.ndarray) -> list[float]:
        found = evaluation.disentanglement(
            latents, self.test.factors, random_state=self.seed, n_groups=0
        )
        return [getattr(found, name).value for name in SCORES]

    def fit(self, epochs: int, **settings: Any) -> wp.VAE:
        """A VAE as the literature has it, unless the settings differ."""
        plain: dict[str, Any] = {
            "prior": "standard",
            "linear_start": False,
            "kl_warmup": 0,
            "transform": "identity",
        }
        return wp.VAE(
            LATENTS,
            max_epochs=epochs,
            patience=None,
            progress=False,
            image_shape=self.train.image_shape,
            random_state=self.seed,
            **(plain | settings),
        ).fit(self.train.values)

    def draws(self, vae: wp.VAE) -> np.ndarray:
        key = jax.random.key(self.seed)
        return evaluation.codes(vae.model_, self.test.values, key=key, most=TEST_ROWS).z

    def line(self, vae: wp.VAE, variance: float) -> list[float]:
        """Scores, rate and ELBO; the ELBO of Gaussian noise of the variance, on the test images."""
        key = jax.random.key(self.seed)
        rate = float(evaluation.total_rates(vae.model_, self.test.values, key=key).mean())
        decoded = evaluation.decode(vae.model_, self.draws(vae), how="mean", key=key)
        error = float(((self.test.values - np.asarray(decoded)) ** 2).sum(axis=1).mean())
        d = self.test.values.shape[1]
        elbo = -0.5 * (d * np.log(2 * np.pi * variance) + error / variance) - rate
        return [*self.scores(self.draws(vae)), rate, elbo]


def measure(trial: Trial, epochs: int, betas: list[float]) -> dict[str, list[float]]:
    """Return a line for each model, by its name."""
    lines, sigma = {}, trial.train.noise_variance
    for beta in betas:
        vae = trial.fit(epochs, noise=sigma, beta=beta)
        lines[f"{beta:g}"] = [beta * sigma, *trial.line(vae, beta * sigma)]
        if beta in (1.0, max(betas)):
            lines[f"{beta:g}, rotated"] = [beta * sigma, *rotated(trial, vae)]
    learned: dict[str, Any] = {"prior": "mixture", "linear_start": True, "transform": "auto"}
    vae = trial.fit(epochs, **learned)
    variance = float(
        np.mean(vae.noise_variance_ * unit_of(vae.model_, trial.train.values.shape[1]) ** 2)
    )
    lines["defaults, σ² learned"] = [variance, *trial.line(vae, variance)]
    pca = PCA(LATENTS).fit(trial.train.values)
    scores = trial.scores(pca.transform(trial.test.values))
    lines["PCA"] = [float(pca.noise_variance_), *scores, np.nan, np.nan]
    return lines


def rotated(trial: Trial, vae: wp.VAE) -> list[float]:
    """Mean scores of five random rotations of the latents of a rate over 0.1 nats."""
    z, key = trial.draws(vae), jax.random.key(trial.seed)
    rates = evaluation.rates(vae.model_, trial.test.values, key=key).mean(axis=0)
    used = np.flatnonzero(rates > 0.1)
    found = []
    for seed in range(5):
        turned = z.copy()
        turned[:, used] = z[:, used] @ ortho_group.rvs(len(used), random_state=seed)
        found.append(trial.scores(turned))
    return [*np.mean(found, axis=0), np.nan, np.nan]


def check(trial: Trial, epochs: int) -> float:
    """Largest difference of a score between β = 4 at σ² and β = 1 at 4σ²."""
    sigma = trial.train.noise_variance
    settings: Any = ({"noise": sigma, "beta": 4.0}, {"noise": 4 * sigma, "beta": 1.0})
    found = [trial.scores(trial.draws(trial.fit(epochs, **each))) for each in settings]
    return float(np.abs(np.array(found[0]) - np.array(found[1])).max())


def page(found: list[dict[str, list[float]]]) -> None:
    """Print means and standard errors over seeds, and paired differences to the rotations."""
    print("\n| β | σ² implied | " + " | ".join(SHORT) + " |\n" + "|---" * (len(SHORT) + 2) + "|")
    for name in found[0]:
        values = np.array([lines[name] for lines in found])
        means, errors = values.mean(axis=0), standard_error(values)
        cells = [f"{means[0]:.4f}"]
        cells += [f"{m:.2f} ± {e:.2f}" for m, e in zip(means[1:7], errors[1:7], strict=True)]
        cells += [
            "" if np.isnan(m) else f"{m:.1f} ± {e:.1f}"
            for m, e in zip(means[7:], errors[7:], strict=True)
        ]
        print(f"| {name} | " + " | ".join(cells) + " |")
    for name in (name for name in found[0] if name.endswith(", rotated")):
        plain = name.removesuffix(", rotated")
        gains = np.array([np.subtract(lines[plain], lines[name])[1:7] for lines in found])
        shown = zip(SHORT, gains.mean(axis=0), standard_error(gains), strict=False)
        print(
            f"\nβ = {plain} above its rotation: "
            + ", ".join(f"{s} {m:.2f} ± {e:.2f}" for s, m, e in shown)
        )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=240)
    parser.add_argument("--rows", type=int, default=2_000)
    parser.add_argument("--betas", type=float, nargs="+", default=BETAS)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    start = time.perf_counter()
    found = []
    for seed in range(options.seeds):
        found.append(measure(Trial.of(seed, options.rows), options.epochs, options.betas))
        print(f"seed {seed}: {time.perf_counter() - start:.0f} s", flush=True)
    page(found)
    difference = check(Trial.of(0, options.rows), options.epochs)
    print(f"\nβ = 4 at σ² and β = 1 at 4σ²: no score differs by more than {difference:.4f}")


if __name__ == "__main__":
    main()
