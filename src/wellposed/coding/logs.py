"""Weights of a mixture, and probabilities of categories, as integers."""

import numpy as np

from .integer import curve

RAW_BITS = 10  # fractional bits of logs, and of a decoder's other raw numbers
WEIGHT_BITS = 16
_FAR = 24  # nats below the largest, from which a weight is zero


def shares(logs: np.ndarray, total: int) -> np.ndarray:
    """Return whole numbers in proportion to the exponentials of logs in 2^-10.

    They sum to ``total`` over the first axis.

    Examples
    --------
    >>> shares(np.zeros((2, 1)), 4).tolist()
    [[2.0], [2.0]]
    """
    grown = curve("exp", -_FAR, 0, scale=2**24)(logs - logs.max(axis=0), bits=RAW_BITS)
    whole = grown.sum(axis=0)
    grown *= total
    grown /= whole
    np.floor(grown, out=grown)
    grown[0] += total - grown.sum(axis=0)
    return grown


def weights(logs: np.ndarray) -> np.ndarray:
    """Return weights of 2^16 in all."""
    return shares(logs, 1 << WEIGHT_BITS)
