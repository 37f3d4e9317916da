"""Errors of classifiers from few labels, ours beside those of scikit-learn, in one run.

    python -m benchmarks.few_labels [mnist] [fashion] [small] [upright] [--per-class 10]
        [--draws 10] [--slow-draws 3] [--joint-draws 1] [--rival-draws 3] [--epochs 25] [--rows N]
        [--picture FILE] [--without NAME ...] [--again]

``mnist``, ``fashion``: 60,000 training images of which ``--per-class`` of each class have a label,
all 10,000 test images. One VAE is trained without labels, is kept in build/few_labels, and serves
all draws of labels; "stacked" has ``--slow-draws`` draws, "joint" ``--joint-draws``, and
classifiers of scikit-learn that see all rows ``--rival-draws``.
``small``: digits, wine, breast cancer and iris with five labels a class, a third of the rows for
the test. ``upright``: the digits of 8 x 8 pixels, five labels a class and ``--draws`` draws, by the
neighbours of "features". Each line has the mean error in per cent with its standard error, the
expected calibration error of the probabilities (15 bins of equal width), the trainings that ended
as non-finite, and the seconds of a fit. No choice uses a label beyond those of the draw.
"""

import argparse
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.decomposition import PCA
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.semi_supervised import LabelSpreading, SelfTrainingClassifier

import wellposed as wp
from benchmarks.data import REPOSITORY, images, labels
from benchmarks.few_labels.straighten import straighten
from wellposed import plotting

SMALL = {
    "iris": load_iris,
    "wine": load_wine,
    "breast cancer": load_breast_cancer,
    "digits": load_digits,
}
FOLDER = REPOSITORY / "build" / "few_labels"
BINS = 15
SIDE, DRAWN = 28, 12
Maker = Callable[[], Any]


def draw(y: np.ndarray, per_class: int, seed: int) -> np.ndarray:
    """Labels of ``per_class`` rows of each class, −1 elsewhere."""
    generator = np.random.default_rng(seed)
    chosen = [generator.choice(np.flatnonzero(y == c), per_class, False) for c in np.unique(y)]
    few = np.full(len(y), -1)
    few[np.concatenate(chosen)] = y[np.concatenate(chosen)]
    return few


def calibration_error(shares: np.ndarray, right: np.ndarray) -> float:
    """Expected calibration error of the likeliest class, Guo et al. (2017), eq. 3."""
    sure = shares.max(axis=1)
    place = np.minimum((sure * BINS).astype(int), BINS - 1)
    gap = np.bincount(place, sure - right, minlength=BINS)
    return float(np.abs(gap).sum() / len(sure))


class Line:
    """Figures of one classifier over draws."""

    def __init__(self) -> None:
        self.errors: list[float] = []
        self.calibration: list[float] = []
        self.seconds: list[float] = []
        self.nonfinite = 0

    def add(self, model: Any, X: np.ndarray, few: np.ndarray, Xt: Any, yt: np.ndarray) -> None:
        """Fit to the labels of a draw, and test."""
        start = time.perf_counter()
        if isinstance(model, LogisticRegression):
            model.fit(X[few >= 0], few[few >= 0])
        else:
            model.fit(X, few)
        self.seconds.append(time.perf_counter() - start)
        shares = np.nan_to_num(model.predict_proba(Xt))  # LabelSpreading: rows out of reach
        right = model.classes_[shares.argmax(axis=1)] == yt
        self.errors.append(100 * (1 - right.mean()))
        self.calibration.append(100 * calibration_error(shares, right))
        self.nonfinite += getattr(model, "outcome_", None) is wp.training.Outcome.nonfinite

    def __str__(self) -> str:
        error, n = np.array(self.errors), len(self.errors)
        spread = f"± {error.std(ddof=1) / np.sqrt(n):4.2f}" if n > 1 else ""
        return (
            f"{error.mean():6.2f} {spread:6} {np.mean(self.calibration):6.1f} "
            f"{self.nonfinite:5d} {np.mean(self.seconds):7.1f} s  {n} draws"
        )


def page(title: str, rows: Iterator[tuple[str, Line]]) -> None:
    """Print lines as they are measured."""
    print(f"\n{title}\n{'':42}{'error %':>14} {'ECE %':>6} {'NaN':>5} {'fit':>9}", flush=True)
    for name, line in rows:
        print(f"{name:42}{line}", flush=True)


