"""A coder of rows of bytes, without a model, for tests of what surrounds coders."""

import dataclasses
import hashlib
import zlib

import numpy as np

from wellposed._errors import DamagedFileError
from wellposed.coding import Rate


class OffError(ValueError):
    """Rows that the coder does not take."""

    def __init__(self, rows):
        super().__init__("rows outside of 0 to most")
        self.rows = rows


@dataclasses.dataclass(frozen=True)
class ByteCodec:
    """Rows of d numbers 0 to most ≤ 255."""

    d: int
    most: int = 255

    @property
    def n_features(self):
        return self.d

    def encode(self, symbols):
        assert symbols.dtype == np.int64
        off = self.outside(symbols)
        if off.any():
            raise OffError(np.flatnonzero(off))
        return zlib.compress(symbols.astype(np.uint8).T.tobytes(), 9)

    def outside(self, symbols):
        return ((symbols < 0) | (symbols > self.most)).any(axis=1)

    def rate(self, symbols):
        each = np.array([8.0 * len(self.encode(row[None])) for row in symbols])
        return Rate(each, 0.0, 0.0, 8 * len(self.encode(symbols)))

    def decode(self, payload, n_rows):
        content = zlib.decompress(payload)
        if len(content) != n_rows * self.d:
            raise DamagedFileError("other rows")
        return np.frombuffer(content, np.uint8).reshape(self.d, n_rows).T.astype(np.int64)

    def to_bytes(self):
        return f"{self.d},{self.most}".encode()

    def fingerprint(self):
        return hashlib.sha256(self.to_bytes()).hexdigest()


def from_bytes(data):
    """Return the coder that ``to_bytes`` wrote."""
    return ByteCodec(*map(int, data.decode().split(",")))
