"""What lies beyond the largest symbol of a family: its length in bits, then its bits."""

import numpy as np

from .ans import Lanes

_BITS = 24
_LENGTHS = 5  # bits of a length


def push_rest(lanes: Lanes, rest: np.ndarray) -> np.ndarray:
    """Code numbers 0 ≤ rest < 2^24, and nothing in lanes where rest is negative.

    Returns
    -------
    bits of each lane, shape (m,)
    """
    if (rest < 0).all():
        return np.zeros(len(rest))
    length = _length(rest)
    free = np.uint64(_BITS) - length.astype(np.uint64)
    start = np.maximum(rest, 0).astype(np.uint64) << free
    lanes.push(start, np.uint64(1) << free, bits=_BITS)
    lanes.push(*_of_length(np.where(rest < 0, -1, length)), bits=_BITS)
    return np.where(rest < 0, 0.0, _LENGTHS + length)


def pop_rest(lanes: Lanes, escaped: np.ndarray) -> np.ndarray:
    """Return the numbers of :func:`push_rest` in the lanes that are ``escaped``, zero elsewhere."""
    if not escaped.any():
        return np.zeros(len(escaped), np.int64)
    target = lanes.target(len(escaped), bits=_BITS).astype(np.int64)
    length = np.where(escaped, np.minimum(target >> _BITS - _LENGTHS, _BITS), -1)
    lanes.advance(*_of_length(length), bits=_BITS)
    free = np.uint64(_BITS) - np.maximum(length, 0).astype(np.uint64)
    rest = lanes.target(len(escaped), bits=_BITS) >> free
    lanes.advance(rest << free, np.uint64(1) << free, bits=_BITS)
    return rest.astype(np.int64)


def _length(rest: np.ndarray) -> np.ndarray:
    """Bits of each number; none of zero and of negative ones."""
    return np.frexp(np.maximum(rest, 0).astype(np.float64))[1].astype(np.int64)


def _of_length(length: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Start and frequency of lengths; all of the range where there is none, −1."""
    each = 1 << _BITS - _LENGTHS
    freq = np.where(length < 0, 1 << _BITS, each)
    return (np.maximum(length, 0) * each).astype(np.uint64), freq.astype(np.uint64)
