"""A stack of 32-bit words that never runs dry in encoding."""

import numpy as np

from wellposed._errors import DamagedFileError

_RESERVE = 1024  # random words that a new stack has below it


class Stack:
    """Words, with pseudo-random ones below: any words serve as initial bits.

    Parameters
    ----------
    words : uint32, the room of the stack
    reserve : number of pseudo-random words at the bottom of the room
    may_take : whether words may be taken from the reserve
    """

    def __init__(self, words: np.ndarray, reserve: int, top: int, *, may_take: bool):
        self._words, self._reserve, self._top = words, reserve, top
        self._low, self._may_take = reserve, may_take

    @classmethod
    def empty(cls) -> "Stack":
        """Return the stack of an encoder."""
        room = np.zeros(4 * _RESERVE, np.uint32)
        room[:_RESERVE] = _random_words(_RESERVE)
        return cls(room, _RESERVE, _RESERVE, may_take=True)

    @classmethod
    def of(cls, payload: bytes) -> "Stack":
        """Return the stack of a decoder, which has these words and no more."""
        words = np.frombuffer(payload, "<u4").astype(np.uint32)
        return cls(words, 0, len(words), may_take=False)

    @property
    def n_random(self) -> int:
        """Pseudo-random words that were taken."""
        return self._reserve - self._low

    def to_bytes(self) -> bytes:
        """Return the words, with those of the reserve that were taken."""
        return self._words[self._low : self._top].astype("<u4").tobytes()

    def is_random(self) -> bool:
        """Whether the words left are those that an encoder's reserve ends with."""
        return bool((self._words[: self._top] == _random_words(self._top)).all())

    def push(self, words: np.ndarray) -> None:
        """Put words on top, the first lowest."""
        end = self._top + len(words)
        if end > len(self._words):
            room = np.zeros(2 * end, np.uint32)
            room[: self._top] = self._words[: self._top]
            self._words = room
        self._words[self._top : end] = words
        self._top = end

    def pop(self, n: int) -> np.ndarray:
        """Take the n topmost words, lowest first, as uint64.

        Raises
        ------
        DamagedFileError
            If a decoder has fewer.
        """
        if n > self._top:
            self._refill(n)
        self._top -= n
        self._low = min(self._low, self._top)
        return self._words[self._top : self._top + n].astype(np.uint64)

    def _refill(self, n: int) -> None:
        if not self._may_take:
            raise DamagedFileError(
                f"The coded rows must have all their words; {n} are asked for and {self._top} are "
                "left. The block is cut or damaged: take the file from its source again."
            )
        reserve = 2 * self._reserve + n
        below = _random_words(reserve)[: reserve - self._reserve]
        self._words = np.concatenate([below, self._words])
        self._top += len(below)
        self._low += len(below)
        self._reserve = reserve


def _random_words(n: int) -> np.ndarray:
    """Return n words, the last of which is always the same."""
    return (random_words(np.arange(n, 0, -1, dtype=np.uint64))).astype(np.uint32)


def random_words(index: np.ndarray) -> np.ndarray:
    """Return pseudo-random 32-bit words, as uint64, for each uint64 index.

    References: Steele, Lea & Flood (2014), splitmix64.

    Examples
    --------
    >>> random_words(np.array([1, 2], np.uint64)).tolist()
    [3793791033, 1853398634]
    """
    x = index * np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return (x ^ (x >> np.uint64(31))) >> np.uint64(32)
