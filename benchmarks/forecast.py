"""Does a nonlinear VAE have as many active latents as the eigenvalues of its data predict?

    python -m benchmarks.forecast [--quick] [--sweep NAME ...] [--csv docs/data/forecast.csv]

For MNIST, Fashion-MNIST and the digits, at noise variances over four decades, it compares
``wellposed.forecast`` before training with an MLP VAE on held-out rows after training. It repeats
some trainings without warm-up, for three times the epochs and at a quarter of the learning rate, to
separate the effect of the model from that of its training; and it searches the largest noise
variance with an active latent, which the forecast puts at λ₁. ``--sweep`` leaves both out, and the
data sets that it does not name.
"""

import argparse
import csv
import dataclasses
import time
import warnings
from collections.abc import Iterable
from pathlib import Path

import jax
import numpy as np
from scipy.stats import spearmanr

import wellposed as wp
from benchmarks.data import REPOSITORY, unit_images
from wellposed.experiments import TEXTBOOK

TARGET = 0.9
AROUND_ONE = (0.8, 0.95, 1.05, 1.2, 1.5)  # σ²/λ₁ around the collapse of the last latent


@dataclasses.dataclass(frozen=True)
class Task:
    """Training rows and held-out rows, both (n, d), and the settings of the training."""

    name: str
    train: np.ndarray
    held_out: np.ndarray
    n_components: int
    epochs: int
    seeds: tuple[int, ...] = (0,)

    def variances(self) -> np.ndarray:
        """Ten noise variances over four decades, seven of them where the forecast changes."""
        found = wp.forecast(self.train, noise_variance=1.0, n_components=self.n_components)
        first, last = found.active_below[0], found.active_below[-1]
        changing = np.geomspace(1.5 * first, 1.1 * last, 7)
        return np.concatenate([changing, np.geomspace(last, 1.5e-4 * first, 4)[1:]])


@dataclasses.dataclass(frozen=True)
class Point:
    """One training beside its forecast; rates and ELBO in mean nats a datum."""

    data: str
    variant: str
    seed: int
    n_components: int
    noise_variance: float
    over_largest: float  # σ²/λ₁
    predicted: int
    by_rate: int  # k less the latents that (ε, δ)-collapsed
    by_mean: int  # active units
    rate_predicted: float
    rate_measured: float
    elbo_predicted: float  # of the training rows
    elbo_linear: float  # of the held-out rows, by the best linear VAE
    elbo_measured: float  # of the held-out rows
    epochs: int


def tasks(quick: bool) -> list[Task]:
    """The data sets; ``quick`` leaves Fashion-MNIST out and trains briefly."""
    digits = wp.datasets.load_digits().values / 16.0
    shuffled = np.random.default_rng(0).permutation(digits)
    found = [Task("digits", shuffled[:1437], shuffled[1437:], 32, 100 if quick else 300)]
    n_rows, epochs = (5_000, 40) if quick else (10_000, 60)
    for name in ("mnist",) if quick else ("mnist", "fashion-mnist"):
        train, test = unit_images(name, "train", n_rows), unit_images(name, "test", 2_000)
        found.append(Task(name, train, test, 64, epochs))
    if not quick:
        found[0] = dataclasses.replace(found[0], seeds=(0, 1))
    return found


def train(
    task: Task,
    variance: float,
    *,
    seed: int = 0,
    longer: int = 1,
    warm: bool = True,
    learning_rate: float = 4e-3,
) -> wp.VAE:
    """Train an MLP VAE with a given noise variance.

    At the default rate of 1e-3, superfluous latents need many times the epochs to collapse.
    """
    epochs = longer * task.epochs
    settings = {
        "n_components": task.n_components,
        "noise": float(variance),
        "hidden": (128, 128),
        "transform": "identity",
        "learning_rate": learning_rate,
        "max_epochs": epochs,
        "kl_warmup": epochs // 6 if warm else 0,
        "patience": None,
        "progress": False,
        "random_state": seed,
    }
    vae = wp.VAE(**(TEXTBOOK | settings))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # variances out of proportion are intended
        return vae.fit(task.train.astype(np.float32))


