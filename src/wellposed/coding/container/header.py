"""The header of a container."""

import dataclasses
import math
import zlib

import numpy as np

from wellposed._errors import DamagedFileError

from .sections import Group
from .varint import Cursor, pack_number

MAGIC = b"\x89WPZ"
VERSION = 1
QUANTISED_VERSION = 2  # of files with blocks of quantised latents; otherwise as version 1
ARRAY, PANDAS, POLARS = 0, 1, 2
_CONTAINERS = (ARRAY, PANDAS, POLARS)
# The position in this tuple is the code of a type in files; the codes from 16 on are big-endian.
TYPES = ("?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8")
_BIG = 16
_MODEL, _MODEL_INSIDE, _DESCRIPTION = 1, 2, 4
_HEAD = len(MAGIC) + 1 + 4  # before the length of the header
_MOST_HEADER = 1 << 20  # bytes
_PRINT = 16  # bytes of a fingerprint


@dataclasses.dataclass(frozen=True)
class Header:
    """What a container holds.

    Parameters
    ----------
    container : ``ARRAY``, ``PANDAS`` or ``POLARS``
    n_rows : number of rows
    block_rows : rows of each block but the last
    groups : tuple of Group
    big_endian : of each group
    trailing : of an array, its shape without the first axis
    fingerprint : of the model, 16 bytes; None without a model
    description_bytes : length of the description of a frame, and after unpacking
    model_bytes : length of the model inside, and after unpacking; None where it is not inside
    version : of the file
    """

    container: int
    n_rows: int
    block_rows: int
    groups: tuple[Group, ...]
    big_endian: tuple[bool, ...]
    trailing: tuple[int, ...] = ()
    fingerprint: bytes | None = None
    description_bytes: tuple[int, int] | None = None
    model_bytes: tuple[int, int] | None = None
    version: int = VERSION

    @property
    def row_bytes(self) -> int:
        """Bytes of one row."""
        return sum(group.row_bytes for group in self.groups)

    @property
    def n_blocks(self) -> int:
        """Number of blocks; none where there is no cell."""
        if self.n_rows == 0 or self.row_bytes == 0:
            return 0
        return -(-self.n_rows // self.block_rows)

    def rows_of(self, i: int) -> tuple[int, int]:
        """Return the first row of block i, and the first after it."""
        return i * self.block_rows, min((i + 1) * self.block_rows, self.n_rows)

    def pack(self) -> bytes:
        """Return the header's bytes."""
        flags = _MODEL * (self.fingerprint is not None)
        flags += _MODEL_INSIDE * (self.model_bytes is not None)
        flags += _DESCRIPTION * (self.description_bytes is not None)
        body = bytes([self.container, flags]) + pack_number(self.n_rows)
        body += pack_number(self.block_rows) + pack_number(len(self.groups))
        for group, big in zip(self.groups, self.big_endian, strict=True):
            code = TYPES.index(group.dtype.str.lstrip("<|").replace("b1", "?"))
            body += bytes([code + _BIG * big]) + pack_number(group.width)
        body += pack_number(len(self.trailing)) + b"".join(map(pack_number, self.trailing))
        body += self.fingerprint or b""
        for sizes in (self.description_bytes, self.model_bytes):
            body += b"" if sizes is None else b"".join(map(pack_number, sizes))
        length = pack_number(len(body))
        check = zlib.crc32(_checked_first(self.version) + length + body)
        return MAGIC + bytes([self.version]) + check.to_bytes(4, "little") + length + body


def _checked_first(version: int) -> bytes:
    """What the checksum of a header begins with: from version 2 on the version itself."""
    return b"" if version == VERSION else bytes([version])


def read_header(file, size: int) -> Header:
    """Read a header from the front of a file of ``size`` bytes.

    Raises
    ------
    DamagedFileError
        If the file is no container, is of another version, or its header is damaged.
    """
    start = file.read(_HEAD)
    if not start.startswith(MAGIC):
        raise DamagedFileError(
            f"A .wpz file begins with the bytes {MAGIC.hex(' ')}; this one begins with "
            f"{start[:4].hex(' ') or 'nothing'}. Pass the file that compress wrote."
        )
    if len(start) > 4 and start[4] not in (VERSION, QUANTISED_VERSION):
        raise DamagedFileError(
            f"This version reads .wpz files of versions 1 and 2; the file is of version "
            f"{start[4]}, or damaged there. Update wellposed, or take the file from a backup."
        )
    try:
        return _parse(start, file, size)
    except DamagedFileError as error:
        raise DamagedFileError(
            f"The header is damaged: {error} Without it no block can be read. Take the file from "
            "a backup."
        ) from None


def _parse(start: bytes, file, size: int) -> Header:
    front = file.read(9)  # the longest number
    length = Cursor(front)
    n = length.number()
    if n > min(size, _MOST_HEADER):
        raise DamagedFileError(f"its length is {n} bytes, and the file has {size}.")
    begun = front[length.position : length.position + n]
    body = begun + file.read(n - len(begun))
    file.seek(_HEAD + length.position + len(body))
    check = zlib.crc32(_checked_first(start[4]) + front[: length.position] + body)
    if len(body) != n or len(start) != _HEAD or check != int.from_bytes(start[-4:], "little"):
        raise DamagedFileError("its checksum differs.")
    cursor = Cursor(body)
    container, flags = cursor.byte(), cursor.byte()
    n_rows, block_rows, n_groups = cursor.number(), cursor.number(), cursor.number()
    kinds = [_group(cursor) for _ in range(n_groups)]
    trailing = tuple(cursor.number() for _ in range(cursor.number()))
    fingerprint = bytes(cursor.take(_PRINT)) if flags & _MODEL else None
    description = (cursor.number(), cursor.number()) if flags & _DESCRIPTION else None
    model = (cursor.number(), cursor.number()) if flags & _MODEL_INSIDE else None
    cursor.end()
    header = Header(
        container,
        n_rows,
        block_rows,
        tuple(group for group, _ in kinds),
        tuple(big for _, big in kinds),
        trailing,
        fingerprint,
        description,
        model,
        start[4],
    )
    _check(header, size)
    return header


def _group(cursor: Cursor) -> tuple[Group, bool]:
    code, width = cursor.byte(), cursor.number()
    if code % _BIG >= len(TYPES) or code >= 2 * _BIG:
        raise DamagedFileError(f"the type {code} is unknown.")
    return Group(np.dtype("<" + TYPES[code % _BIG]), width), code >= _BIG


def _check(header: Header, size: int) -> None:
    """Refuse what no writer writes, before memory is taken by it."""
    sizes = [pair[0] for pair in (header.description_bytes, header.model_bytes) if pair]
    if header.container not in _CONTAINERS:
        raise DamagedFileError(f"the container {header.container} is unknown.")
    if header.n_rows and header.row_bytes and not 0 < header.block_rows <= header.n_rows:
        raise DamagedFileError(f"blocks have {header.block_rows} of {header.n_rows} rows.")
    if header.n_blocks > size or sum(sizes) > size:
        raise DamagedFileError(f"what it announces does not fit into {size} bytes.")
    if header.container == ARRAY and (
        len(header.groups) != 1 or math.prod(header.trailing) != header.groups[0].width
    ):
        raise DamagedFileError("its shapes contradict each other.")
