"""Sections: cells of columns of one type, in the order and by the method that suit them."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from wellposed._errors import DamagedFileError

from . import arrangements, methods, steps
from .arrangements import PLANES, ROWS, STEPS_BY_COLUMN, STEPS_BY_ROW
from .varint import Cursor, pack_number

_TRIAL = 1 << 17  # bytes of a section by which order and method are chosen


@dataclasses.dataclass(frozen=True)
class Group:
    """Columns of one type.

    Parameters
    ----------
    dtype : of NumPy, little-endian
    width : number of columns
    """

    dtype: np.dtype
    width: int

    @property
    def row_bytes(self) -> int:
        """Bytes of one row."""
        return self.width * self.dtype.itemsize


def pack_section(cells: np.ndarray) -> bytes:
    """Write cells of shape (n, d): one byte of order and method, sizes, and the packed cells."""
    if not cells.size:
        return pack_number(0) * 2
    codes = _codes(cells)
    order, (method, settings) = _choose(cells, codes)
    content = arrangements.arrange(cells, order, codes)
    packed = methods.pack(method, content, settings)
    if len(packed) >= cells.nbytes:
        return store_section(cells)
    size = b"" if order in (ROWS, PLANES) else pack_number(len(content))
    return bytes([order << 4 | method]) + pack_number(len(packed)) + size + packed


def store_section(cells: np.ndarray) -> bytes:
    """Write cells of shape (n, d) as they are."""
    return store_head(cells.nbytes) + cells.tobytes()


def store_head(n_bytes: int) -> bytes:
    """Return the head of a section of stored cells."""
    return bytes([ROWS << 4 | methods.STORED]) + pack_number(n_bytes)


def read_section(cursor: Cursor, n: int, group: Group) -> np.ndarray:
    """Read cells of shape (n, width) that :func:`pack_section` wrote.

    Raises
    ------
    DamagedFileError
        If the bytes are not those of such cells.
    """
    head, length, shape = cursor.byte(), cursor.number(), (n, group.width)
    order, method = head >> 4, head & 15
    if order > STEPS_BY_ROW:
        raise DamagedFileError(f"the order {order} of cells is unknown.")
    if n * group.width == 0:
        cursor.take(length)
        return np.zeros(shape, group.dtype)
    low, high = arrangements.size_limit(order, shape, group.dtype)
    size = low if low == high else cursor.number()
    if not low <= size <= high:
        raise DamagedFileError(f"{size} bytes cannot hold {n} rows.")
    content = methods.unpack(method, cursor.take(length), size)
    return arrangements.restore(content, order, shape, group.dtype)


def pack_sections(parts: Sequence[np.ndarray]) -> bytes:
    """Write groups of columns, one section each."""
    return b"".join(map(pack_section, parts))


def _codes(cells: np.ndarray) -> np.ndarray | None:
    return steps.find_steps(cells) if cells.dtype.kind == "f" else None


def _choose(cells: np.ndarray, codes: np.ndarray | None) -> tuple[int, tuple]:
    """Choose order and method by the size of the first rows."""
    first = cells[: max(1, _TRIAL // max(1, cells.nbytes // len(cells)))]
    tried = []
    for order in _orders(first, codes):
        content = arrangements.arrange(first, order, codes)
        for method in methods.TRIED:
            tried.append((len(methods.pack(method[0], content, method[1])), order, method))
    _, order, method = min(tried, key=lambda each: each[0])
    return order, method


def _orders(cells: np.ndarray, codes: np.ndarray | None) -> list[int]:
    if cells.dtype.itemsize == 1:
        return [ROWS, PLANES]
    if codes is None:
        return [ROWS, PLANES, STEPS_BY_COLUMN, STEPS_BY_ROW]
    of_use = (codes != steps.BITS).any()
    if not (of_use and arrangements.is_near(arrangements.whole_numbers(cells, codes)[1])):
        return [ROWS, PLANES]
    return [ROWS, PLANES, STEPS_BY_COLUMN, STEPS_BY_ROW]
