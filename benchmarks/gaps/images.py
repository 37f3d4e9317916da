"""MNIST with halves of the images and with single pixels missing: samplers of a VAE, and rivals.

Root mean squared error of the missing pixels in [0, 1], averaged over test images, with the
standard error over images. The VAE's samplers have equal numbers of decoder evaluations beyond the
refined proposal, which all of them start from: 3,556 an image. Training images are whole; a second
VAE is trained on images of which half of the pixels are missing. Neighbours are the nearest
training images by the observed pixels, and have the best of five k by the missing pixels
themselves, which is to their advantage.
"""

import itertools
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import jax
import matplotlib.pyplot as plt
import numpy as np

import wellposed as wp
from benchmarks.data import unit_images
from benchmarks.gaps.store import FOLDER
from wellposed import evaluation, plotting

SIDE = 28
FULL, QUICK = (10_000, 60), (3_000, 20)  # training and test images
# n_samples of each sampler: 256 + 11 · (2 + 10) · 25 and 256 + 11 · (10 + 20) · 10 evaluations.
SAMPLES = {"importance": 3_556, "metropolis": 110, "pseudo-gibbs": 220}
SHORT = {"importance": "IS", "metropolis": "MwG", "pseudo-gibbs": "pG"}
HALVES = {
    "top": np.s_[:, :14],
    "bottom": np.s_[:, 14:],
    "left": np.s_[:, :, :14],
    "right": np.s_[:, :, 14:],
}
SHARES = (0.4, 0.6, 0.8)
PICTURED = ("top", "bottom", "left", "right", "40%", "60%", "80%")
N_DRAWS = 3
NEIGHBOURS = (1, 5, 10, 20, 50)
Rows = np.ndarray


def masks(n: int) -> dict[str, np.ndarray]:
    """Which pixels of n images are missing, (n, 784) each."""
    hidden = {}
    for name, part in HALVES.items():
        mask = np.zeros((n, SIDE, SIDE), bool)
        mask[part] = True
        hidden[name] = mask.reshape(n, -1)
    for share in SHARES:
        hidden[f"{share:.0%}"] = np.random.default_rng(0).random((n, SIDE**2)) < share
    return hidden


def trained(name: str, rows: Rows, *, quick: bool, again: bool) -> wp.VAE:
    """Return a VAE of images, trained now or earlier."""
    path = FOLDER / f"images-{name}-{len(rows)}.wp"
    if path.exists() and not again:
        return wp.load(path)
    settings = {"missing": "ignorable", "image_shape": (SIDE, SIDE), "hidden": (256, 256)}
    settings |= {"noise": "shared", "max_epochs": 5 if quick else 25}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # constant pixels
        vae = wp.VAE(32, **settings, random_state=0, progress=False).fit(rows)
    FOLDER.mkdir(parents=True, exist_ok=True)
    vae.save(path)
    return vae


def with_gaps(rows: Rows) -> Rows:
    """Return images with half of their pixels missing at random."""
    return np.where(np.random.default_rng(1).random(rows.shape) < 0.5, np.nan, rows)


def sampled(vae: wp.VAE, rows: Rows, sampler: str, n_draws: int = 0) -> evaluation.Imputations:
    """Return conditional means and draws of rows with NaN by a sampler."""
    return evaluation.impute(
        vae.model_,
        vae.rows(rows),
        key=jax.random.key(0),
        method=sampler,
        n_samples=SAMPLES[sampler],
        n_draws=n_draws,
    )


def nearest(train: Rows, rows: Rows) -> np.ndarray:
    """Positions of the 50 nearest images by the observed pixels, nearest first: (n, 50)."""
    seen = ~np.isnan(rows)
    inside = np.where(seen, rows, 0.0)
    squares = seen @ (train**2).T - 2 * inside @ train.T
    few = np.argpartition(squares, max(NEIGHBOURS), axis=1)[:, : max(NEIGHBOURS)]
    return np.take_along_axis(few, np.take_along_axis(squares, few, 1).argsort(axis=1), axis=1)


