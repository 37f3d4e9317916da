"""The tables of ``data/outliers``, split as published and as they should be."""

import csv
import dataclasses

import numpy as np

from benchmarks.data import root

PROTOCOLS = ("published", "clean", "unsupervised")
_FEWEST, _MOST = 1_000, 50_000  # rows of a table, as published
_QUICK_TRAIN, _QUICK_NORMAL, _QUICK_OUTLIERS = 5_000, 2_000, 500
# Tables of which most detectors end within seconds.
SMALL = (
    "12_fault",
    "19_landsat",
    "28_pendigits",
    "37_Stamps",
    "38_thyroid",
    "39_vertebral",
    "41_Waveform",
    "44_Wilt",
    "45_wine",
    "46_WPBC",
)


@dataclasses.dataclass(frozen=True, eq=False)
class Task:
    """Rows to fit a detector to, and rows to score; y is 1 for outliers."""

    train: np.ndarray
    test: np.ndarray
    y: np.ndarray


def names() -> list[str]:
    """The 28 tables, by their numbers."""
    found = [path.stem for path in (root() / "outliers").glob("*.npz")]
    return sorted(found, key=lambda name: int(name.partition("_")[0]))


def task(name: str, protocol: str, seed: int, *, quick: bool = False) -> Task:
    """Split a table.

    "published": tables below 1,000 rows are resampled to 1,000, those above 50,000 cut to these;
    the first half of the normal rows trains, the others and all outliers are the test. "clean" does
    not resample, and shuffles the normal rows. "unsupervised" scores all rows, and trains on as
    many draws of them, with outliers among them. Columns are standardised on the training rows.
    ``quick`` takes at most 5,000 rows to train on, and 2,000 normal rows and 500 outliers to score.
    """
    with np.load(root() / "outliers" / f"{name}.npz", allow_pickle=False) as file:
        X, y = file["X"].astype(np.float64), file["y"].astype(int)
    rng = np.random.default_rng(seed)
    if protocol != "clean" and len(y) < _FEWEST:
        chosen = rng.choice(len(y), _FEWEST)
        X, y = X[chosen], y[chosen]
    if len(y) > _MOST:
        chosen = rng.choice(len(y), _MOST, replace=False)
        X, y = X[chosen], y[chosen]
    normal, outlying = np.flatnonzero(y == 0), np.flatnonzero(y == 1)
    if protocol == "unsupervised":
        train = rng.choice(len(y), len(y))
    else:
        normal = rng.permutation(normal) if protocol == "clean" else normal
        half = round(0.5 * len(normal))
        train, normal = normal[:half], normal[half:]
    if quick:
        train, normal, outlying = (
            part if len(part) <= most else rng.choice(part, most, replace=False)
            for part, most in (
                (train, _QUICK_TRAIN),
                (normal, _QUICK_NORMAL),
                (outlying, _QUICK_OUTLIERS),
            )
        )
    test = np.append(normal, outlying)
    mean, scale = X[train].mean(axis=0), X[train].std(axis=0)
    standard = (X - mean) / np.where(scale > 0, scale, 1.0)
    return Task(standard[train], standard[test], y[test])


def published(protocol: str) -> dict[str, dict[str, float]]:
    """Published AUROC by table and method, means of 5 seeds, in per cent; none for "clean"."""
    words = {"published": "one_class", "unsupervised": "unsupervised"}
    if protocol not in words:
        return {}
    path = root() / "outliers" / f"published_auroc_{words[protocol]}.csv"
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {row["data"]: {k: float(v) for k, v in row.items() if k != "data" and v} for row in rows}
