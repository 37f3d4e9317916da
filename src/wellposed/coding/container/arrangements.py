"""Orders in which the cells of rows are written before they are compressed."""

import numpy as np

from wellposed._errors import DamagedFileError

from . import steps
from .varint import Cursor

ROWS, PLANES, STEPS_BY_COLUMN, STEPS_BY_ROW = 0, 1, 2, 3
_MOST_OFF = 0.5  # share of the cells that are off their column's step, for it to be of use


def arrange(cells: np.ndarray, order: int, codes: np.ndarray | None = None) -> bytes:
    """Write cells in one order.

    Parameters
    ----------
    cells : array of shape (n, d), little-endian
    order : ``ROWS``, the bytes as NumPy has them; ``PLANES``, each column's first bytes, then its
        second bytes; ``STEPS_BY_COLUMN`` and ``STEPS_BY_ROW``, the multiples of the columns' steps
        in as few bytes as they need
    codes : of the steps, shape (d,), for the last two
    """
    if order == ROWS:
        return cells.tobytes()
    if order == PLANES:
        return _planes(cells, cells.dtype.itemsize)
    whole, off = whole_numbers(cells, codes)
    least = np.where(off, np.iinfo(np.int64).max, whole).min(axis=0)
    least = np.where(off.all(axis=0), 0, least)
    whole = np.where(off, least, whole)
    above = whole.view(np.uint64) - least.view(np.uint64)  # below 2^64, whatever the signs
    widths = _widths(above.max(axis=0))
    if order == STEPS_BY_ROW:
        widths[:] = widths.max(initial=0)
        body = [_bytes_of(above, int(widths.max(initial=0))).tobytes()]
    else:
        body = [_planes(above[:, widths == width], width) for width in range(1, 9)]
    places = np.flatnonzero(off)
    gaps = np.diff(places, prepend=0).astype("<u4")
    away = cells.reshape(-1)[places]
    head = [b"" if codes is None else codes.tobytes(), least.astype("<i8").tobytes()]
    foot = [np.uint64(len(places)).tobytes(), gaps.tobytes(), away.tobytes()]
    return b"".join([*head, widths.tobytes(), *body, *foot])


def restore(content: bytes | memoryview, order: int, shape: tuple[int, int], dtype: np.dtype):
    """Return the cells of shape (n, d) that :func:`arrange` wrote.

    Raises
    ------
    DamagedFileError
        If the bytes are not those of cells of this shape.
    """
    n, d = shape
    if order == ROWS:
        return _checked(np.frombuffer(content, dtype).reshape(n, d))
    if order == PLANES:
        return _checked(_of_planes(Cursor(content), n, d, dtype.itemsize, dtype))
    cursor = Cursor(content)
    codes = cursor.array(d, "u1") if dtype.kind == "f" else None
    least, widths = cursor.array(d, "<i8"), cursor.array(d, "u1")
    if (widths > 8).any() or (codes is not None and not _known(codes).all()):
        raise DamagedFileError("a column has a step or a width that does not exist.")
    above = np.zeros((n, d), np.uint64)
    if order == STEPS_BY_ROW:
        width = int(widths.max(initial=0))
        cells = cursor.array(n * d * width, "u1").reshape(n, d, width)
        _bytes_of(above, width)[...] = cells
    else:
        for width in range(1, 9):
            columns = np.flatnonzero(widths == width)
            above[:, columns] = _of_planes(cursor, n, len(columns), width, np.dtype("<u8"))
    whole = (above + least.view(np.uint64)).view(np.int64)
    cells = cells_of(whole, codes, dtype)
    _put_back(cells, cursor)
    cursor.end()
    return cells


def size_limit(order: int, shape: tuple[int, int], dtype: np.dtype) -> tuple[int, int]:
    """Return the fewest and the most bytes that :func:`arrange` writes."""
    n, d = shape
    plain = n * d * dtype.itemsize
    if order in (ROWS, PLANES):
        return plain, plain
    return 8 + 9 * d, 8 + 10 * d + n * d * (8 + 4 + dtype.itemsize)


def whole_numbers(cells: np.ndarray, codes: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Return cells as int64 multiples of their steps, and which cells these do not give.

    Parameters
    ----------
    cells : array of shape (n, d); whole numbers have the step one
    codes : of floating columns, shape (d,)
    """
    if codes is None:
        # A view for uint64, whose upper half becomes negative: the inverse undoes it.
        return _as_int64(cells), np.zeros(cells.shape, bool)
    with_step = codes != steps.BITS
    whole = np.empty(cells.shape, np.int64)
    off = np.zeros(cells.shape, bool)
    whole[:, with_step], off[:, with_step] = steps.multiples(cells[:, with_step], codes[with_step])
    whole[:, ~with_step] = _as_int64(steps.bits_of(cells[:, ~with_step]))
    return whole, off


def cells_of(whole: np.ndarray, codes: np.ndarray | None, dtype: np.dtype) -> np.ndarray:
    """Return the cells of given multiples of shape (n, d), and of given steps."""
    if codes is None:
        return whole.astype(dtype)
    cells = np.empty(whole.shape, dtype)
    with_step = codes != steps.BITS
    cells[:, with_step] = steps.numbers(whole[:, with_step], codes[with_step], dtype)
    cells[:, ~with_step] = whole[:, ~with_step].astype(f"<u{dtype.itemsize}").view(dtype)
    return cells


def is_near(off: np.ndarray) -> bool:
    """Whether so few cells are off their steps that an order by steps is of use."""
    return off.size < 2**32 and int(np.count_nonzero(off)) <= _MOST_OFF * off.size


def _checked(cells: np.ndarray) -> np.ndarray:
    if cells.dtype == bool and cells.view(np.uint8).max(initial=0) > 1:
        raise DamagedFileError("a truth value is neither 0 nor 1.")
    return cells


def _as_int64(cells: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(cells).astype(np.int64, casting="unsafe")


def _known(codes: np.ndarray) -> np.ndarray:
    return (codes < len(steps.DIVISORS)) | (codes == steps.BITS)


def _widths(most: np.ndarray) -> np.ndarray:
    """Return the bytes that each number needs; 0 for zero."""
    widths = np.zeros(len(most), np.uint8)
    for width in range(8):
        widths += most >> np.uint64(8 * width) > 0
    return widths


def _bytes_of(cells: np.ndarray, width: int) -> np.ndarray:
    """View the lowest bytes of each cell, shape (n, d, width)."""
    return cells.view(np.uint8).reshape(*cells.shape, cells.dtype.itemsize)[..., :width]


def _planes(cells: np.ndarray, width: int) -> bytes:
    return _bytes_of(np.ascontiguousarray(cells), width).transpose(1, 2, 0).tobytes()


def _of_planes(cursor: Cursor, n: int, d: int, width: int, dtype: np.dtype) -> np.ndarray:
    planes = cursor.array(n * d * width, "u1").reshape(d, width, n)
    cells = np.zeros((n, d), dtype)
    _bytes_of(cells, width)[...] = planes.transpose(2, 0, 1)
    return cells


def _put_back(cells: np.ndarray, cursor: Cursor) -> None:
    """Write the cells that are off their steps in their places."""
    count = int(cursor.array(1, "<u8")[0])
    if count > cells.size:
        raise DamagedFileError(f"{count} cells are off their steps, of {cells.size}.")
    places = np.cumsum(cursor.array(count, "<u4").astype(np.int64))
    if count and places[-1] >= cells.size:
        raise DamagedFileError("a cell that is off its step has no place.")
    cells.reshape(-1)[places] = cursor.array(count, cells.dtype.str)
