"""The data that benchmarks read from the shared folder."""

import os
from pathlib import Path

import numpy as np

import wellposed as wp

REPOSITORY = Path(__file__).resolve().parents[1]
FILES = {"train": "train-images-idx3-ubyte.gz", "test": "t10k-images-idx3-ubyte.gz"}


LABELS = {"train": "train-labels-idx1-ubyte.gz", "test": "t10k-labels-idx1-ubyte.gz"}


def root() -> Path:
    """Folder of the shared data: $WELLPOSED_DATA, or the one beside the repository."""
    return Path(os.environ.get("WELLPOSED_DATA", REPOSITORY.parent / "shared" / "data"))


def images(name: str, part: str) -> np.ndarray:
    """Images of "mnist" or "fashion-mnist", "train" or "test": uint8, shape (n, 784), IDX order."""
    return np.asarray(wp.datasets.read(root() / name / FILES[part]).values)


def labels(name: str, part: str) -> np.ndarray:
    """Classes of those images: uint8, shape (n,)."""
    return np.asarray(wp.datasets.read_labels(root() / name / LABELS[part]))


def unit_images(name: str, part: str, n_rows: int | None = None) -> np.ndarray:
    """The first ``n_rows`` images divided by 255: float64 in [0, 1]."""
    return images(name, part)[:n_rows] / 255.0
