"""Lossy compression at equal size: quantised latents, principal components, JPEG.

``python -m benchmarks.codec.lossy`` (``digits``, the default, ``mnist``, ``fashion-mnist``;
``--share 1`` of the epochs). Each line is a size: bits of the whole file for each test image, the
model not counted, and the root mean squared error in grey levels that each coder has there. Ours
is one model for all sizes. Of the components, which are of the training images and not counted
either, the best number of 1, 2, 3, 4, 6, 8, … is taken at each size; their coefficients are cut
into cells of one width and coded as our latents are, but for the coder's last states and the
file's header, which are left out. JPEG codes all images side by side in one picture, its header
counted, or each by itself, headers left out; the smaller error counts, between two qualities on the
straight line.
"""

import argparse
import dataclasses
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

import wellposed as wp
from benchmarks.data import REPOSITORY, images

from .lossy_rivals import Components, Jpeg

FOLDER = REPOSITORY / "build" / "codec" / "lossy"


@dataclasses.dataclass(frozen=True)
class Case:
    """Images, and how a model of them is trained.

    Parameters
    ----------
    load : returns training and test images, uint8, (n, H·W)
    side : H = W
    most : the largest grey level
    bits : of a test image, the sizes of the table
    settings : of the VAE
    """

    load: Callable[[], tuple[np.ndarray, np.ndarray]]
    side: int
    most: int
    bits: tuple[float, ...]
    settings: dict[str, Any]


def _digits() -> tuple[np.ndarray, np.ndarray]:
    levels = wp.datasets.load_digits().values.astype(np.uint8)
    order = np.random.default_rng(0).permutation(len(levels))
    return levels[order[:1397]], levels[order[1397:]]


def _mnist(name: str) -> Callable[[], tuple[np.ndarray, np.ndarray]]:
    return lambda: (images(name, "train"), images(name, "test"))


_LARGE: dict[str, Any] = {
    "n_components": 32,
    "noise": wp.noise.DiscretizedLogistic(256),
    "hidden": (512, 512),
    "max_epochs": 20,
}
CASES = {
    "digits": Case(
        _digits,
        8,
        16,
        (5, 10, 20, 30, 40, 60),
        {
            "n_components": 16,
            "noise": wp.noise.DiscretizedLogistic(17),
            "hidden": (128, 128),
            "max_epochs": 300,
        },
    ),
    "mnist": Case(_mnist("mnist"), 28, 255, (15, 30, 60, 90, 120), _LARGE),
    "fashion-mnist": Case(_mnist("fashion-mnist"), 28, 255, (15, 30, 60, 90, 120), _LARGE),
}


def trained(name: str, case: Case, train: np.ndarray, share: float) -> Any:
    """Return a model of the training images, from its file where there is one."""
    path = FOLDER / f"{name}-{share:g}.wp"
    if path.exists():
        return wp.load(path)
    FOLDER.mkdir(parents=True, exist_ok=True)
    settings = {"random_state": 0, "progress": False} | case.settings
    settings["max_epochs"] = max(2, round(share * settings["max_epochs"]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # short trainings are intended
        vae = wp.VAE(**settings).fit(train)
    vae.save(path)
    return vae


def report(name: str, share: float) -> None:
    """Print the table of one set of images."""
    case = CASES[name]
    train, test = case.load()
    begun = time.process_time()
    vae = trained(name, case, train, share)
    took = time.process_time() - begun
    exact = len(wp.compress(vae, test, progress=False))
    print(f"\n{name}: {len(test):,} test images, trained in {took:.0f} s of processor time")
    print(f"  without loss {8 * exact / len(test):.1f} bits an image; RMSE in grey levels:")
    print(f"  {'bits':>8} {'VAE':>8} {'PCA':>8} {'(components)':>12} {'JPEG':>8}")
    components = Components(train, test, case.most)
    jpeg = Jpeg(test, case.side, case.most)
    for target in case.bits:
        try:
            data = wp.compress(vae, test, target_bits=target, progress=False)
        except wp.SettingError as error:
            print(f"  {target:>8}: {error}")
            continue
        again = wp.decompress(data, vae, progress=False)
        bits = 8 * len(data) / len(test)
        ours = float(np.sqrt(((again.astype(float) - test) ** 2).mean()))
        theirs, n = components.best(bits)
        line = f"  {bits:8.1f} {ours:8.3f} {theirs:8.3f} {n:12} {jpeg.at(bits)}"
        print(line, flush=True)
    print(f"  {time.process_time() - begun:.0f} s of processor time in all", flush=True)


def main() -> None:
    """Report what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=["digits"], choices=[*CASES, "digits"])
    parser.add_argument("--share", type=float, default=1.0, help="of the epochs of a training")
    asked = parser.parse_args()
    for name in asked.names:
        report(name, asked.share)


if __name__ == "__main__":
    main()
