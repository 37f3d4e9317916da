"""Reading of containers: each block by itself, so that a damaged one costs its rows alone."""

import io
import itertools
import threading
import zlib
from collections.abc import Callable
from typing import IO

import numpy as np

from wellposed._errors import DamagedFileError

from ..protocol import RowCodec
from . import methods
from .blocks import is_by_model, read_block
from .header import Header, read_header
from .modelled import Modelled
from .varint import Cursor, pack_number

# From the body of a block and its rows to its cells, or None.
Elsewhere = Callable[[memoryview, int], "list[np.ndarray] | None"]
_MOST_HEAD = 4 + 9  # bytes of a block before its body
_ASIDE = "Pass errors='skip' to read the other blocks, or take the file from a backup."


class Reader:
    """Reader of one container.

    Parameters
    ----------
    file : binary, open for reading and seeking; or the bytes themselves

    Raises
    ------
    DamagedFileError
        If the header is damaged.
    """

    def __init__(self, file: IO[bytes] | bytes):
        self._file = io.BytesIO(file) if isinstance(file, (bytes, bytearray, memoryview)) else file
        self._lock = threading.Lock()  # of the file's position
        self._size = self._file.seek(0, 2)
        self._file.seek(0)
        self.header: Header = read_header(self._file, self._size)
        self._sections, self._first = {}, self._file.tell()
        for name in ("description", "model"):
            sizes = getattr(self.header, f"{name}_bytes")
            if sizes is not None:
                self._sections[name] = self._first, *sizes
                self._first += 4 + sizes[0]

    def description(self) -> bytes:
        """Read the description; empty without one.

        Raises
        ------
        DamagedFileError
            If it is damaged.
        """
        return self._section("description")

    def model(self) -> bytes:
        """Read the model inside; empty without one.

        Raises
        ------
        DamagedFileError
            If it is damaged.
        """
        return self._section("model")

    def extents(self) -> tuple[list[tuple[int, int] | None], str | None]:
        """Return where each block begins and ends, None where that is lost, and what is damaged."""
        n = self.header.n_blocks
        if n < 2:
            extra = n == 0 and self._size != self._first
            fault = f"the file has {self._size} bytes, and should have {self._first}"
            return [(self._first, self._size)] * n, fault if extra else None
        try:
            lengths = self._index(n)
        except DamagedFileError as error:
            return self._walk(n), f"the index of the blocks is damaged: {error}"
        starts = self._first + np.cumsum([0, *lengths])
        return list(itertools.pairwise(starts.tolist())), None

    def read(
        self,
        i: int,
        extent: tuple[int, int] | None,
        modelled: Modelled | None = None,
        coder: RowCodec | None = None,
        quantised: RowCodec | None = None,
        elsewhere: Elsewhere | None = None,
    ) -> list[np.ndarray]:
        """Read block i, which begins and ends at ``extent``.

        Parameters
        ----------
        i, extent : the block
        modelled : what a model codes
        coder, quantised : of blocks without and with loss
        elsewhere : reads the body of a block by the model, if it can

        Raises
        ------
        DamagedFileError
            If it is damaged; the message names the block and its rows.
        NeedsModel
            If it was coded by a model, and ``coder`` is None.
        """
        low, high = self.header.rows_of(i)
        try:
            body = self._body(i, extent)
            if coder is None and is_by_model(body):
                raise NeedsModel
            if elsewhere is not None and is_by_model(body):
                parts = elsewhere(body, high - low)
                if parts is not None:
                    return parts
            parts = read_block(body, high - low, self.header.groups, modelled, coder, quantised)
        except (DamagedFileError, MemoryError, OverflowError) as error:
            raise DamagedFileError(
                f"Block {i} of {self.header.n_blocks} is damaged, rows {low} to {high - 1}: "
                f"{error} {_ASIDE}"
            ) from None
        return parts

    def _section(self, name: str) -> bytes:
        if name not in self._sections:
            return b""
        start, packed, size = self._sections[name]
        try:
            content = self._between(start, start + 4 + packed)
            if zlib.crc32(content[4:]) != int.from_bytes(content[:4], "little") or packed < 1:
                raise DamagedFileError("its checksum differs.")
            return bytes(methods.unpack(content[4], content[5:], size))
        except DamagedFileError as error:
            raise DamagedFileError(
                f"The {name} in the file is damaged: {error} Take the file from a backup."
            ) from None

    def _index(self, n: int) -> list[int]:
        length = int.from_bytes(self._between(self._size - 4, self._size), "little")
        if not 4 + n <= length <= self._size - 4 - self._first:
            raise DamagedFileError(f"its length is {length} bytes.")
        content = self._between(self._size - 4 - length, self._size - 4)
        if zlib.crc32(content[4:]) != int.from_bytes(content[:4], "little"):
            raise DamagedFileError("its checksum differs.")
        cursor = Cursor(content[4:])
        lengths = [cursor.number() for _ in range(n)]
        cursor.end()
        if self._first + sum(lengths) + length + 4 != self._size:
            raise DamagedFileError("its lengths are not those of the file.")
        return lengths

    def _walk(self, n: int) -> list[tuple[int, int] | None]:
        """Find the blocks by their own heads, up to the first that is damaged."""
        extents: list[tuple[int, int] | None] = [None] * n
        start = self._first
        for i in range(n):
            try:
                head = Cursor(self._between(start + 4, min(start + _MOST_HEAD, self._size)))
                end = start + 4 + head.number() + head.position
                self._body(i, (start, end))
            except DamagedFileError:
                break
            extents[i] = start, end
            start = end
        return extents

    def _body(self, i: int, extent: tuple[int, int] | None) -> memoryview:
        if extent is None:
            raise DamagedFileError("its place in the file is lost.")
        block = memoryview(self._between(*extent))
        cursor = Cursor(block)
        check = int.from_bytes(cursor.take(4), "little")
        if check != zlib.crc32(block[4:], zlib.crc32(pack_number(i))):
            raise DamagedFileError("its checksum differs.")
        if cursor.number() != cursor.left:
            raise DamagedFileError("its length differs.")
        return cursor.take(cursor.left)

    def _between(self, start: int, end: int) -> bytes:
        if not 0 <= start <= end <= self._size:
            raise DamagedFileError("the file ends before it.")
        with self._lock:
            self._file.seek(start)
            return self._file.read(end - start)


class NeedsModel(Exception):  # noqa: N818
    """A block was coded by a model that was not given."""
