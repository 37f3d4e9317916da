"""What a worker does with a block, and how it is told."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from ..container import Group, Modelled, pack_block, read_block
from ..protocol import RowCodec
from ..read import row_codec_from_bytes
from ..wire import pack, unpack

PACK, READ = b"\x00", b"\x01"


@dataclasses.dataclass(frozen=True, eq=False)
class Job:
    """Blocks of one file, coded by a model without loss.

    Parameters
    ----------
    groups : of columns
    modelled, coder : what the model codes, and the model
    """

    groups: tuple[Group, ...]
    modelled: Modelled
    coder: RowCodec

    def __call__(self, request: memoryview) -> list[bytes | memoryview]:
        """Return the parts of the answer to a message: what to do, rows, and bytes."""
        way, n = bytes(request[:1]), int.from_bytes(request[1:9], "little")
        if way == PACK:
            return [pack_block(self.parts(request[9:], n), self.modelled, self.coder)]
        parts = read_block(request[9:], n, self.groups, self.modelled, self.coder)
        return [np.ascontiguousarray(part).tobytes() for part in parts]

    def parts(self, content: memoryview, n: int) -> list[np.ndarray]:
        """Return the cells of each group, shape (n, width), from their bytes one after another."""
        out, at = [], 0
        for group in self.groups:
            end = at + n * group.row_bytes
            cells = np.frombuffer(content[at:end], group.dtype)
            out.append(cells.reshape(n, group.width))
            at = end
        return out

    def to_bytes(self) -> tuple[bytes, bytes]:
        """Return it as two messages."""
        groups = [[group.dtype.str, group.width] for group in self.groups]
        return pack({"groups": groups, "modelled": self.modelled.state()}), self.coder.to_bytes()

    @classmethod
    def from_bytes(cls, front: bytes, coder: bytes) -> "Job":
        """Undo :meth:`to_bytes`."""
        state = unpack(front)
        groups = tuple(Group(np.dtype(dtype), width) for dtype, width in state["groups"])
        return cls(groups, Modelled.from_state(state["modelled"]), row_codec_from_bytes(coder))


def request(way: bytes, n: int, parts: Sequence[bytes | memoryview]) -> list[bytes | memoryview]:
    """Return the parts of a message to a worker: ``PACK`` or ``READ`` of a block of n rows."""
    return [way, n.to_bytes(8, "little"), *parts]
