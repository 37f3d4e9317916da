"""Decoding of a picture to 8-bit grey or RGB, refused where information would be lost."""

import contextlib
import io
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from wellposed._errors import DamagedFileError, DataError, SettingError

from .guard import is_of_the_system
from .options import Pixels, height_width

# The content decides, since the name of a file may be wrong: a PostScript file called a.png would
# start Ghostscript. "JPEG" includes the photographs of telephones, whose second picture is a
# preview.
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM")
MOST_PIXELS = 1 << 23
_MOST_TO_RESIZE = 1 << 27
_STRIP = 1 << 20  # pixels


def read_picture(
    path: Path, size: Pixels | None, crop: Pixels | None, content: bytes | None = None
) -> np.ndarray:
    """Decode a picture to uint8 of shape (H, W) or (H, W, 3).

    Parameters
    ----------
    path : of the file; the name for messages, where ``content`` is given
    size, crop : as of :func:`wellposed.datasets.read`
    content : bytes of the picture, where it is a part of another file

    Raises
    ------
    DamagedFileError
        If it cannot be decoded completely.
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
        opened = path.open("rb") if content is None else io.BytesIO(content)
        with _strict(), opened as file, Image.open(file, formats=FORMATS) as picture:
            _check_size(picture, path, MOST_PIXELS if size is None else _MOST_TO_RESIZE)
            # Not `n_frames`, which reads all pages of a file.
            if picture.format != "MPO" and getattr(picture, "is_animated", False):
                raise _error(path, "holds several pictures (an animation, or pages)")
            picture.load()
            if size is not None and picture.mode in ("L", "RGB") and not _has_key(picture):
                return _resize(Image, picture, path, size, crop)
            pixels = _pixels(picture, path)
    except (DataError, MemoryError):
        raise
    except Image.DecompressionBombError as error:
        raise DataError(
            f"An image has at most {_MOST_TO_RESIZE} pixels; {path}: {error}"
        ) from error
    except Exception as error:
        if is_of_the_system(error):
            raise
        raise DamagedFileError(
            f"An image must decode whole; {path} does not ({type(error).__name__}: {error}). "
            f"Copy it again or move it away."
        ) from error
    if size is not None:
        return _resize(Image, Image.fromarray(pixels), path, size, crop)
    if crop is not None:
        left, top, right, bottom = _cut(pixels.shape[1], pixels.shape[0], crop, path)
        pixels = np.ascontiguousarray(pixels[top:bottom, left:right])
    return pixels


@contextlib.contextmanager
def _strict() -> Iterator[None]:
    """Turn the warnings of Pillow about incomplete files into errors."""
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="Invalid APNG|Truncated File Read")
        yield


def _check_size(picture: Any, path: Path, most: int) -> None:
    width, height = picture.size
    if width * height > most:
        raise DataError(
            f"An image has at most {most} pixels; {path} declares {width}×{height}. Resize it"
            + (" with size=(height, width)." if most == MOST_PIXELS else " first.")
        )


def _error(path: Path, what: str) -> DataError:
    return DataError(
        f"Images must be 8-bit grey or RGB without transparency, one a file; {path} {what}. "
        f"Convert it, or save the pixels as .npy."
    )


def _pixels(picture: Any, path: Path) -> np.ndarray:
    """Convert a strip of rows at a time, since a copy of the whole may not fit in memory."""
    width, height = picture.size
    rows = max(1, _STRIP // width)
    pixels: np.ndarray | None = None
    for top in range(0, height, rows):
        strip = picture.crop((0, top, width, min(top + rows, height)))
        strip.info = dict(picture.info)  # where a file stores its transparent colour
        part = np.asarray(_plain(strip, path))
        if pixels is None:
            pixels = np.empty((height, *part.shape[1:]), np.uint8)
        pixels[top : top + len(part)] = part
    if pixels is None:
        raise _error(path, "has no pixels")
    return pixels


def _plain(picture: Any, path: Path) -> Any:
    """Unpack palettes and bitmaps; drop an alpha channel that is opaque everywhere."""
    mode = picture.mode
    if mode in ("P", "PA") or (mode in ("1", "L", "RGB") and _has_key(picture)):
        picture = picture.convert("RGBA")
    if picture.mode in ("LA", "RGBA"):
        if picture.getextrema()[-1] != (255, 255):
            raise _error(path, f"has the mode {mode} with transparent pixels")
        picture = picture.convert("L" if mode in ("1", "L", "LA") else "RGB")
    if picture.mode == "1":
        picture = picture.convert("L")
    if picture.mode not in ("L", "RGB"):
        raise _error(path, f"has the mode {mode}")
    return picture


def _has_key(picture: Any) -> bool:
    """Whether one colour marks transparent pixels."""
    return "transparency" in picture.info


def _resize(image: Any, picture: Any, path: Path, size: Pixels, crop: Pixels | None) -> np.ndarray:
    """Resize the centre, averaging over the area that each new pixel covers."""
    height, width = height_width("size", size)
    whole = (picture.height, picture.width)
    left, top, right, bottom = _cut(picture.width, picture.height, crop or whole, path)
    scale = min((right - left) / width, (bottom - top) / height)
    # The part of the centre with the proportions of the new image, in fractions of pixels.
    over_x, over_y = (right - left - scale * width) / 2, (bottom - top - scale * height) / 2
    box = (left + over_x, top + over_y, right - over_x, bottom - over_y)
    return np.asarray(picture.resize((width, height), image.Resampling.BICUBIC, box=box))


def _cut(width: int, height: int, crop: Pixels, path: Path) -> tuple[int, int, int, int]:
    """Return the edges (left, top, right, bottom) of the centre of an image."""
    rows, columns = height_width("crop", crop)
    if rows > height or columns > width:
        raise DataError(
            f"A crop must lie within every image; {path} has {height} rows and {width} columns, "
            f"crop={(rows, columns)}. Make it smaller, or leave out that image."
        )
    left, top = (width - columns) // 2, (height - rows) // 2
    return left, top, left + columns, top + rows


def format_of(shape: tuple[int, ...]) -> str:
    """Return the size and the colours of an image of this shape for messages."""
    height, width = shape[:2]
    return f"{width}×{height} {'grey' if len(shape) == 2 else 'RGB'}"
