"""The IDX format of the MNIST family."""

import math
import re
from pathlib import Path

import numpy as np

from wellposed._errors import DamagedFileError

from .._source import Parsed
from .guard import check_room
from .npy import read_into
from .open import most_bytes, open_binary

# The third byte of the magic number is the type; numbers are big-endian.
TYPES = {
    0x08: np.dtype(">u1"),
    0x09: np.dtype(">i1"),
    0x0B: np.dtype(">i2"),
    0x0C: np.dtype(">i4"),
    0x0D: np.dtype(">f4"),
    0x0E: np.dtype(">f8"),
}

# train-images-idx3-ubyte.gz, train-images.idx3-ubyte and plain x.idx are all in use.
_NAME = re.compile(r"([.-]idx\d*(-[a-z]+)?|-ubyte|\.ubyte)(\.gz)?$", re.IGNORECASE)


def is_idx_name(name: str) -> bool:
    """Whether a file name follows one of the conventions for IDX files."""
    return _NAME.search(name) is not None


def read_idx(path: Path) -> Parsed:
    """Read an IDX file, compressed or not, of any of six types and any number of axes."""
    with open_binary(path) as handle:
        head = handle.read(4)
        dtype, n_axes = _magic(head, path)
        sizes = handle.read(4 * n_axes)
        if len(sizes) < 4 * n_axes:
            raise _damage_error(path, f"{4 * n_axes} bytes of axis lengths", f"{len(sizes)}")
        shape = tuple(int(length) for length in np.frombuffer(sizes, ">u4"))
        n_items = math.prod(shape)
        wanted = f"{n_items * dtype.itemsize} bytes for shape {shape} of {dtype.name}"
        # No memory is allocated for more than the file can contain.
        most = most_bytes(handle, path)
        if n_items * dtype.itemsize > most:
            raise _damage_error(path, wanted, f"{most} at most")
        check_room(n_items * dtype.itemsize, f"shape {shape} of {dtype.name}", path)
        values = np.empty(n_items, dtype)
        filled = read_into(handle, values)
        # One more byte shows whether the file ends here, without decompressing the rest.
        filled += len(handle.read(1))
    if filled != n_items * dtype.itemsize:
        more = " or more" if filled > n_items * dtype.itemsize else ""
        raise _damage_error(path, wanted, f"{filled}{more}")
    return Parsed(values.reshape(shape))


def _magic(head: bytes, path: Path) -> tuple[np.dtype, int]:
    if len(head) < 4 or head[:2] != b"\0\0" or head[2] not in TYPES or head[3] == 0:
        known = ", ".join(f"{code:02x}" for code in TYPES)
        raise _damage_error(
            path, f"a header 00 00, type ({known}), axes (≥ 1)", head.hex(" ") or "none"
        )
    return TYPES[head[2]], head[3]


def _damage_error(path: Path, expected: str, present: str) -> DamagedFileError:
    return DamagedFileError(
        f"{path} is not a whole IDX file: expected {expected}; found {present}. "
        f"Fetch or copy it again."
    )
