"""Messages through a pipe: a length of eight bytes, then the bytes."""

from typing import IO

import numpy as np

DONE, FAILED = b"\x00", b"\x01"  # the first byte of an answer
# What a worker writes first, so that no other program is taken for one.
HELLO = b"wellposed blocks\n"


def send(pipe: IO[bytes], *parts: bytes | memoryview) -> None:
    """Write one message, made of parts."""
    pipe.write(sum(len(part) for part in parts).to_bytes(8, "little"))
    for part in parts:
        pipe.write(part)
    pipe.flush()


def receive(pipe: IO[bytes]) -> memoryview:
    """Read one message.

    Raises
    ------
    EOFError
        If the other side has closed the pipe.
    """
    length = int.from_bytes(exactly(pipe, 8), "little")
    return memoryview(exactly(pipe, length))


def flat(cells: np.ndarray) -> memoryview:
    """Return the bytes of an array, without a copy where it is contiguous."""
    return np.ascontiguousarray(cells).reshape(-1).view(np.uint8).data


def exactly(pipe: IO[bytes], n: int) -> bytes:
    """Read n bytes, or raise EOFError."""
    content = pipe.read(n)
    if len(content) < n:
        raise EOFError("a pipe ended within a message")
    return content
