"""Weights of a mixture, and probabilities of categories, as integers."""

import numpy as np

from ..integer import curve
from .scales import RAW_BITS

WEIGHT_BITS = 16
_FAR = 24  # nats below the largest, from which a weight is zero


def shares(logs: list[np.ndarray], total: int) -> list[np.ndarray]:
    """Return whole numbers in proportion to the exponentials of logs in 2^-10; they sum to total.

    Examples
    --------
    >>> [each.tolist() for each in shares([np.zeros(1), np.zeros(1)], 4)]
    [[2.0], [2.0]]
    """
    largest = np.maximum.reduce(logs)
    exp = curve("exp", -_FAR, 0, scale=2**24)
    grown = [exp(each - largest, bits=RAW_BITS) for each in logs]
    whole = sum(grown[1:], grown[0])
    parts = [np.floor(each * float(total) / whole) for each in grown]
    parts[0] = parts[0] + (total - sum(parts[1:], parts[0]))
    return parts


def weights(logs: list[np.ndarray]) -> list[np.ndarray]:
    """Return weights of 2^16 in all."""
    return shares(logs, 1 << WEIGHT_BITS)
