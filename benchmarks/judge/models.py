"""The models of :mod:`benchmarks.judge.likelihood`; the slow ones are trained once and saved."""

import math
import time
import warnings
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

import wellposed as wp
from benchmarks.data import REPOSITORY, images
from wellposed import latents, models, nn, noise, transforms
from wellposed.experiments import TEXTBOOK
from wellposed.numerics import inverse_positive

FOLDER = REPOSITORY / "build" / "judge"
LEVELS = 256
_EPOCHS = 12  # about five minutes on two idle cores


def exact_model(spread: float, *, d: int = 20, k: int = 5, variance: float = 0.3, seed: int = 0):
    """Return a linear-Gaussian model with the exact encoder but for its scale, times ``spread``."""
    rng = np.random.default_rng(seed)
    basis, _ = np.linalg.qr(rng.normal(size=(d, k)))
    loadings = basis * np.linspace(2.0, 1.0, k)
    precision = (loadings**2).sum(0) + variance
    scale = spread * np.sqrt(variance / precision)
    raw = np.asarray(inverse_positive(jnp.asarray(scale)))
    weight = np.concatenate([loadings / precision, np.zeros((d, k))], axis=1)
    single = jnp.float32
    return models.VAEModel(
        transforms.Identity(),
        latents.StandardNormal(k),
        nn.Linear(jnp.asarray(weight, single), jnp.asarray(np.r_[np.zeros(k), raw], single)),
        latents.DiagonalNormal(),
        nn.Linear(jnp.asarray(loadings.T, single), jnp.zeros(d, single)),
        noise.Gaussian(variance),
    )


def initial_model(kind: str) -> models.VAEModel:
    """Return the untrained 784-500-500-20 model of the timing, with Gaussian or Bernoulli noise."""
    encoder_key, decoder_key = jax.random.split(jax.random.key(0))
    make = nn.MakeMLP((500, 500))
    observation = noise.Gaussian(0.05)
    if kind == "bernoulli":
        rows = (images("mnist", "train")[:1_000] > 127).astype(np.float32)
        summary = transforms.summarise(rows, None)
        moments = transforms.Identity().moments(summary, key=jax.random.key(0))
        observation = noise.Bernoulli().initialise(moments)
    return models.VAEModel(
        transforms.Identity(),
        latents.StandardNormal(20),
        make(784, 40, key=encoder_key),
        latents.DiagonalNormal(),
        make(20, 784, key=decoder_key),
        observation,
    )


def fit_digits() -> dict[str, wp.VAE]:
    """Train three small models of the embedded digits, in seconds."""
    rows = wp.datasets.load_digits().values[:1_500]
    kinds = {
        "Gaussian, shared σ": {"noise": "shared"},
        "Gaussian, σ(z)": {"noise": "conditional"},
        "beta-binomial": {"noise": noise.BetaBinomial(17)},
    }
    found = {}
    for name, settings in kinds.items():
        own = {"hidden": (64,), "max_epochs": 30, "random_state": 0, "image_shape": (8, 8)}
        own |= {"n_components": 8, "progress": False, **settings}
        vae = wp.VAE(**(TEXTBOOK | own))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # constant features, budgets that end: as meant here
            found[name] = vae.fit(rows)
    return found


def fit_wu(share: float = 1.0, folder: Path = FOLDER) -> wp.VAE:
    """Train Wu et al.'s VAE-50: 50-1024-1024-1024-784, one given variance, dequantised MNIST.

    ``share`` multiplies the epochs. The source does not state its variance; 0.005 is near the
    mean squared residual after these few epochs.
    """
    epochs = max(1, math.ceil(_EPOCHS * share))
    path = folder / f"wu-50-{epochs}.wp"
    if path.exists():
        return wp.load(path)
    folder.mkdir(parents=True, exist_ok=True)
    begun = time.perf_counter()
    own = {
        "n_components": 50,
        "noise": 0.005,
        "hidden": (1024, 1024, 1024),
        "transform": transforms.Unit(LEVELS),
        "image_shape": (28, 28),
        "max_epochs": epochs,
        "validation_fraction": 0.0,
        "patience": None,
        "checkpoint": path.with_suffix(".ckpt"),
        "progress": False,
        "random_state": 0,
    }
    vae = wp.VAE(**(TEXTBOOK | own))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        vae.fit(images("mnist", "train"))
    vae.save(path)
    print(f"trained {path.name} in {time.perf_counter() - begun:.0f} s", flush=True)
    return vae
