"""A folder of pictures of one size, through Pillow where it is installed."""

from pathlib import Path

import numpy as np

from wellposed._errors import DamagedFileError, DataError, SettingError

from ._source import Parsed

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm"})


def read_images(folder: Path) -> Parsed:
    """Read every picture, sorted by name, as uint8 of shape (n, H, W) or (n, H, W, 3)."""
    paths = sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES and p.is_file())
    if not paths:
        raise DataError(
            f"A folder of images holds files that end in {', '.join(sorted(SUFFIXES))}; "
            f"{folder} holds none, and folders within it are not searched. Name the folder itself."
        )
    first = _pixels(paths[0])
    values = np.empty((len(paths), *first.shape), np.uint8)
    values[0] = first
    for i, path in enumerate(paths[1:], 1):
        image = _pixels(path)
        if image.shape != first.shape:
            raise DataError(
                f"All images must have the same size and colours; {paths[0]} has "
                f"{_described(first)}, {path} has {_described(image)}. Resize, convert or move it."
            )
        values[i] = image
    return Parsed(values)


def _pixels(path: Path) -> np.ndarray:
    """Decode one picture to 8-bit grey or RGB; what would lose information is refused."""
    try:
        from PIL import Image
    except ImportError as error:
        raise SettingError(
            f"Images need Pillow, which is not installed, to read {path}. "
            f"Run `pip install 'wellposed[data]'`, or save the pixels as .npy."
        ) from error
    try:
        with Image.open(path) as picture:
            # Palettes and bitmaps are storage, not content; an opaque alpha says nothing.
            if picture.mode in ("P", "PA"):
                picture = picture.convert("RGBA")
            if picture.mode in ("LA", "RGBA") and picture.getextrema()[-1] == (255, 255):
                picture = picture.convert(picture.mode.removesuffix("A"))
            if picture.mode == "1":
                picture = picture.convert("L")
            mode, pixels = picture.mode, np.asarray(picture)
    except (OSError, SyntaxError, ValueError) as error:
        raise DamagedFileError(
            f"An image must decode whole; {path} does not ({error}). Copy it again or move it away."
        ) from error
    if mode not in ("L", "RGB"):
        raise DataError(
            f"Images must be 8-bit grey or RGB without transparency; {path} has the mode {mode}. "
            f"Convert it, or save the pixels as .npy."
        )
    return pixels


def _described(image: np.ndarray) -> str:
    height, width = image.shape[:2]
    return f"{width}×{height} {'grey' if image.ndim == 2 else 'RGB'}"