def point(task: Task, variance: float, vae: wp.VAE, variant: str = "as is") -> Point:
    """Put a trained VAE beside its forecast."""
    k, rows = task.n_components, task.held_out.astype(np.float32)
    prediction = wp.forecast(task.train, noise_variance=float(variance), n_components=k)
    collapse = wp.evaluation.measure_collapse(vae.model_, rows, key=jax.random.key(0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        linear = wp.PPCA(k, noise=float(variance)).fit(task.train)
    return Point(
        data=task.name,
        variant=variant,
        seed=int(vae.random_state),
        n_components=k,
        noise_variance=float(variance),
        over_largest=float(variance / prediction.active_below[0]),
        predicted=prediction.n_active,
        by_rate=k - int(collapse.collapsed.sum()),
        by_mean=int(collapse.active_units.sum()),
        rate_predicted=float(prediction.rates.sum()),
        rate_measured=float(collapse.rates.sum()),
        elbo_predicted=prediction.elbo,
        elbo_linear=linear.score(task.held_out),
        elbo_measured=float(vae.elbo(rows).mean(dtype=np.float64)),
        epochs=int(vae.n_epochs_),
    )


HEADER = (
    f"{'data':14} {'variant':12} {'seed':>4} {'σ²':>9} {'σ²/λ₁':>8} | {'pred':>4} {'rate':>4} "
    f"{'mean':>4} | {'nats pred':>9} {'measured':>8} | {'ELBO pred':>10} {'linear':>10} "
    f"{'measured':>10}"
)


def line(p: Point) -> str:
    """One line of the table."""
    return (
        f"{p.data:14} {p.variant:12} {p.seed:4} {p.noise_variance:9.3g} {p.over_largest:8.4f} | "
        f"{p.predicted:4} {p.by_rate:4} {p.by_mean:4} | {p.rate_predicted:9.2f} "
        f"{p.rate_measured:8.2f} | {p.elbo_predicted:10.1f} {p.elbo_linear:10.1f} "
        f"{p.elbo_measured:10.1f}"
    )


def show(p: Point) -> Point:
    """Print a point and return it."""
    print(line(p), flush=True)
    return p


def sweep(task: Task) -> list[Point]:
    """Every noise variance with every seed."""
    return [
        show(point(task, variance, train(task, variance, seed=seed)))
        for seed in task.seeds
        for variance in task.variances()
    ]


def checks(task: Task) -> list[Point]:
    """Train with other settings where the forecast changes, to see the effect of the training."""
    ways: dict[str, dict] = {
        "no warm-up": {"warm": False},
        "3x epochs": {"longer": 3},
        "slow, 3x": {"longer": 3, "learning_rate": 1e-3},
    }
    return [
        show(point(task, variance, train(task, variance, **way), variant))
        for variant, way in ways.items()
        for variance in task.variances()[2:6:2]
    ]


def transition(task: Task) -> list[Point]:
    """Train around σ² = λ₁, where the last latent should collapse."""
    first = wp.forecast(task.train, noise_variance=1.0, n_components=1).active_below[0]
    return [
        show(point(task, ratio * first, train(task, ratio * first), "transition"))
        for ratio in AROUND_ONE
    ]


def rank_correlations(points: list[Point]) -> None:
    """Print Spearman's correlation of predicted and measured shares of active latents."""
    names = list(dict.fromkeys(p.data for p in points))
    print(
        f"\n{'Spearman, predicted and measured':32} {'by rate':>8} {'by mean':>8}  target {TARGET}"
    )
    for name in [*names, "pooled, as shares of k"]:
        chosen = [p for p in points if p.data == name] or points
        predicted = [p.predicted / p.n_components for p in chosen]
        found = [
            spearmanr(predicted, [getattr(p, how) / p.n_components for p in chosen]).statistic
            for how in ("by_rate", "by_mean")
        ]
        verdict = "met" if min(found) >= TARGET else "missed"
        print(f"{name:32} {found[0]:8.3f} {found[1]:8.3f}  {verdict}")


def last_active(points: Iterable[Point]) -> None:
    """Print the largest σ²/λ₁ with an active latent, and the smallest with none."""
    active: dict[str, list[float]] = {}
    collapsed: dict[str, list[float]] = {}
    for p in points:
        (active if p.by_rate else collapsed).setdefault(p.data, []).append(p.over_largest)
    print("\nlast latent, by rate (predicted: active below σ²/λ₁ = 1)")
    for name, ratios in active.items():
        none = [ratio for ratio in collapsed.get(name, []) if ratio > max(ratios)]
        print(f"{name:14} active at {max(ratios):.3f}, none at {min(none, default=np.inf):.3f}")


def write(path: Path, points: list[Point]) -> None:
    """Write the points as a table."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        table = csv.DictWriter(file, [field.name for field in dataclasses.fields(Point)])
        table.writeheader()
        for p in points:
            values = dataclasses.asdict(p).items()
            table.writerow({k: f"{v:.6g}" if isinstance(v, float) else v for k, v in values})


def main() -> None:
    """Train, print the tables and write them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    names = ("digits", "mnist", "fashion-mnist")
    parser.add_argument("--sweep", nargs="+", choices=names, help="the tables of these data alone")
    parser.add_argument("--csv", type=Path, help="default: docs/data/forecast.csv, if all is run")
    arguments = parser.parse_args()
    part = arguments.quick or bool(arguments.sweep)
    begun = time.perf_counter()
    print(HEADER)
    chosen = [task for task in tasks(arguments.quick) if task.name in (arguments.sweep or names)]
    swept = [p for task in chosen for p in sweep(task)]
    around = [] if arguments.sweep else chosen[:1] if arguments.quick else chosen
    scanned = [p for task in around for p in transition(task)]
    checked = [] if part else [p for task in chosen[:2] for p in checks(task)]
    rank_correlations(swept)
    last_active(p for p in swept + scanned)
    path = arguments.csv or REPOSITORY / "docs" / "data" / "forecast.csv"
    if arguments.csv or not part:
        write(path, swept + scanned + checked)
    print(f"\n{(time.perf_counter() - begun) / 60:.1f} minutes")


if __name__ == "__main__":
    main()
