"""Lossy compression at equal size: quantised latents, principal components, JPEG.

``python -m benchmarks.codec.lossy`` (``digits``, the default, ``mnist``, ``fashion-mnist``;
``--share 1`` of the epochs). Each line is a size: bits of the whole file for each test image, the
model not counted, and the root mean squared error in grey levels that each coder has there. Ours
are two models, with a weight of the KL term of 1 and of 4, each for all sizes; a size that one
does not reach is left out. Of the components, which are of the training images and not counted
either, the best number of 1, 2, 3, 4, 6, 8, … is taken at each size; their coefficients are cut
into cells of one width and coded as our latents are, but for the coder's last states and the
file's header, which are left out. JPEG codes all images side by side in one picture, its header
counted, or each by itself, headers left out; the smaller error counts, between two qualities on the
straight line. The last lines are a file that is exact by its residual, and the time.
"""

import argparse
import dataclasses
import io
import math
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

import wellposed as wp
from benchmarks.data import REPOSITORY, images
from wellposed.estimators.compression.files import compress_into
from wellposed.estimators.compression.lossy import Target

from .lossy_rivals import Components, Jpeg, without_loss

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
    "noise": wp.noise.DiscretizedGaussian(256),
    "prior": "standard",
    "hidden": (512, 512),
    "max_epochs": 12,
}
_SMALL: dict[str, Any] = {
    "n_components": 16,
    "noise": wp.noise.DiscretizedGaussian(17),
    "prior": "standard",
    "hidden": (128, 128),
    "max_epochs": 200,
}
CASES = {
    "digits": Case(_digits, 8, 16, (5, 10, 15, 20, 30, 40, 60), _SMALL),
    "mnist": Case(_mnist("mnist"), 28, 255, (15, 30, 45, 60, 90, 120), _LARGE),
    "fashion-mnist": Case(_mnist("fashion-mnist"), 28, 255, (15, 30, 45, 60, 90, 120), _LARGE),
}
BETAS = (1.0, 4.0)


def trained(name: str, case: Case, train: np.ndarray, beta: float, share: float) -> Any:
    """Return a model of the training images, from its file where there is one."""
    path = FOLDER / f"{name}-{beta:g}-{share:g}.wp"
    if path.exists():
        return wp.load(path)
    FOLDER.mkdir(parents=True, exist_ok=True)
    settings = {"random_state": 0, "progress": False, "beta": beta} | case.settings
    settings["max_epochs"] = max(2, round(share * settings["max_epochs"]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # short trainings are intended
        vae = wp.VAE(**settings).fit(train)
    vae.save(path)
    return vae


def ours(vae: Any, test: np.ndarray, target: float) -> tuple[float, float]:
    """Return bits of the file for each image, and the error of what comes back; NaN if neither."""
    file, progress = io.BytesIO(), False
    try:
        sizes = compress_into(file, vae, test, target=Target(bits=target), progress=progress)
    except wp.SettingError:
        return math.nan, math.nan
    back = wp.decompress(file.getvalue(), vae, progress=progress).astype(float)
    error = math.sqrt(((back - test) ** 2).mean())
    if sizes.rmse is None or abs(error - sizes.rmse) > 1e-9:
        raise SystemExit("the error differs from what was reported")
    return 8 * sizes.file / len(test), error


def report(name: str, share: float) -> None:
    """Print the table of one set of images."""
    case = CASES[name]
    train, test = case.load()
    begun = time.process_time()
    models = [trained(name, case, train, beta, share) for beta in BETAS]
    took = time.process_time() - begun
    print(f"\n{name}: {len(test):,} test images, models made in {took:.0f} s of processor time")
    exact = 8 * len(wp.compress(models[0], test, progress=False)) / len(test)
    lossless = ", ".join(f"{key} {value:.0f}" for key, value in without_loss(test).items())
    print(f"  bits an image without loss: wellposed {exact:.0f}, {lossless}")
    print("  root mean squared error in grey levels:")
    heads = [f"VAE β={beta:g}" for beta in BETAS]
    print(f"  {'bits':>8} {heads[0]:>9} {heads[1]:>9} {'PCA':>8} {'(components)':>12}     JPEG")
    components, jpeg = Components(train, test, case.most), Jpeg(test, case.side, case.most)
    for target in case.bits:
        found = [ours(vae, test, target) for vae in models]
        bits = max(each[0] for each in found if each[0] == each[0])
        theirs, n = components.best(bits)
        own = " ".join("        –" if math.isnan(error) else f"{error:9.3f}" for _, error in found)
        print(f"  {bits:8.1f} {own} {theirs:8.3f} {n:12} {jpeg.at(bits)}", flush=True)
    middle = case.bits[len(case.bits) // 2]
    both = wp.compress(models[0], test, target_bits=middle, keep_residual=True, progress=False)
    if not np.array_equal(wp.decompress(both, models[0], progress=False), test):
        raise SystemExit("the rows with the residual differ")
    print(f"  {middle:g} bits and the residual, β=1: {8 * len(both) / len(test):.1f} bits an image")
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
