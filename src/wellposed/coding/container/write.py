"""Writing of containers, block by block."""

import dataclasses
import zlib
from collections.abc import Iterable, Sequence
from typing import IO

import numpy as np

from ..protocol import RowCodec
from . import methods
from .blocks import BY_MODEL, PLAIN, is_by_model, pack_block
from .header import Header
from .modelled import Modelled
from .sections import store_head, store_section
from .varint import pack_number


class Writer:
    """Writer of one container.

    Parameters
    ----------
    file : binary, open for writing, and for reading and seeking if :meth:`write_stored` is used
    header : without the lengths of the description and the model, which are those given
    description : of a frame, of the columns that a model codes; may be empty
    modelled, coder : what a model codes, and the model; None without
    include_model : whether to put the model into the file
    kind, always : of blocks by the model; see :func:`~.blocks.pack_block`
    """

    def __init__(
        self,
        file: IO[bytes],
        header: Header,
        description: bytes = b"",
        *,
        modelled: Modelled | None = None,
        coder: RowCodec | None = None,
        include_model: bool = False,
        kind: int = BY_MODEL,
        always: bool = False,
    ):
        self._file, self._modelled, self._coder = file, modelled, coder
        self._kind, self._always = kind, always
        sections = [description, coder.to_bytes() if coder and include_model else b""]
        packed = [_pack_smaller(section) if section else b"" for section in sections]
        lengths = [
            (len(short), len(section)) if section else None
            for short, section in zip(packed, sections, strict=True)
        ]
        self.header = dataclasses.replace(
            header, description_bytes=lengths[0], model_bytes=lengths[1]
        )
        self._lengths: list[int] = []
        self.n_by_model = 0  # blocks
        front = self.header.pack()
        self._file.write(front)
        self.n_bytes = len(front)
        for short in packed:
            if short:
                self._put(zlib.crc32(short).to_bytes(4, "little") + short)

    def pack(self, parts: Sequence[np.ndarray]) -> bytes:
        """Return the body of a block; the writer stays as it is, for other threads.

        Parameters
        ----------
        parts : of each group, its cells, shape (rows of the block, width), little-endian
        """
        return pack_block(parts, self._modelled, self._coder, self._kind, always=self._always)

    def write(self, body: bytes) -> None:
        """Write the body of the next block."""
        self.n_by_model += is_by_model(body)
        self._put_block(body)

    def write_stored(self, chunks: Iterable[Sequence[np.ndarray]]) -> None:
        """Write the only block of a container as it is, from chunks of its rows.

        The chunks of a container of several groups must be one.
        """
        start = self._file.tell()
        self._file.write(bytes(4))
        header = self.header
        groups = header.groups
        if len(groups) == 1:
            n_bytes = header.n_rows * header.row_bytes
            front = bytes([PLAIN]) + store_head(n_bytes)
            bodies = (chunk[0].tobytes() for chunk in chunks)
        else:
            (chunk,) = chunks
            front = bytes([PLAIN])
            n_bytes = sum(len(store_head(p.nbytes)) + p.nbytes for p in chunk)
            bodies = iter([b"".join(map(store_section, chunk))])
        length = pack_number(len(front) + n_bytes)
        check = zlib.crc32(pack_number(0) + length + front)
        self._file.write(length + front)
        for body in bodies:
            check = zlib.crc32(body, check)
            self._file.write(body)
        end = self._file.tell()
        self._file.seek(start)
        self._file.write(check.to_bytes(4, "little"))
        self._file.seek(end)
        self.n_bytes += end - start
        self._lengths.append(end - start)

    def close(self) -> int:
        """Write the index of the blocks, and return the bytes of the whole container."""
        if self.header.n_blocks > 1:
            body = b"".join(map(pack_number, self._lengths))
            index = zlib.crc32(body).to_bytes(4, "little") + body
            self._put(index + len(index).to_bytes(4, "little"))
        return self.n_bytes

    def _put_block(self, body: bytes) -> None:
        length = pack_number(len(body))
        check = zlib.crc32(pack_number(len(self._lengths)) + length)
        block = zlib.crc32(body, check).to_bytes(4, "little") + length + body
        self._lengths.append(len(block))
        self._put(block)

    def _put(self, content: bytes) -> None:
        self._file.write(content)
        self.n_bytes += len(content)


def _pack_smaller(content: bytes) -> bytes:
    """Return one byte for the method, and the packed bytes."""
    tried = [(m, methods.pack(m, content)) for m in (methods.STORED, methods.LZMA, methods.BZIP2)]
    method, packed = min(tried, key=lambda pair: len(pair[1]))
    return bytes([method]) + packed
