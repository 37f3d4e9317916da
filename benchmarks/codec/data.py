"""The data of the benchmark of compression."""

import dataclasses
from pathlib import Path

import numpy as np

from benchmarks.data import images, root

KODAK_CODED = (13, 14, 15, 16)  # the photographs that are coded; the twelve others train a model
PATCH = 16  # side of the squares that a model codes photographs by


@dataclasses.dataclass(frozen=True, eq=False)
class Sample:
    """Rows to compress.

    Parameters
    ----------
    name : as the table shows it
    rows : array in the smallest type that holds it; images of shape (n, H, W) or (n, H, W, C)
    text : the file, if it is text
    model : name of the images of benchmarks.noise that models of it are trained on; None without
    train : other rows of a table, or squares of other photographs, to train a model on; None
        without one
    cut : the same values as rows of the model; None where these are ``rows``
    """

    name: str
    rows: np.ndarray
    text: bytes | None = None
    model: str | None = None
    train: np.ndarray | None = None
    cut: np.ndarray | None = None

    @property
    def is_images(self) -> bool:
        """Whether the rows are images."""
        return self.rows.ndim > 2


def load(name: str) -> Sample:
    """Read one of ``NAMES``."""
    return NAMES[name](name)


def _grey(name: str) -> Sample:
    return Sample(name, images(name, "test").reshape(-1, 28, 28), model=name)


def _faces(name: str) -> Sample:
    faces = np.load(root() / name / "frey_faces_uint8_1965x28x20.npy").reshape(-1, 28, 20)
    held_out = np.random.default_rng(0).permutation(faces)[:200]  # as in benchmarks.noise
    return Sample(name, held_out, model=name)


def _text(path: str, delimiter: str | None = None, header: int = 0):
    def read(name: str) -> Sample:
        file: Path = root() / path
        lines = [line for line in file.read_bytes().splitlines(keepends=True)[header:] if line]
        rows = narrow(np.loadtxt(file, delimiter=delimiter, skiprows=header))
        shuffled = np.random.default_rng(0).permutation(len(rows))
        train, coded = np.array_split(shuffled, 2)
        text = b"".join(lines[i] for i in coded)
        return Sample(name, rows[coded], text, train=rows[train])

    return read


def _counts(name: str) -> Sample:
    with np.load(root() / "single-cell" / "mouse_brain_10x_10000x1000_counts_csr.npz") as file:
        indptr, columns = file["indptr"], file["indices"]
        rows = np.zeros(tuple(file["shape"]), np.uint16)
        rows[np.repeat(np.arange(len(rows)), np.diff(indptr)), columns] = file["data"]
    counts = narrow(rows)
    return Sample(name, counts[5000:], train=counts[:5000])


def _photographs(name: str) -> Sample:
    coded = [_photograph(i) for i in KODAK_CODED]
    others = [_photograph(i) for i in range(1, 17) if i not in KODAK_CODED]
    cut, train = (np.concatenate([_squares(p) for p in part]) for part in (coded, others))
    return Sample(name, np.stack(coded), train=train, cut=cut)


def _photograph(i: int) -> np.ndarray:
    """Photograph i, 512 x 768 pixels, turned if it is upright."""
    from PIL import Image

    picture = np.asarray(Image.open(root() / "kodak" / f"{i:02}.png"))
    return picture if picture.shape[0] < picture.shape[1] else picture.transpose(1, 0, 2)


def _squares(picture: np.ndarray) -> np.ndarray:
    """Cut a photograph into squares, each a row of PATCH² pixels with channels last."""
    height, width, channels = picture.shape
    cut = picture.reshape(height // PATCH, PATCH, width // PATCH, PATCH, channels)
    return cut.transpose(0, 2, 1, 3, 4).reshape(-1, PATCH * PATCH * channels)


def narrow(rows: np.ndarray) -> np.ndarray:
    """Return whole numbers in the smallest type that holds them; others as they are."""
    if (rows != np.rint(rows)).any():
        return rows
    kind = np.min_scalar_type(int(rows.max())) if rows.min() >= 0 else np.dtype("i8")
    return rows.astype(kind)


NAMES = {
    "mnist": _grey,
    "fashion-mnist": _grey,
    "frey-faces": _faces,
    "kin8nm": _text("uci/kin8nm.txt"),
    "power plant": _text("uci/power-plant.txt"),
    "letter": _text("gaps/gain-letter.csv", ",", 1),
    "single cells": _counts,
    "kodak": _photographs,
}
