"""Images of another set as outliers: log p(x), typicality and rate, by the family of the noise.

    python -m benchmarks.outliers.images [--train 20000] [--epochs 20] [--rows 2000]
        [--noises NAME,...]

A detector is fitted to images of one set, and scores test images of this set and of another:
Fashion-MNIST against MNIST, MNIST against Fashion-MNIST, Fashion-MNIST against Omniglot (inverted,
reduced to 28 x 28). AUROC in per cent of five scores with one VAE: log p(x); typicality, the
distance of log p(x) from its median over further images of the set; the rate, KL(q(z | x) ‖ p(z));
the default, the ensemble; and complexity, log p(x) plus the length of a code without a model.
Below 50 the other set looks more usual than the one of the fit.
Rivals are log p(x) of probabilistic PCA, alone and plus that length, and the distance to the fifth
neighbour, on pixels. Last come two numbers of an image without a model, two-sided: the mean of
its pixels, and the length of that code.
"""

import argparse
import io
import warnings
import zipfile
from collections.abc import Callable

import jax
import numpy as np
from PIL import Image
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import NearestNeighbors

import wellposed as wp
from benchmarks.data import images, root
from wellposed import evaluation
from wellposed.estimators.outliers.complexity import code_length

PAIRS = {
    "fashion-mnist": ("mnist", "omniglot"),
    "mnist": ("fashion-mnist",),
}
SIDE, MOST_KNOWN, NEIGHBOUR, FURTHER = 28, 10_000, 5, 1_000
NOISES = ("shared", "conditional", "discretized-logistic", "beta-binomial", "bernoulli")
BLACK_AND_WHITE = {"bernoulli"}  # others take grey levels
Scores = dict[str, np.ndarray]


def omniglot(n_rows: int) -> np.ndarray:
    """Characters, white on black, uint8, shape (n, 784); every k-th of the file's order."""
    found = []
    with zipfile.ZipFile(next((root() / "omniglot").glob("*.zip"))) as file:
        names = sorted(name for name in file.namelist() if name.endswith(".png"))
        for name in names[:: max(1, len(names) // n_rows)][:n_rows]:
            character = Image.open(io.BytesIO(file.read(name))).convert("L")
            small = character.resize((SIDE, SIDE), Image.Resampling.BOX)
            found.append(255 - np.asarray(small).ravel())
    return np.stack(found).astype(np.uint8)


def test_rows(name: str, n_rows: int) -> np.ndarray:
    """Images of the test part, or of Omniglot."""
    return omniglot(n_rows) if name == "omniglot" else images(name, "test")[:n_rows]


def by_noise(
    word: str, train: np.ndarray, further: np.ndarray, epochs: int
) -> Callable[[np.ndarray], Scores]:
    """Fit a detector; return its scores of rows, larger for outliers."""

    def seen(rows: np.ndarray) -> np.ndarray:
        return (rows > 127).astype(np.uint8) if word in BLACK_AND_WHITE else rows

    vae = wp.VAE(32, noise=word, hidden=(256, 256), max_epochs=epochs, kl_warmup=2, progress=False)
    detector = wp.OutlierVAE(vae, random_state=0).fit(seen(train))
    fitted = detector.vae_

    def log_p(rows: np.ndarray) -> np.ndarray:
        return fitted.score_samples(rows, detector.n_samples)

    middle = np.median(log_p(seen(further)))

    def scores(rows: np.ndarray) -> Scores:
        rows, key = seen(rows), jax.random.key(0)
        own = log_p(rows)
        return {
            "log p": -own,
            "typicality": np.abs(own - middle),
            "rate": evaluation.total_rates(fitted.model_, fitted.rows(rows), key=key),
            "ensemble": -detector.score_samples(rows),
            "complexity": -own - code_length(rows),
        }

    return scores


def by_rivals(train: np.ndarray) -> Callable[[np.ndarray], Scores]:
    """Scores of rivals on pixels."""
    grey = train / 255.0
    varies = grey.std(axis=0) > 0
    linear = wp.PPCA(50, random_state=0).fit(grey[:, varies])
    known = NearestNeighbors(n_neighbors=NEIGHBOUR).fit(grey[:MOST_KNOWN])
    middle, length = np.median(grey.mean(axis=1)), np.median(code_length(train))

    def scores(rows: np.ndarray) -> Scores:
        unit = rows / 255.0
        log_p = linear.score_samples(unit[:, varies])
        return {
            "pPCA log p": -log_p,
            "pPCA complexity": -log_p - code_length(rows),
            "KNN": known.kneighbors(unit)[0][:, -1],
            "mean pixel": np.abs(unit.mean(axis=1) - middle),
            "length": np.abs(code_length(rows) - length),
        }

    return scores


def line(title: str, own: Scores, other: Scores) -> str:
    """AUROC of each score."""
    y = np.repeat([0, 1], [len(next(iter(own.values()))), len(next(iter(other.values())))])
    cells = [
        f"{name} {100 * roc_auc_score(y, np.append(own[name], other[name])):5.1f}" for name in own
    ]
    return f"  {title:46}" + "   ".join(cells)


def main() -> None:
    """Print a line for each noise and pair."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--train", type=int, default=20_000)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--rows", type=int, default=2_000)
    parser.add_argument("--noises", default=",".join(NOISES))
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    for name, others in PAIRS.items():
        every = images(name, "train")
        train, further = every[: given.train], every[given.train :][:FURTHER]
        tests = {each: test_rows(each, given.rows) for each in (name, *others)}
        for title in (*given.noises.split(","), "rivals"):
            rivals = title == "rivals"
            scores = by_rivals(train) if rivals else by_noise(title, train, further, given.epochs)
            found = {each: scores(rows) for each, rows in tests.items()}
            for other in others:
                print(line(f"{name}, {other}: {title}", found[name], found[other]), flush=True)


if __name__ == "__main__":
    main()
