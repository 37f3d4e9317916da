"""Coders side by side over one stack of words."""

import numpy as np

from wellposed._errors import DamagedFileError

from .words import Stack

_WORD = np.uint64(32)
_LOW_WORD = np.uint64(2**32 - 1)
# States lie in [2³¹, 2⁶³): frequencies have up to 31 bits, and no product overflows.
_LEAST_BITS, _MOST_BITS = 31, 63
_LEAST = np.uint64(2**_LEAST_BITS)
_OPENED = np.uint64(2**32)
# Bits that state how long a state is, and of its digits after the first.
_LENGTH_BITS = 5


class Lanes:
    r"""Asymmetric numeral systems with a state for each lane, and one stack of 32-bit words.

    .. math:: x' = 2^b \lfloor x / f \rfloor + (x \bmod f) + c

    puts a symbol of cumulative frequency c and frequency f of 2^b onto the state x. What
    overflows a state goes onto the stack, lane by lane. A lane is opened with a word of the
    stack, and its last state is written with five bits beyond its digits, so that lanes cost
    hardly anything. Where the stack is empty, an encoder gets pseudo-random words, which
    decoding returns; a decoder raises.

    References: Duda (2013); Giesen (2014) for the lanes.

    Examples
    --------
    >>> lanes = Lanes.for_encoding(2)
    >>> start, freq = np.array([0, 3], np.uint64), np.array([3, 1], np.uint64)
    >>> lanes.open(2)
    >>> lanes.push(start, freq, bits=2)
    >>> lanes.target(2, bits=2).tolist()
    [0, 3]
    """

    def __init__(self, most: int, stack: Stack, state: np.ndarray):
        self._state, self._stack, self._open, self._most = state, stack, len(state), most
        if len(state) < most:
            self._state = np.concatenate([state, np.zeros(most - len(state), np.uint64)])

    @classmethod
    def for_encoding(cls, most: int) -> "Lanes":
        """Return up to ``most`` lanes, none of them open, over an empty stack."""
        return cls(most, Stack.empty(), np.zeros(0, np.uint64))

    @classmethod
    def from_bytes(cls, payload: bytes, n_open: int) -> "Lanes":
        """Return the lanes as :meth:`to_bytes` wrote them.

        Raises
        ------
        DamagedFileError
            For a payload that is too short.
        """
        state, words = _read_states(payload, n_open)
        return cls(n_open, Stack.of(words), state)

    def to_bytes(self) -> bytes:
        """Return the open states and the words below them."""
        return _write_states(self._state[: self._open]) + self._stack.to_bytes()

    @property
    def initial_bits(self) -> int:
        """Bits of the pseudo-random words that the encoder took."""
        return 32 * self._stack.n_random

    @property
    def state_bits(self) -> float:
        """Bits by which the written states exceed their information."""
        digits = np.log2(self._state[: self._open].astype(float)).sum()
        return 8 * len(_write_states(self._state[: self._open])) - float(digits)

    def open(self, m: int) -> None:
        """Open lanes until ``m`` are open."""
        if m > self._open:
            words = self._stack.pop(m - self._open)
            self._state[self._open : m] = _OPENED | words
            self._open = m

    def close(self, m: int) -> None:
        """Undo :meth:`open`, so that ``m`` remain.

        Raises
        ------
        DamagedFileError
            If a lane does not hold what it was opened with.
        """
        last = self._state[m : self._open]
        if (last >> _WORD != 1).any():
            raise DamagedFileError(_DAMAGED)
        self._stack.push(last & _LOW_WORD)
        self._open = m

    def check_end(self) -> None:
        """Raise ``DamagedFileError`` unless the stack holds pseudo-random words alone."""
        if self._open or not self._stack.is_random():
            raise DamagedFileError(_DAMAGED)

    def push(self, start: np.ndarray, freq: np.ndarray, *, bits: int) -> None:
        """Put a symbol onto each of the first lanes; start and freq of shape (m,), uint64."""
        x = self._state[: len(freq)]
        full = (x >= freq << np.uint64(_MOST_BITS - bits)).nonzero()[0]
        if full.size:
            over = x.take(full)
            self._stack.push(over & _LOW_WORD)
            x[full] = over >> _WORD
        times = x // freq
        times *= np.uint64(1 << bits) - freq
        x += times
        x += start

    def mix(self, words: np.ndarray, *, bits: int) -> None:
        """Flip the lowest bits of the first lanes where words, uint64, have a one.

        The second call with equal words undoes the first. The bits of coded rows are as far from
        random as the model is from the data; mixed bits are not, whatever they were.
        """
        self._state[: len(words)] ^= words & np.uint64((1 << bits) - 1)

    def target(self, m: int, *, bits: int) -> np.ndarray:
        """Return the numbers below 2^bits that tell the next symbol of the first ``m`` lanes."""
        return self._state[:m] & np.uint64((1 << bits) - 1)

    def advance(self, start: np.ndarray, freq: np.ndarray, *, bits: int) -> None:
        """Take the symbols off again; start and freq of shape (m,), uint64."""
        x = self._state[: len(freq)]
        # Modulo 2⁶⁴ the sum is what it would be if start were subtracted first.
        rest = x & np.uint64((1 << bits) - 1)
        x >>= np.uint64(bits)
        x *= freq
        x += rest
        x -= start
        short = (x < _LEAST).nonzero()[0]
        if short.size:
            x[short] = (x.take(short) << _WORD) | self._stack.pop(short.size)


_DAMAGED = (
    "The coded rows must end where they began; these do not, so that the block or the number of "
    "rows differs from what was written. Take the file from its source again."
)


def _write_states(state: np.ndarray) -> bytes:
    """Lengths and digits of the states, as one number: its lowest bits are those of the first."""
    total = place = 0
    for x in state.tolist():
        digits = x.bit_length() - 1
        total |= ((x - (1 << digits) << _LENGTH_BITS) | (digits - _LEAST_BITS)) << place
        place += digits + _LENGTH_BITS
    return total.to_bytes(-(-place // 8), "little")


def _read_states(payload: bytes, n: int) -> tuple[np.ndarray, bytes]:
    """Return n states and the bytes after them."""
    most = n * (_MOST_BITS - 1 + _LENGTH_BITS)
    total, place, state = int.from_bytes(payload[: -(-most // 8)], "little"), 0, []
    for _ in range(n):
        digits = (total >> place & 2**_LENGTH_BITS - 1) + _LEAST_BITS
        rest = total >> place + _LENGTH_BITS & (1 << digits) - 1
        state.append(1 << digits | rest)
        place += digits + _LENGTH_BITS
    end = -(-place // 8)
    if len(payload) < end or (len(payload) - end) % 4:
        raise DamagedFileError(_DAMAGED)
    return np.array(state, np.uint64), payload[end:]
