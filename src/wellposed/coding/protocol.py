"""What a container needs of a codec of rows."""

import dataclasses
from typing import Protocol, runtime_checkable

import numpy as np

# The symbol of a missing entry, of a codec whose ``allows_missing`` is true.
MISSING = -(2**63)


@dataclasses.dataclass(frozen=True)
class Rate:
    """The bits of coded rows.

    Parameters
    ----------
    net : float64, shape (n,), of each row under the integer model: −log₂ of the frequencies of
        its symbols and of its code under p(z), less those of its code under q(z | x)
    initial : bits of pseudo-random words that stood in for earlier rows
    states : bits by which the written coder states exceed their information
    coded : all bits of the payload, net.sum() + initial + states + apart up to rounding
    apart : bits that say which entries are missing, and of covariates

    Examples
    --------
    >>> from wellposed.coding import integer_model
    >>> integer_model(model, resolution=0.1).rate(np.round(10 * X).astype(int)).net.shape
    (150,)
    """

    net: np.ndarray
    initial: float
    states: float
    coded: int
    apart: float = 0.0


@runtime_checkable
class RowCodec(Protocol):
    """Rows of whole numbers to bytes and back, exactly, by an integer model.

    Examples
    --------
    >>> from wellposed.coding import integer_model
    >>> isinstance(integer_model(model, resolution=0.1), RowCodec)
    True
    """

    @property
    def n_features(self) -> int:
        """Number of symbols in a row."""
        ...

    def encode(self, symbols: np.ndarray) -> bytes:
        """Code int64 symbols of shape (n, d), n ≥ 0; raise OutsideSupport, naming the rows."""
        ...

    def decode(self, payload: bytes, n_rows: int) -> np.ndarray:
        """Return the symbols of :meth:`encode`; raise DamagedFileError for another payload."""
        ...

    def outside(self, symbols: np.ndarray) -> np.ndarray:
        """Which rows cannot be coded, shape (n,), bool."""
        ...

    def rate(self, symbols: np.ndarray) -> Rate:
        """Return the bits of each row, and of the block."""
        ...

    def to_bytes(self) -> bytes:
        """Return the integer model, enough to decode; equal models give equal bytes."""
        ...

    def fingerprint(self) -> str:
        """Return the SHA-256 of :meth:`to_bytes`, in hexadecimal."""
        ...
