"""Rows of a Zarr array, a chunk at a time."""

import os
from pathlib import Path
from typing import Any

import numpy as np

from wellposed._errors import DataError, SettingError
from wellposed.datasets.readers.guard import name_damage

from ._identity import identity_of
from ._source import BlockSource, check_real


class ZarrSource(BlockSource):
    """Rows of a Zarr array of shape (n, d), (n, H, W) or (n, H, W, C), by chunks of rows.

    Parameters
    ----------
    path : folder of the array

    Raises
    ------
    DataError
        For a group, an array of other axes, without rows, or of other than real numbers.
    SettingError
        If zarr is not installed.
    DamagedFileError
        If the array cannot be read.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import zarr
    >>> path = pathlib.Path(tempfile.mkdtemp(), "rows.zarr")
    >>> array = zarr.create_array(path, shape=(6, 2), chunks=(3, 2), dtype="float32")
    >>> ZarrSource(path).n_rows
    6
    """

    def __init__(self, path: str | os.PathLike[str]):
        self._path = Path(path)
        self.paths = (self._path,)
        try:
            import zarr
        except ImportError as error:
            raise SettingError(
                f"Zarr arrays need zarr, which is not installed, to read {path}. Run "
                "`pip install 'wellposed[scale]'`, or save the rows as .npy."
            ) from error
        with name_damage(self._path):
            opened: Any = zarr.open(str(path), mode="r")
        shape = tuple(getattr(opened, "shape", ()))
        if len(shape) not in (2, 3, 4):
            raise DataError(
                "A source has rows and features, or images; "
                f"{path} holds {f'shape {shape}' if shape else 'a group'}. Name an array of "
                "it, of two to four axes."
            )
        check_real(np.dtype(opened.dtype), str(path))
        self._array = opened
        self._shape_as(shape, str(path))
        self.dtype = np.dtype(opened.dtype).newbyteorder("=")
        self.block_rows = int((opened.shards or opened.chunks)[0])

    def identity(self) -> str:
        """Return the digest of the names, sizes and times of change of the files."""
        files = sorted(path for path in self._path.rglob("*") if path.is_file())
        return identity_of(files)

    def read(self, block: int, out: np.ndarray) -> None:
        """Fill ``out`` with the rows of a block."""
        start, stop = self.span(block)
        with name_damage(self._path):
            out[:] = np.asarray(self._array[start:stop]).reshape(out.shape)
