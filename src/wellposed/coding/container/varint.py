"""Whole numbers of one to nine bytes, and a cursor that never reads past the end."""

import numpy as np

from wellposed._errors import DamagedFileError

_MOST = 9  # bytes: numbers below 2^63


def pack_number(value: int) -> bytes:
    """Return a number below 2^63 in groups of seven bits, the lowest first.

    Bit 7 of a byte is set where another byte follows.

    Examples
    --------
    >>> pack_number(300).hex()
    'ac02'
    """
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


class Cursor:
    """Reader of bytes from front to back.

    Parameters
    ----------
    content : bytes or memoryview

    Raises
    ------
    DamagedFileError
        By each method, where the bytes end too early or a number is not written as
        :func:`pack_number` writes it.
    """

    def __init__(self, content: bytes | memoryview):
        self._content = memoryview(content)
        self.position = 0

    @property
    def left(self) -> int:
        """Number of bytes that follow."""
        return len(self._content) - self.position

    def take(self, n: int) -> memoryview:
        """Read n bytes."""
        if n > self.left:
            raise DamagedFileError(f"{n} bytes should follow, and {self.left} do.")
        self.position += n
        return self._content[self.position - n : self.position]

    def byte(self) -> int:
        """Read one byte."""
        return self.take(1)[0]

    def number(self) -> int:
        """Read a number that :func:`pack_number` wrote."""
        value = 0
        for i in range(_MOST):
            byte = self.byte()
            value |= (byte & 127) << 7 * i
            if byte < 128:
                if byte == 0 and i > 0:
                    break
                return value
        raise DamagedFileError("a number is not in its shortest form.")

    def array(self, n: int, dtype: str) -> np.ndarray:
        """Read n numbers of a NumPy type."""
        kind = np.dtype(dtype)
        return np.frombuffer(self.take(n * kind.itemsize), kind)

    def end(self) -> None:
        """Check that nothing follows."""
        if self.left:
            raise DamagedFileError(f"{self.left} bytes follow where none should.")