def errors(filled: Rows, whole: Rows, hidden: np.ndarray) -> np.ndarray:
    """Root mean squared error of the missing pixels of each image, (n,)."""
    return np.sqrt(np.where(hidden, (filled - whole) ** 2, 0.0).sum(axis=1) / hidden.sum(axis=1))


Filler = Callable[[Rows, Rows], Rows]


def rivals(train: Rows) -> Iterator[tuple[str, Filler]]:
    """Yield imputers as functions of rows with gaps and of whole ones, which KNN alone uses."""
    yield "mean image", lambda rows, _: np.where(np.isnan(rows), train.mean(axis=0), rows)
    gaussian = wp.GaussianImputer(ridge=1.0, random_state=0).fit(train)
    yield "GaussianImputer", lambda rows, _: gaussian.transform(rows)

    def neighbours(rows: Rows, whole: Rows) -> Rows:
        near, hidden = nearest(train, rows), np.isnan(rows)
        fills = [np.where(hidden, train[near[:, :k]].mean(axis=1), rows) for k in NEIGHBOURS]
        return min(fills, key=lambda filled: errors(filled, whole, hidden).mean())

    yield "neighbours, best k", neighbours


def vaes(train: Rows, *, quick: bool, again: bool) -> Iterator[tuple[str, Filler]]:
    """Yield the samplers of a VAE of whole images, and one of a VAE of images with gaps."""
    whole = trained("whole", train, quick=quick, again=again)
    for sampler in SAMPLES:
        yield f"VAE, {sampler}", lambda rows, _, s=sampler: np.asarray(sampled(whole, rows, s).mean)
    gappy = trained("gaps", with_gaps(train), quick=quick, again=again)
    yield "VAE of gaps", lambda rows, _: np.asarray(sampled(gappy, rows, "importance").mean)


def table(*, quick: bool, again: bool) -> None:
    """Print a line an imputer: errors and standard errors for each mask, and seconds."""
    n_train, n_test = QUICK if quick else FULL
    train = unit_images("mnist", "train", n_train).astype(np.float32)
    whole = unit_images("mnist", "test", n_test).astype(np.float32)
    hidden = masks(n_test)
    print(f"\nMNIST, {n_train} training images, {n_test} test images: RMSE of missing pixels")
    print(f"{'imputer':20} " + " ".join(f"{name:>15}" for name in hidden), flush=True)
    begun = time.perf_counter()
    for name, fill in itertools.chain(rivals(train), vaes(train, quick=quick, again=again)):
        cells = []
        for mask in hidden.values():
            each = errors(fill(np.where(mask, np.nan, whole), whole), whole, mask)
            cells.append(f"{each.mean():.4f} ± {each.std(ddof=1) / np.sqrt(n_test):.4f}")
        seconds = time.perf_counter() - begun
        print(f"{name:20} " + " ".join(cells) + f" {seconds:5.0f} s", flush=True)
        begun = time.perf_counter()


def picture(path: Path, *, quick: bool) -> None:
    """Draw a test image a mask: given, conditional means and three draws of each sampler."""
    n_train = (QUICK if quick else FULL)[0]
    train = unit_images("mnist", "train", n_train).astype(np.float32)
    vae = trained("whole", train, quick=quick, again=False)
    whole = unit_images("mnist", "test", len(PICTURED)).astype(np.float32)
    hidden = masks(len(whole))
    each = np.stack([hidden[name][i] for i, name in enumerate(PICTURED)])
    given = np.where(each, np.nan, whole)
    columns = {"image": whole, "given": given}
    for sampler in SAMPLES:
        made = sampled(vae, given, sampler, N_DRAWS)
        columns[f"{SHORT[sampler]} mean"] = np.asarray(made.mean)
        draws = np.asarray(made.draws)
        columns |= {f"{SHORT[sampler]} {j + 1}": draws[:, j] for j in range(N_DRAWS)}
    figure, ax = plt.subplots(figsize=(11.0, 6.0), layout="constrained")
    plotting.gaps(columns, (SIDE, SIDE), ax=ax, limits=(0.0, 1.0), names=PICTURED)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=100, bbox_inches="tight")
