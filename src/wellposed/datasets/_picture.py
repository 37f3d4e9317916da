"""One picture to 8-bit grey or RGB; what would lose information is refused."""

from pathlib import Path
from typing import Any

import numpy as np

from wellposed._errors import DamagedFileError, DataError, SettingError

from ._options import Pixels, height_width

# By content, since the name of a file may lie: a PostScript file called a.png would start
# Ghostscript. "JPEG" covers the photographs of telephones, whose second picture is a preview.
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM")
MOST_PIXELS = 1 << 24
_MOST_TO_RESIZE = 1 << 27
_STRIP = 1 << 20  # pixels


def read_picture(path: Path, size: Pixels | None, crop: Pixels | None) -> np.ndarray:
    """Decode a picture to uint8 of shape (H, W) or (H, W, 3).

    Raises
    ------
    DamagedFileError
        If it does not decode whole.
    DataError
        If it is animated, has several pages, transparent pixels or more than 8 bits, is too
        large, or is smaller than ``crop``.
    SettingError
        If Pillow is missing.
    """
    try:
        from PIL import Image
    except ImportError as error:
        raise SettingError(
            f"Images need Pillow, which is not installed, to read {path}. "
            f"Run `pip install 'wellposed[data]'`, or save the pixels as .npy."
        ) from error
    try:
        # The content is as whole as the file that is open, whatever happens to its name.
        with path.open("rb") as file, Image.open(file, formats=FORMATS) as picture:
            _check_size(picture, path, MOST_PIXELS if size is None else _MOST_TO_RESIZE)
            if picture.format != "MPO" and getattr(picture, "n_frames", 1) > 1:
                raise _refused(path, "holds several pictures (an animation, or pages)")
            picture.load()
            pixels = _pixels(picture, path)
    except DataError:
        raise
    except Image.DecompressionBombError as error:
        raise DataError(
            f"An image has at most {_MOST_TO_RESIZE} pixels; {path}: {error}"
        ) from error
    except (Exception, MemoryError) as error:
        raise DamagedFileError(
            f"An image must decode whole; {path} does not ({type(error).__name__}: {error}). "
            f"Copy it again or move it away."
        ) from error
    return _fitted(Image, pixels, path, size, crop)


def _check_size(picture: Any, path: Path, most: int) -> None:
    width, height = picture.size
    if width * height > most:
        raise DataError(
            f"An image has at most {most} pixels; {path} declares {width}×{height}. Resize it"
            + (" with size=(height, width)." if most == MOST_PIXELS else " first.")
        )


def _refused(path: Path, what: str) -> DataError:
    return DataError(
        f"Images must be 8-bit grey or RGB without transparency, one a file; {path} {what}. "
        f"Convert it, or save the pixels as .npy."
    )


def _pixels(picture: Any, path: Path) -> np.ndarray:
    """Convert a strip of rows at a time: a whole copy in another mode may not fit."""
    width, height = picture.size
    rows = max(1, _STRIP // width)
    pixels: np.ndarray | None = None
    for top in range(0, height, rows):
        strip = picture.crop((0, top, width, min(top + rows, height)))
        strip.info = dict(picture.info)  # where the transparent colour is named
        part = np.asarray(_plain(strip, path))
        if pixels is None:
            pixels = np.empty((height, *part.shape[1:]), np.uint8)
        pixels[top : top + len(part)] = part
    if pixels is None:
        raise _refused(path, "has no pixels")
    return pixels


def _plain(picture: Any, path: Path) -> Any:
    """Unpack palettes and bitmaps, which are storage; drop an alpha that is opaque throughout."""
    mode = picture.mode
    if mode in ("P", "PA") or (mode in ("1", "L", "RGB") and "transparency" in picture.info):
        picture = picture.convert("RGBA")
    if picture.mode in ("LA", "RGBA"):
        if picture.getextrema()[-1] != (255, 255):
            raise _refused(path, f"has the mode {mode} with transparent pixels")
        picture = picture.convert("L" if mode in ("1", "L", "LA") else "RGB")
    if picture.mode == "1":
        picture = picture.convert("L")
    if picture.mode not in ("L", "RGB"):
        raise _refused(path, f"has the mode {mode}")
    return picture


def _fitted(
    image: Any, pixels: np.ndarray, path: Path, size: Pixels | None, crop: Pixels | None
) -> np.ndarray:
    """Cut the centre and resize it, averaging over the area that each new pixel covers."""
    if crop is not None:
        height, width = height_width("crop", crop)
        if height > pixels.shape[0] or width > pixels.shape[1]:
            raise DataError(
                f"A crop must lie within every image; {path} has {described(pixels)}, "
                f"crop={(height, width)}. Make it smaller, or leave out that image."
            )
        pixels = _centre(pixels, height, width)
    if size is None:
        return pixels
    height, width = height_width("size", size)
    scale = min(pixels.shape[0] / height, pixels.shape[1] / width)
    kept = (max(1, round(scale * height)), max(1, round(scale * width)))
    picture = image.fromarray(np.ascontiguousarray(_centre(pixels, *kept)))
    return np.asarray(picture.resize((width, height), image.Resampling.BICUBIC))


def _centre(pixels: np.ndarray, height: int, width: int) -> np.ndarray:
    top, left = (pixels.shape[0] - height) // 2, (pixels.shape[1] - width) // 2
    return pixels[top : top + height, left : left + width]


def described(image: np.ndarray) -> str:
    """Name the size and the colours of an image."""
    height, width = image.shape[:2]
    return f"{width}×{height} {'grey' if image.ndim == 2 else 'RGB'}"
