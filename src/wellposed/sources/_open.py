"""A source of what a path or a list names."""

import os
from pathlib import Path
from typing import Any

import numpy as np

from wellposed._errors import DataError, SettingError, unknown_name
from wellposed.datasets.readers.open import existing

from ._source import BlockSource
from .array import ArraySource
from .arrow import SUFFIXES, ArrowSource
from .concatenated import ConcatenatedSource
from .images import ImageFolderSource, TarSource
from .npy import NpySource
from .zarr import ZarrSource

_KNOWN = (".npy", *SUFFIXES, ".tar", ".zarr", "folder of these", "folder of images")
_MARKS = ("zarr.json", ".zarray")  # of a folder that is a Zarr array


def open_source(X: Any) -> BlockSource:
    """Return the source of a path, an array, or a list of these.

    Parameters
    ----------
    X : path of a .npy, .parquet, .arrow, .feather or .tar file, of a Zarr array, or of a folder of
        such files or of images; an array; a :class:`BlockSource`; or a sequence of these

    Raises
    ------
    DataError
        For data that cannot be one source.
    SettingError
        For a kind of file that is not read in blocks.
    DamagedFileError
        If a file is cut short or corrupt.

    Examples
    --------
    >>> open_source([np.zeros((3, 2)), np.ones((2, 2))])
    ConcatenatedSource(5 rows of 2 numbers, float64)
    """
    if isinstance(X, BlockSource):
        return X
    if isinstance(X, np.ndarray):
        return ArraySource(X)
    if isinstance(X, (str, os.PathLike)):
        path = Path(X)
        existing(path)
        return _of_path(path)
    if isinstance(X, (list, tuple)):
        return _of_several(list(X))
    raise SettingError(
        "A source is a path, an array, or a list of these; got "
        f"{type(X).__name__}. Save it to a file, or pass it to fit as it is."
    )


def _of_several(parts: list[Any]) -> BlockSource:
    paths = [part for part in parts if isinstance(part, (str, os.PathLike))]
    suffixes = {Path(path).suffix.lower() for path in paths}
    if len(paths) == len(parts) and suffixes and suffixes <= set(SUFFIXES):
        return ArrowSource(paths)
    sources = [open_source(part) for part in parts]
    return sources[0] if len(sources) == 1 else ConcatenatedSource(sources)


def _of_path(path: Path) -> BlockSource:
    if path.is_dir():
        return _of_folder(path)
    suffix = path.suffix.lower()
    if suffix == ".npy":
        return NpySource(path)
    if suffix in SUFFIXES:
        return ArrowSource(path)
    if suffix == ".tar":
        return TarSource(path)
    raise unknown_name("The kind of a file that is read in blocks", suffix or path.name, _KNOWN)


def _of_folder(folder: Path) -> BlockSource:
    if folder.suffix == ".zarr" or any((folder / mark).exists() for mark in _MARKS):
        return ZarrSource(folder)
    known = {".npy", ".tar", *SUFFIXES}
    files = sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in known and not path.name.startswith((".", "_"))
    )
    if not files:
        return ImageFolderSource(folder)
    kinds = {path.suffix.lower() for path in files}
    if len(kinds) > 1:
        raise DataError(
            f"A folder of data holds files of one kind; {folder} holds {', '.join(sorted(kinds))}. "
            "Pass a list of the files."
        )
    return TarSource(files) if kinds == {".tar"} else _of_several(list(files))
