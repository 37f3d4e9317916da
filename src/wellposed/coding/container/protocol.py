"""What the container needs of a model."""

from typing import Protocol, runtime_checkable

import numpy as np


@runtime_checkable
class Coder(Protocol):
    """Coder of rows of whole numbers by a model; see :class:`wellposed.coding.RowCodec`."""

    @property
    def n_features(self) -> int: ...

    def encode(self, symbols: np.ndarray, /) -> bytes: ...

    def decode(self, payload: bytes, n_rows: int, /) -> np.ndarray: ...

    def to_bytes(self) -> bytes: ...

    def fingerprint(self) -> str: ...
