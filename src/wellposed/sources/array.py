"""Rows of an array in memory, as a source."""

import hashlib

import numpy as np

from wellposed._errors import DataError

from ._source import BlockSource, check_real, rows_in_block


class ArraySource(BlockSource):
    """Rows of an array, shape (n, d), or images of shape (n, H, W) or (n, H, W, C).

    A memory-mapped array is read block by block, but the system keeps what was read in memory
    until it is short; :class:`NpySource` does not.

    Parameters
    ----------
    values : array of real numbers
    block_rows : int or None; by default some 128 KiB of rows

    Raises
    ------
    DataError
        For an array of other axes, without rows, or of other than real numbers.

    Examples
    --------
    >>> ArraySource(np.zeros((3, 2))).rows(1, 3).shape
    (2, 2)
    """

    def __init__(self, values: np.ndarray, block_rows: int | None = None):
        values = np.asanyarray(values)
        if values.ndim not in (2, 3, 4):
            raise DataError(
                "A source has rows and features, or images; got an array of shape "
                f"{values.shape}. Reshape it to (n, d)."
            )
        check_real(values.dtype, "the array")
        self._shape_as(values.shape, "the array")
        self._values = values.reshape(self.n_rows, self.n_features)
        self.dtype = values.dtype.newbyteorder("=")
        self.block_rows = block_rows or rows_in_block(self.row_bytes)

    def identity(self) -> str:
        """Return the SHA-256 of the array's content."""
        digest = hashlib.sha256(f"{self.dtype}{self._values.shape}".encode())
        for start in range(0, self.n_rows, self.block_rows):
            block = self._values[start : start + self.block_rows]
            digest.update(np.ascontiguousarray(block, self.dtype).view(np.uint8).data)
        return digest.hexdigest()

    def read(self, block: int, out: np.ndarray) -> None:
        """Fill ``out`` with the rows of a block."""
        start, stop = self.span(block)
        out[:] = self._values[start:stop]
