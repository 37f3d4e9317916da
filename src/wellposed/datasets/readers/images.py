"""Reader of folders of pictures of one size, by Pillow where it is installed."""

from pathlib import Path

import numpy as np

from wellposed._errors import DataError

from .._source import Parsed
from .guard import check_room
from .options import Pixels
from .picture import format_of, read_picture

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm"})


def read_images(folder: Path, *, size: Pixels | None = None, crop: Pixels | None = None) -> Parsed:
    """Read every picture, sorted by name, as uint8 of shape (n, H, W) or (n, H, W, 3)."""
    paths = pictures_in(folder)
    first = read_picture(paths[0], size, crop)
    shape = (len(paths), *first.shape)
    check_room(len(paths) * first.size, f"images of shape {shape}", folder)
    values = np.empty(shape, np.uint8)
    values[0] = first
    for i, path in enumerate(paths[1:], 1):
        image = read_picture(path, size, crop)
        check_same_format(first.shape, paths[0], image, path)
        values[i] = image
    return Parsed(values)


def check_same_format(shape: tuple[int, ...], of: object, image: np.ndarray, named: object) -> None:
    """Refuse an image of other than the given shape, which is that of another.

    Raises
    ------
    DataError
        Naming both images.
    """
    if image.shape != shape:
        raise DataError(
            f"All images must have the same size and colours; {of} has {format_of(shape)}, "
            f"{named} has {format_of(image.shape)}. Resize them with size=, convert or move the "
            "one."
        )


def pictures_in(folder: Path) -> list[Path]:
    """List the pictures of a folder by name.

    Hidden files are left out, since systems create their own, such as ``._a.png`` beside ``a.png``.
    A broken link is refused, since an image would be missing without a warning.
    """
    entries = (path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    paths = sorted(path for path in entries if not path.name.startswith(".") and not path.is_dir())
    for path in paths:
        if not path.is_file():
            raise DataError(
                f"Images are files; {path} is a link that leads nowhere, or no regular file. "
                f"Remove it."
            )
    if not paths:
        raise DataError(
            f"A folder of images holds files that end in {', '.join(sorted(SUFFIXES))}; "
            f"{folder} holds none, and folders within it are not searched. Name the folder itself."
        )
    return paths