def rivals() -> dict[str, Maker]:
    """Classifiers of scikit-learn."""
    return {
        "logistic regression": lambda: LogisticRegression(max_iter=1_000),
        "label spreading": lambda: LabelSpreading(kernel="knn", n_neighbors=7, max_iter=100),
        "self-training": lambda: SelfTrainingClassifier(LogisticRegression(max_iter=300)),
    }


def makers(frozen: FrozenEstimator, options: argparse.Namespace) -> dict[str, tuple[Maker, int]]:
    """Our classifiers of images by their titles, each with its number of draws."""
    return {
        "features": (lambda: wp.SemiSupervisedVAE("features", vae=frozen), options.draws),
        "features, logistic regression": (
            lambda: wp.SemiSupervisedVAE(
                "features", vae=frozen, classifier=LogisticRegression(max_iter=1_000)
            ),
            options.draws,
        ),
        "features, straightened neighbours": (
            lambda: wp.SemiSupervisedVAE("features", vae=frozen, neighbours=straightened()),
            options.draws,
        ),
        "features, both graphs": (
            lambda: wp.SemiSupervisedVAE("features", vae=frozen, neighbours=[None, straightened()]),
            options.draws,
        ),
        "stacked": (
            lambda: wp.SemiSupervisedVAE(
                "stacked", vae=frozen, second_vae=second(), calibration_folds=0
            ),
            options.slow_draws,
        ),
        "stacked, both graphs": (
            lambda: wp.SemiSupervisedVAE(
                "stacked",
                vae=frozen,
                second_vae=second(),
                neighbours=[None, straightened()],
                calibration_folds=0,
            ),
            options.slow_draws,
        ),
        "auxiliary": (
            lambda: wp.SemiSupervisedVAE(
                "auxiliary", vae=frozen, second_vae=second(), calibration_folds=0
            ),
            options.slow_draws,
        ),
        "stacked, given labels alone": (
            lambda: wp.SemiSupervisedVAE(
                "stacked", vae=frozen, second_vae=second(), calibration_folds=0, spread_share=0
            ),
            1,
        ),
        "joint": (
            lambda: wp.SemiSupervisedVAE("joint", vae=joint(), calibration_folds=0),
            options.joint_draws,
        ),
    }


def unlabelled(name: str, X: np.ndarray, options: argparse.Namespace) -> wp.VAE:
    """Return the VAE that is trained without labels, of this run or an earlier one."""
    vae = wp.VAE(
        50,
        noise="bernoulli",
        prior="standard",
        hidden=(500, 500),
        kl_warmup=2,
        max_epochs=options.epochs,
        patience=None,
        validation_fraction=0.02,
        random_state=0,
    )
    path = FOLDER / f"{name}-{len(X)}-{options.epochs}.wp"
    if path.exists() and not options.again:
        print(f"the VAE without labels is that of {path.name}")
        return wp.load(path)
    start = time.perf_counter()
    vae.fit(X)
    print(f"a VAE without labels: {time.perf_counter() - start:.0f} s")
    FOLDER.mkdir(parents=True, exist_ok=True)
    vae.save(path)
    return vae


def image_lines(name: str, options: argparse.Namespace) -> Iterator[tuple[str, Line]]:
    """Lines of a set of images."""
    X, y = images(name, "train")[: options.rows], labels(name, "train")[: options.rows]
    Xt, yt = images(name, "test"), labels(name, "test")
    binary, binary_test = ((part > 127).astype(np.float32) for part in (X, Xt))
    vae = unlabelled(name, binary, options)
    ours = makers(FrozenEstimator(vae), options)
    for title, (make, n) in ours.items():
        if title in options.without or n == 0:
            continue
        line = Line()
        for seed in range(n):
            model = make().set_params(random_state=seed, progress=False)
            line.add(model, binary, draw(y, options.per_class, seed), binary_test, yt)
        if title == "stacked" and options.picture:
            picture(model, options.picture)
        yield title, line
    components = PCA(50, random_state=0).fit(X / 255.0)
    spaces = {
        "pixels": (X / 255.0, Xt / 255.0),
        "PCA": (components.transform(X / 255.0), components.transform(Xt / 255.0)),
        "our latents": (vae.transform(binary), vae.transform(binary_test)),
    }
    for title, make in rivals().items():
        if title in options.without:
            continue
        n = options.draws if title == "logistic regression" else options.rival_draws
        for space, (A, B) in spaces.items():
            line = Line()
            for seed in range(n):
                line.add(make(), A, draw(y, options.per_class, seed), B, yt)
            yield f"{title} on {space}", line


