"""Rows of a NumPy file, read block by block."""

import os
from pathlib import Path

import numpy as np

from wellposed._errors import DamagedFileError, DataError
from wellposed.datasets.readers.guard import name_damage
from wellposed.datasets.readers.npy import pickled, read_header

from ._identity import identity_of
from ._source import BlockSource, check_real, rows_in_block


class NpySource(BlockSource):
    """Rows of a ``.npy`` file of shape (n, d), (n, H, W) or (n, H, W, C), in C order.

    Parameters
    ----------
    path : str or path
    block_rows : int or None; by default some 128 KiB of rows

    Raises
    ------
    DataError
        For an array of other axes, in Fortran order, without rows, or of other than real numbers.
    DamagedFileError
        If the file is not whole.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "rows.npy")
    ...     np.save(path, np.arange(6.0).reshape(3, 2))
    ...     NpySource(path).rows(1, 3).tolist()
    [[2.0, 3.0], [4.0, 5.0]]
    """

    def __init__(self, path: str | os.PathLike[str], block_rows: int | None = None):
        self._path = Path(path)
        self.paths = (self._path,)
        with name_damage(self._path), self._path.open("rb") as handle:
            size = handle.seek(0, 2)
            handle.seek(0)
            shape, fortran, dtype = read_header(handle, str(path))
            self._offset = handle.tell()
        if dtype.hasobject:
            raise pickled(str(path))
        check_real(dtype, str(path))
        if len(shape) not in (2, 3, 4) or (fortran and sum(n > 1 for n in shape) > 1):
            order = "Fortran" if fortran else "C"
            raise DataError(
                "A source has rows and features, or images, row after row; "
                f"{path} holds shape {shape} in {order} order. Save "
                "`numpy.ascontiguousarray(array.reshape(len(array), -1))`."
            )
        self._shape_as(shape, str(path))
        self._stored, self.dtype = dtype, dtype.newbyteorder("=")
        expected = self.n_rows * self.row_bytes
        if size - self._offset != expected:
            raise DamagedFileError(
                f"{path} is not whole: its header declares {expected} bytes of shape {shape}; "
                f"found {size - self._offset}. Write or copy it again."
            )
        self.block_rows = block_rows or rows_in_block(self.row_bytes)

    def identity(self) -> str:
        """Return the digest of the file's size and time of change, and of its header."""
        return identity_of([self._path], (self.n_rows, self.n_features, str(self._stored)))

    def read(self, block: int, out: np.ndarray) -> None:
        """Fill ``out`` with the rows of a block."""
        start, stop = self.span(block)
        target = out if out.flags.c_contiguous and self._stored == out.dtype else None
        rows = np.empty((stop - start, self.n_features), self._stored) if target is None else target
        wanted, filled = rows.view(np.uint8).reshape(-1).data, 0
        with self._path.open("rb", buffering=0) as handle:
            handle.seek(self._offset + start * self.row_bytes)
            while filled < len(wanted):
                got = handle.readinto(wanted[filled:])
                if not got:
                    raise DamagedFileError(
                        f"{self._path} ends within row {start + filled // self.row_bytes}; it was "
                        f"opened with {self.n_rows}. Do not change a file while it is read."
                    )
                filled += got
        if target is None:
            out[:] = rows
