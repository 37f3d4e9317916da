"""Other lossless coders on the same rows, each at its strongest setting.

Needs ``zstandard`` and ``imagecodecs``.
"""

import bz2
import gzip
import lzma
import time
from collections.abc import Callable

import imagecodecs
import numpy as np
import zstandard

from .data import Sample

GENERAL: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda content: gzip.compress(content, 9),
    "bz2": lambda content: bz2.compress(content, 9),
    "xz": lambda content: lzma.compress(content, preset=9 | lzma.PRESET_EXTREME),
    "zstd": lambda content: zstandard.compress(content, 22),
}


def _webp(picture: np.ndarray) -> bytes:
    colours = picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, axis=2)
    return imagecodecs.webp_encode(
        np.ascontiguousarray(colours), lossless=True, level=100, method=6
    )


PICTURES: dict[str, Callable[[np.ndarray], bytes]] = {
    "PNG": lambda picture: imagecodecs.png_encode(picture, level=9),
    "WebP": _webp,
    "JPEG XL": lambda picture: imagecodecs.jpegxl_encode(picture, lossless=True, effort=7),
}


def measure(sample: Sample) -> dict[str, tuple[int, float]]:
    """Return the bytes and the seconds of each rival.

    The general ones get the rows as bytes, row by row and column by column, and the file where it
    is text; the smallest counts. Small images are coded together, side by side in one picture,
    which takes fewer bytes than one file each; photographs one by one.
    """
    flat = sample.rows.reshape(len(sample.rows), -1)
    forms = [flat.tobytes(), np.ascontiguousarray(flat.T).tobytes()]
    forms += [] if sample.text is None else [sample.text]
    found = {name: _best(coder, forms) for name, coder in GENERAL.items()}
    if sample.is_images:
        for name, coder in PICTURES.items():
            begun = time.perf_counter()
            size = sum(len(coder(picture)) for picture in _pictures(sample.rows))
            found[name] = size, time.perf_counter() - begun
    return found


def _best(coder: Callable[[bytes], bytes], forms: list[bytes]) -> tuple[int, float]:
    tried = []
    for form in forms:
        begun = time.perf_counter()
        tried.append((len(coder(form)), time.perf_counter() - begun))
    return min(tried)


def _pictures(rows: np.ndarray) -> list[np.ndarray]:
    n, height, width = rows.shape[:3]
    if height * width > 64 * 64:
        return list(rows)
    across = int(np.ceil(np.sqrt(n)))
    tiles = np.zeros((across * across, height, width), rows.dtype)
    tiles[:n] = rows
    grid = tiles.reshape(across, across, height, width).transpose(0, 2, 1, 3)
    return [np.ascontiguousarray(grid.reshape(across * height, across * width))]
