"""Lucas et al. (2019) on the user's copy of CelebA, 64×64; the same protocol on Olivetti faces.

The source does not state the α of its logit. We take 0.05, which is customary for colour images:
the levels of our ELBOs cannot be compared with the published ones, their order over σ² can.
"""

import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from wellposed import datasets, transforms
from wellposed._errors import DataError, SettingError
from wellposed.estimators import VAE
from wellposed.plotting.canvas import Figure

from .._textbook import TEXTBOOK
from . import lucas
from .cells import Reproduction
from .grid_table import Job, Published
from .picture import over_noise

NAME, OLIVETTI = "lucas2019-celeba", "lucas2019-olivetti"
_OLIVETTI_FILE = "olivetti-faces/olivetti_faces_uint8_400x64x64.npy"
_HELD_OUT = 80  # Olivetti faces: eight people
_ALPHA, _SIDE = 0.05, 64

# Three figures are corrected: as printed they contradict other columns of the same table.
PUBLISHED: dict[str, tuple[Published, ...]] = {
    "σ² = 10": ((-73328.4, 0.49), (-55186.7, 35.1), 0.204, 0.8056, (56.12, 0.42)),
    "σ² = 1": ((-59841.8, 30.1), (-51294.8, 333.7), 0.102, 0.5252, (213.4, 6.3)),
    "σ² = 0.1": ((-50760.3, 353.4), (-50698.5, 393.9), 0.0883, 0.3272, (483.8, 36.2)),
    "σ² = 0.01": ((-82478.7, 1823.3), (-51373.9, 213.3), 0.0817, 0.0, (1624.2, 8.78)),
    "σ² = 0.001": ((-531924.5, 17177.6), (-57381.5, 512.6), 0.0296, 0.0, (2680.2, 41.45)),
    "σ² from 10": ((-51109.5, 408.2), (-51109.5, 408.3), 0.0963, 0.5332, (364.5, 26.4)),
    "σ² from 1": ((-50631.2, 163.4), (-50631.0, 163.3), 0.0875, 0.5476, (462.2, 20.0)),
    "σ² from 0.1": ((-50646.9, 269.0), (-50645.9, 267.5), 0.0869, 0.2884, (520.9, 11.7)),
    "σ² from 0.01": ((-51285.0, 708.1), (-51284.8, 708.1), 0.0963, 0.0564, (557.0, 50.5)),
    "σ² from 0.001": ((-51695.1, 322.4), (-51694.8, 322.7), 0.0974, 0.0, (537.5, 46.2)),
}


def template(image_shape: tuple[int, ...], *, epochs: int, n_components: int) -> VAE:
    """Return a VAE with convolutions, of the logit of dequantised pixels."""
    settings = {
        "n_components": n_components,
        "encoder": "conv",
        "decoder": "conv",
        "image_shape": image_shape,
        "transform": transforms.Logit(256, alpha=_ALPHA),
        "max_epochs": epochs,
        "kl_warmup": max(1, epochs // 10),
        "clip_norm": 1000.0,
        "validation_fraction": 0.0,
        "patience": None,
    }
    return VAE(**(TEXTBOOK | settings))


def make(job: Job) -> tuple[Reproduction, Figure]:
    """Train the table on CelebA: the user's folder or zip of images, the last tenth held out."""
    if job.data is None:
        raise SettingError(
            "CelebA cannot be downloaded here, since its licence asks for consent; got no data. "
            "Pass the aligned images, cut and resized to 64×64: --data FOLDER or --data FILE.zip."
        )
    images = images_of(job.data)
    if job.quick:
        images = images[:4_000]
    cut = len(images) - max(1, len(images) // 10)
    vae = template((_SIDE, _SIDE, 3), epochs=4 if job.quick else 60, n_components=500)
    return _train(job, vae, (images[:cut], images[cut:]), NAME, "CelebA", PUBLISHED)


def make_olivetti(job: Job) -> tuple[Reproduction, Figure]:
    """Train the table on Olivetti faces: ten images each of 40 people, the last eight held out."""
    folder = datasets.cache_dir() if job.data is None else job.data
    faces = datasets.read(Path(folder) / _OLIVETTI_FILE).values
    vae = template((_SIDE, _SIDE), epochs=60 if job.quick else 600, n_components=50)
    vae.set_params(batch_size=32)
    parts = faces[:-_HELD_OUT], faces[-_HELD_OUT:]
    return _train(job, vae, parts, OLIVETTI, "Olivetti faces", {})


def images_of(path: Path) -> np.ndarray:
    """Read colour images of 64×64 from a folder, a zip of one, or a file that ``read`` accepts.

    Raises
    ------
    DataError
        If the images have another shape, or the zip cannot be read.
    """
    images = _read_zip(path) if path.suffix.lower() == ".zip" else datasets.read(path)
    if images.image_shape != (_SIDE, _SIDE, 3):
        raise DataError(
            f"The table needs colour images of {_SIDE}×{_SIDE}; {path} has images of shape "
            f"{images.image_shape}. Cut and resize them first."
        )
    return images.values


def _read_zip(path: Path) -> datasets.Source:
    """Read the images of a zip; no file is written under a name that the zip contains."""
    try:
        with zipfile.ZipFile(path) as packed, tempfile.TemporaryDirectory() as flat:
            for i, entry in enumerate(sorted(packed.namelist())):
                if not entry.endswith("/") and not Path(entry).name.startswith("."):
                    target = Path(flat) / f"{i:08d}{Path(entry).suffix.lower()}"
                    target.write_bytes(packed.read(entry))
            return datasets.read(flat)
    except zipfile.BadZipFile as error:
        raise DataError(
            f"A zip must open as an archive; {path} does not ({error}). Copy it again."
        ) from error


def _train(
    job: Job,
    vae: VAE,
    parts: tuple[np.ndarray, np.ndarray],
    name: str,
    data: str,
    published: Mapping[str, Sequence[Published]],
) -> tuple[Reproduction, Figure]:
    train, test = parts
    note = "The source does not state its α: another α changes the ELBOs by a constant."
    table = lucas.reproduction(
        lucas.train(job, vae, train, test),
        vae,
        name=name,
        title=f"Gaussian VAE on {data} (Lucas et al. 2019)",
        settings={
            "networks": f"convolutions, {vae.n_components} latents",
            "data": f"{len(train)} images, {len(test)} held out; (x + u)/256, logit with "
            f"α = {_ALPHA}; pixels in [0, 256]",
        },
        published=published,
        notes=(note,) if published else (),
    )
    return table, over_noise(table, lucas.VARIANCES)
