"""The models of :mod:`benchmarks.noise`: one recipe for all data, trained once and saved."""

import dataclasses
import json
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import wellposed as wp
from benchmarks.data import REPOSITORY, images, labels, root
from wellposed.experiments import TEXTBOOK

LEVELS = 256
# Long: while the weight of the KL is small, the latents learn structure that the noise would
# otherwise model without them. With causal noise on MNIST, 4 epochs of 8 gave a rate of 11 nats; 8
# of 14 gave 15 nats, a better code length and a third of the Fréchet distance.
WARMUP = 0.4  # share of the epochs
RECIPE: dict[str, Any] = {
    **TEXTBOOK,
    "n_components": 32,
    "hidden": (512, 512),
    "weight_decay": 0.1,
    "validation_fraction": 0.02,
    "patience": None,
    "random_state": 0,
}


@dataclasses.dataclass(frozen=True, eq=False)
class Images:
    """Grey images of 256 levels, for training and for evaluation."""

    name: str
    train: np.ndarray
    test: np.ndarray
    image_shape: tuple[int, int]
    train_labels: np.ndarray | None = None


@dataclasses.dataclass(frozen=True)
class Family:
    """A noise model, the transform that makes its densities bits of a level, its epochs."""

    name: str
    noise: Callable[[], Any]
    transform: Any = "auto"
    epochs: int = 8
    settings: dict[str, Any] = dataclasses.field(default_factory=dict)  # beside the recipe's


def causal() -> wp.noise.AbstractNoise:
    """The causal noise of the tables."""
    return wp.noise.CausalLogistic(LEVELS, window=5, mixture=5, hidden=(32,))


# p(z) learned with the ELBO, and what the defaults have beside it.
LEARNED: dict[str, Any] = {
    "prior": "mixture",
    "n_prior_components": 100,
    "activation": "silu",
    "learning_rate": 2e-3,
    "ema_decay": 0.99,
}
_UNIT, _LOGIT = wp.transforms.Unit(LEVELS), wp.transforms.Logit(LEVELS)
FAMILIES = {
    family.name: family
    for family in (
        Family("causal logistic", causal, epochs=30),
        Family("causal, learned p(z)", causal, epochs=30, settings=LEARNED),
        Family("discretised logistic", lambda: wp.noise.DiscretizedLogistic(LEVELS), epochs=20),
        Family("  mixture of 3", lambda: wp.noise.DiscretizedLogistic(LEVELS, mixture=3)),
        Family("discretised Gaussian", lambda: wp.noise.DiscretizedGaussian(LEVELS)),
        Family("beta-binomial", lambda: wp.noise.BetaBinomial(LEVELS)),
        Family("negative binomial", lambda: wp.noise.NegativeBinomial()),
        Family("Gaussian, shared σ", lambda: "shared", _UNIT, epochs=20),
        Family("Gaussian, σ(z)", lambda: "conditional", _UNIT),
        Family("  no limit", lambda: wp.noise.Gaussian("conditional", ratio=None), _UNIT),
        Family("logit-normal", lambda: "shared", _LOGIT),
        Family("causal Gaussian", lambda: wp.noise.CausalGaussian(5), _UNIT),
        Family("low-rank Gaussian", lambda: wp.noise.LowRankGaussian(5), _UNIT),
        Family("Laplace", lambda: wp.noise.Laplace(), _UNIT),
        Family("Student t", lambda: wp.noise.StudentT(), _UNIT),
        Family("truncated normal", lambda: wp.noise.TruncatedNormal(), _UNIT),
        Family("beta", lambda: wp.noise.Beta(), _UNIT),
        Family("continuous Bernoulli", lambda: wp.noise.ContinuousBernoulli(), _UNIT),
        Family("quantile", lambda: wp.noise.Quantile(), _UNIT),
    )
}


def load(name: str, n_rows: int | None = None) -> Images:
    """MNIST and Fashion-MNIST as published; Frey faces with 200 faces held out at random.

    ``n_rows`` takes the first training images alone.
    """
    if name == "frey-faces":
        faces = np.load(root() / name / "frey_faces_uint8_1965x28x20.npy").reshape(-1, 560)
        shuffled = np.random.default_rng(0).permutation(faces)
        return Images(name, shuffled[200:][:n_rows], shuffled[:200], (28, 20))
    train, classes = images(name, "train")[:n_rows], labels(name, "train")[:n_rows]
    return Images(name, train, images(name, "test"), (28, 28), classes)


@dataclasses.dataclass(frozen=True, eq=False)
class TrainedModel:
    """A fitted model and the seconds that its training took."""

    family: Family
    vae: Any
    seconds: float
    epochs: int


def train(data: Images, family: Family, folder: Path, *, share: float) -> TrainedModel:
    """Train a model, or load it; an interrupted training continues from its checkpoint.

    ``share`` multiplies the epochs. For few rows the epochs are multiplied further, up to the steps
    that sixty thousand rows take in a fifth of the epochs.
    """
    stem = "-".join((data.name, *family.name.split())).lower().replace(",", "")
    folder.mkdir(parents=True, exist_ok=True)
    path, notes = folder / f"{stem}.wp", folder / f"{stem}.json"
    epochs = epochs_of(data, family, share)
    if path.exists() and json.loads(notes.read_text())["epochs"] == epochs:
        return TrainedModel(family, wp.load(path), json.loads(notes.read_text())["seconds"], epochs)
    begun = time.perf_counter()
    own = {
        "noise": family.noise(),
        "transform": family.transform,
        "image_shape": data.image_shape,
        "max_epochs": epochs,
        "checkpoint": folder / f"{stem}.ckpt",
        "kl_warmup": max(1, int(WARMUP * epochs)),
    }
    vae = wp.VAE(**(RECIPE | own | family.settings))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # constant features and short trainings are intended
        vae.fit(data.train)
    seconds = time.perf_counter() - begun
    vae.save(path)
    notes.write_text(json.dumps({"seconds": seconds, "epochs": epochs}))
    return TrainedModel(family, vae, seconds, epochs)


def epochs_of(data: Images, family: Family, share: float) -> int:
    """Return the epochs of a training."""
    few = max(1.0, 0.2 * 60_000 / len(data.train))
    return max(2, round(family.epochs * share * few))


FOLDER = REPOSITORY / "build" / "noise"