def picture(model: wp.SemiSupervisedVAE, path: str) -> None:
    """Save draws of each class, a row each."""
    kinds = np.repeat(model.classes_, DRAWN)
    drawn = model.sample(len(kinds), kinds, how="mean", random_state=1)
    names = [str(label) for label in model.classes_]
    axes = plotting.images(drawn, (SIDE, SIDE), n_columns=DRAWN, limits=(0.0, 1.0), names=names)
    axes.figure.savefig(path, dpi=120, bbox_inches="tight")
    plt.close(axes.figure)


def straightened() -> Any:
    """Points of images for neighbours that are alike upright."""
    return make_pipeline(FunctionTransformer(straighten), PCA(40, random_state=0))


def second() -> wp.VAE:
    """Settings of the second VAE of "stacked" and "auxiliary", on 60,000 rows."""
    return wp.VAE(20, noise="conditional", hidden=(200, 200), max_epochs=6, batch_size=256)


def joint() -> wp.VAE:
    """Settings of "joint" on images."""
    return wp.VAE(30, noise="bernoulli", hidden=(256,), max_epochs=6, batch_size=200, kl_warmup=1)


def small_lines(name: str, options: argparse.Namespace) -> Iterator[tuple[str, Line]]:
    """Lines of a small table, in units of the standard deviations of its training rows."""
    X, y = SMALL[name](return_X_y=True)
    ours = {
        method: lambda method=method: wp.SemiSupervisedVAE(
            method, progress=False, calibration_folds=folds(method)
        )
        for method in ("features", "joint", "stacked", "auxiliary")
    }
    for title, make in {**ours, **rivals()}.items():
        if title in options.without:
            continue
        line = Line()
        for seed in range(options.slow_draws):
            order = np.random.default_rng(seed).permutation(len(X))
            test, train = np.split(order, [len(X) // 3])
            mean, scale = X[train].mean(axis=0), X[train].std(axis=0)
            A, B = ((X[part] - mean) / np.where(scale > 0, scale, 1) for part in (train, test))
            model = make()
            if title in ours:
                model.set_params(random_state=seed)
            line.add(model, A, draw(y[train], 5, seed), B, y[test])
        yield title, line


def upright_lines(options: argparse.Namespace) -> Iterator[tuple[str, Line]]:
    """Lines of "features" on the digits of scikit-learn, by neighbours."""
    X, y = load_digits(return_X_y=True)
    neighbours = {
        "latents": None,
        "principal components": PCA(40, random_state=0),
        "upright images": straightened(),
    }
    for title, points in neighbours.items():
        line = Line()
        for seed in range(options.draws):
            test, train = np.split(np.random.default_rng(seed).permutation(len(X)), [len(X) // 3])
            model = wp.SemiSupervisedVAE(
                "features", neighbours=points, progress=False, random_state=seed
            )
            line.add(model, X[train], draw(y[train], 5, seed), X[test], y[test])
        yield title, line


def folds(method: str) -> int:
    """Folds of the calibration: none where each is a training of networks."""
    return 5 if method == "features" else 0


def main() -> None:
    """Run the tables that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tables", nargs="*", default=["mnist", "fashion", "small"])
    parser.add_argument("--per-class", type=int, default=10)
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--slow-draws", type=int, default=3)
    parser.add_argument("--joint-draws", type=int, default=1)
    parser.add_argument("--rival-draws", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=25)
    parser.add_argument("--rows", type=int, default=60_000)
    parser.add_argument("--picture", help="file for draws of each class by stacked")
    parser.add_argument("--again", action="store_true", help="train the kept VAE again")
    parser.add_argument("--without", nargs="*", default=[])
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    names = {"mnist": "mnist", "fashion": "fashion-mnist"}
    for table in options.tables:
        if table == "small":
            for name in SMALL:
                page(f"{name}, five labels a class", small_lines(name, options))
        elif table == "upright":
            page("digits, five labels a class, neighbours of", upright_lines(options))
        else:
            title = f"{names[table]}, {options.per_class} labels a class, {options.rows:,} images"
            page(title, image_lines(names[table], options))


if __name__ == "__main__":
    main()
