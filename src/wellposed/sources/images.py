"""Images in folders and in archives, decoded block by block."""

import os
import tarfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from wellposed._errors import DamagedFileError, DataError
from wellposed.datasets.readers.guard import name_damage
from wellposed.datasets.readers.images import SUFFIXES, check_same_format, pictures_in
from wellposed.datasets.readers.options import Pixels
from wellposed.datasets.readers.picture import read_picture

from ._identity import identity_of
from ._source import BlockSource, rows_in_block

_Pixels = int | tuple[int, int]


class _Images(BlockSource):
    """Images of one size, as uint8 rows."""

    dtype = np.dtype(np.uint8)
    _size: Pixels | None
    _crop: Pixels | None

    def _describe(self, n: int) -> None:
        """Set the attributes by the first image and the number of images."""
        first = self._picture(0)
        self.image_shape = first.shape
        self.n_rows, self.n_features = n, first.size
        self.block_rows = rows_in_block(self.row_bytes)

    def read(self, block: int, out: np.ndarray) -> None:
        """Fill ``out`` with the rows of a block."""
        start, stop = self.span(block)
        for i in range(start, stop):
            image = self._picture(i)
            check_same_format(self.image_shape or (), self._name(0), image, self._name(i))
            out[i - start] = image.reshape(-1)

    def _picture(self, i: int) -> np.ndarray:
        raise NotImplementedError

    def _name(self, i: int) -> Path:
        raise NotImplementedError


class ImageFolderSource(_Images):
    """Pictures of one size in a folder, sorted by name, as uint8.

    Parameters
    ----------
    folder : path
    size, crop : int or (height, width), optional; as of :func:`wellposed.datasets.read`

    Raises
    ------
    DataError
        For a folder without pictures, and pictures of several sizes without ``size``.
    DamagedFileError
        If a picture cannot be decoded.
    SettingError
        If Pillow is not installed.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from PIL import Image
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> Image.new("L", (6, 4)).save(folder / "first.png")
    >>> source = ImageFolderSource(folder)
    >>> source.n_rows, source.n_features
    (1, 24)
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        size: _Pixels | None = None,
        crop: _Pixels | None = None,
    ):
        self._size, self._crop = size, crop
        self.paths = tuple(pictures_in(Path(folder)))
        self._describe(len(self.paths))

    def identity(self) -> str:
        """Return the digest of the names, sizes and times of change of the files."""
        return identity_of(self.paths, self._size, self._crop)

    def _picture(self, i: int) -> np.ndarray:
        return read_picture(self.paths[i], self._size, self._crop)

    def _name(self, i: int) -> Path:
        return self.paths[i]


class TarSource(_Images):
    """Pictures of one size in tar archives, in their order there, as uint8.

    An archive is read once for the places of its pictures, not for their content; it must not be
    compressed, as the pictures are. Other members are left out.

    Parameters
    ----------
    paths : path, or sequence of paths, of archives
    size, crop : int or (height, width), optional; as of :func:`wellposed.datasets.read`

    Raises
    ------
    DataError
        For an archive without pictures, and pictures of several sizes without ``size``.
    DamagedFileError
        If an archive is cut short, or a picture cannot be decoded.
    SettingError
        If Pillow is not installed.

    Examples
    --------
    >>> import pathlib, tarfile, tempfile
    >>> from PIL import Image
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> Image.new("L", (6, 4)).save(folder / "first.png")
    >>> with tarfile.open(folder / "all.tar", "w") as archive:
    ...     archive.add(folder / "first.png", "first.png")
    >>> TarSource(folder / "all.tar").n_rows
    1
    """

    def __init__(
        self,
        paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
        size: _Pixels | None = None,
        crop: _Pixels | None = None,
    ):
        self._size, self._crop = size, crop
        given = [paths] if isinstance(paths, (str, os.PathLike)) else list(paths)
        self.paths = tuple(Path(path) for path in given)
        if not self.paths:
            raise DataError("A source has at least one archive; got none. Name one.")
        self._members = [member for path in self.paths for member in _members(path)]
        self._describe(len(self._members))

    def identity(self) -> str:
        """Return the digest of the names, sizes and times of change of the archives."""
        return identity_of(self.paths, self._size, self._crop)

    def _picture(self, i: int) -> np.ndarray:
        path, _, offset, length = self._members[i]
        with path.open("rb", buffering=0) as file:
            file.seek(offset)
            content = file.read(length)
        return read_picture(self._name(i), self._size, self._crop, content)

    def _name(self, i: int) -> Path:
        path, name, _, _ = self._members[i]
        return path / name


def _members(path: Path) -> list[tuple[Path, str, int, int]]:
    """Return archive, name, offset and length of each picture of an archive."""
    with name_damage(path), tarfile.open(path, "r:") as archive:
        members = archive.getmembers()
    found = [
        (path, member.name, member.offset_data, member.size)
        for member in members
        if member.isfile() and _is_picture(Path(member.name))
    ]
    _check_whole(path, max((m.offset_data + m.size for m in members), default=0))
    if not found:
        raise DataError(
            f"An archive of images holds files that end in {', '.join(sorted(SUFFIXES))}; {path} "
            "holds none. Leave it out."
        )
    return found


def _check_whole(path: Path, end: int) -> None:
    """Refuse an archive whose last member is not followed by the block of zeros that ends one."""
    with path.open("rb") as file:
        file.seek(-(-end // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE)
        if file.read(tarfile.BLOCKSIZE) != tarfile.NUL * tarfile.BLOCKSIZE:
            raise DamagedFileError(
                f"A tar archive ends with a block of zeros; {path} has none after its last whole "
                "member. Write or copy it again."
            )


def _is_picture(name: Path) -> bool:
    return name.suffix.lower() in SUFFIXES and not name.name.startswith(".")
