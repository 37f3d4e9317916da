"""Error of reconstructed test images: PCA, and VAEs with as many latents.

    python -m benchmarks.images.reconstruction [--data NAME ...] [--networks mlp conv]
        [--starts linear random] [--seconds 60] [--vae KEY=VALUE ...]

Root mean squared error of held-out images in levels of 255, over that of PCA with as many latents:
MNIST, 20,000 training and all 10,000 test images, 20 latents; Frey faces, 20; Olivetti faces, 50,
of both a random fifth held out. Every VAE has the same wall time, its compilation included: a
training ends with the first epoch beyond it. Settings are the defaults but for the number of
latents and the networks, and the epochs over which the learning rate decays; ``--vae`` changes
others.
"""

import argparse
import dataclasses
import time
import warnings
from typing import Any

import numpy as np
from sklearn.decomposition import PCA

import wellposed as wp
from benchmarks.data import images, root
from benchmarks.density.__main__ import setting

TARGET = 0.95


@dataclasses.dataclass(frozen=True, eq=False)
class Case:
    """Images to fit and held out, shape (n, d), the number of latents, and epochs by network."""

    name: str
    train: np.ndarray
    test: np.ndarray
    image_shape: tuple[int, int]
    n_latents: int
    epochs: dict[str, int]


def case_of(name: str) -> Case:
    """Return the images of a data set."""
    if name == "mnist":
        train, test = images(name, "train")[:20_000], images(name, "test")
        return Case(name, train, test, (28, 28), 20, {"mlp": 20, "conv": 5})
    file, k = {
        "frey-faces": ("frey_faces_uint8_1965x28x20.npy", 20),
        "olivetti-faces": ("olivetti_faces_uint8_400x64x64.npy", 50),
    }[name]
    faces = np.load(root() / name / file)
    shape = faces.shape[1:]
    rows = np.random.default_rng(0).permutation(faces.reshape(len(faces), -1))
    n_train = round(0.8 * len(rows))
    epochs = {"mlp": 100, "conv": 30}
    return Case(name, rows[:n_train], rows[n_train:], shape, k, epochs)


def error_of(rebuilt: np.ndarray, truth: np.ndarray) -> float:
    """Root mean squared error, levels."""
    return float(np.sqrt(np.mean((rebuilt - truth.astype(np.float64)) ** 2)))


def fit_pca(case: Case) -> tuple[float, float]:
    """Return the error of PCA, and its seconds."""
    begun = time.perf_counter()
    exact = PCA(case.n_latents, svd_solver="full").fit(case.train.astype(np.float64))
    rebuilt = exact.inverse_transform(exact.transform(case.test.astype(np.float64)))
    return error_of(rebuilt, case.test), time.perf_counter() - begun


def fit_vae(case: Case, network: str, seconds: float, **settings: Any) -> wp.VAE:
    """Train until the time is up, or the epochs, or the patience."""
    begun = time.perf_counter()
    given = {
        "encoder": network,
        "decoder": network,
        "image_shape": case.image_shape,
        "max_epochs": case.epochs[network],
        "random_state": 0,
        **settings,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # constant pixels and short trainings are intended
        vae = wp.VAE(case.n_latents, **given)
        return vae.fit(case.train, callbacks=[lambda _: time.perf_counter() - begun > seconds])


def main() -> None:
    """Print a line a model."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    names = ["mnist", "frey-faces", "olivetti-faces"]
    parser.add_argument("--data", nargs="*", choices=names, default=names)
    parser.add_argument("--networks", nargs="*", choices=["mlp", "conv"], default=["mlp", "conv"])
    parser.add_argument("--starts", nargs="*", choices=["linear", "random"], default=["linear"])
    parser.add_argument("--seconds", type=float, default=60.0, help="of each training")
    parser.add_argument("--vae", type=setting, nargs="*", default=[], metavar="KEY=VALUE")
    given = parser.parse_args()
    print(
        f"{'data':15} {'k':>3} {'model':12} {'RMSE':>7} {'over PCA':>9} {'ELBO, nats':>11} "
        f"{'epochs':>6} {'best':>5} {'s':>5}"
    )
    for case in map(case_of, given.data):
        start = f"{case.name:15} {case.n_latents:3}"
        linear, seconds = fit_pca(case)
        print(f"{start} {'PCA':12} {linear:7.3f} {1:9.3f} {'':25} {seconds:5.0f}", flush=True)
        for network in given.networks:
            for kind in given.starts:
                begun = time.perf_counter()
                settings = {"linear_start": kind == "linear", **dict(given.vae)}
                vae = fit_vae(case, network, given.seconds, **settings)
                seconds = time.perf_counter() - begun
                error = error_of(vae.reconstruct(case.test), case.test)
                best = vae.n_epochs_ if vae.best_epoch_ is None else vae.best_epoch_
                verdict = "met" if error <= TARGET * linear else "missed"
                print(
                    f"{start} {network + ', ' + kind:12} {error:7.3f} {error / linear:9.3f} "
                    f"{vae.elbo(case.test, 1).mean(dtype=np.float64):11.1f} {vae.n_epochs_:6} "
                    f"{best:5} {seconds:5.0f}  {verdict}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
