"""Random orders that are computed place by place, without a table of all places."""

import numpy as np

_ROUNDS = 8
# Multipliers of a mixing function of 64 bits: Steele, Lea & Flood (2014), Fast splittable
# pseudorandom number generators, table of variants.
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


class Permutation:
    """A random order of 0, …, n − 1: a bijection, in memory that does not grow with n.

    It is a Feistel network on the least even number of bits that holds n; a value beyond n is
    mapped again until it is below n.

    Parameters
    ----------
    n : number of places, at least 1
    words : whole numbers ≥ 0 that determine the order, such as a seed and the number of an epoch

    References: Luby & Rackoff (1988); Black & Rogaway (2002), cycle walking.

    Examples
    --------
    >>> sorted(Permutation(5, [0, 1])(np.arange(5)).tolist())
    [0, 1, 2, 3, 4]
    """

    def __init__(self, n: int, words: list[int]):
        self.n = n
        self._half = np.uint64(max(1, ((n - 1).bit_length() + 1) // 2))
        self._low = (np.uint64(1) << self._half) - np.uint64(1)
        self._keys = np.random.SeedSequence(words).generate_state(_ROUNDS, np.uint64)

    def __call__(self, places: np.ndarray) -> np.ndarray:
        """Return the entry at each place, int64, for places of shape (m,)."""
        found = self._once(np.asarray(places).astype(np.uint64))
        beyond = np.flatnonzero(found >= self.n)
        while beyond.size:
            found[beyond] = self._once(found[beyond])
            beyond = beyond[found[beyond] >= self.n]
        return found.astype(np.int64)

    def _once(self, values: np.ndarray) -> np.ndarray:
        left, right = values >> self._half, values & self._low
        for key in self._keys:
            left, right = right, left ^ (_mixed(right + key) & self._low)
        return (left << self._half) | right


def _mixed(values: np.ndarray) -> np.ndarray:
    """Mix 64 bits so that each depends on all; sums and products wrap around."""
    values = (values ^ (values >> np.uint64(30))) * _FIRST
    values = (values ^ (values >> np.uint64(27))) * _SECOND
    return values ^ (values >> np.uint64(31))
