"""Reader of NumPy's format without pickles: ``.npy``, and members of ``.npz``."""

import math
import zipfile
import zlib
from pathlib import Path
from typing import IO

import numpy as np

from wellposed._errors import DamagedFileError, DataError

from .._source import Parsed
from .guard import check_room

_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
_CHUNK = 1 << 20


def read_npy(path: Path) -> Parsed:
    """Read one array; refuse a file that needs pickle or is truncated."""
    with path.open("rb") as handle:
        size = handle.seek(0, 2)
        handle.seek(0)
        return Parsed(read_array(handle, size, str(path)))


def read_array(handle: IO[bytes], size: int, origin: str) -> np.ndarray:
    """Read an array of a stream of ``size`` bytes, in the memory that its header declares.

    The header is compared with ``size`` before memory is allocated: NumPy detects a short file only
    after the allocation, and never detects a long one.
    """
    shape, fortran, dtype = read_header(handle, origin)
    if dtype.hasobject:
        raise pickled(origin)
    expected = math.prod(shape) * dtype.itemsize
    present = size - handle.tell()
    if present != expected:
        raise _not_whole(origin, expected, shape, dtype, present)
    check_room(expected, f"shape {shape} of {dtype.name}", Path(origin))
    values = np.empty(math.prod(shape), dtype)
    filled = read_into(handle, values)
    if filled != expected:
        raise _not_whole(origin, expected, shape, dtype, filled)
    return values.reshape(shape[::-1]).T if fortran else values.reshape(shape)


def read_into(handle: IO[bytes], values: np.ndarray) -> int:
    """Fill an array from a stream, and return the number of bytes read."""
    target, filled = values.view(np.uint8).data, 0
    while filled < len(target):
        chunk = handle.read(min(_CHUNK, len(target) - filled))
        if not chunk:
            break
        target[filled : filled + len(chunk)] = chunk
        filled += len(chunk)
    return filled


def read_header(handle: IO[bytes], origin: str) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Return shape, whether the order is Fortran's, and type of the array that follows."""
    try:
        version = np.lib.format.read_magic(handle)
        if version not in _HEADERS:
            raise ValueError(f"format version {version} is not known")
        shape, fortran, dtype = _HEADERS[version](handle)
        if any(length < 0 for length in shape):
            raise ValueError(f"the shape {shape} has a negative length")
    except (OSError, zipfile.BadZipFile, zlib.error):
        raise  # of the stream, before there is a header
    # The header is a Python literal, and NumPy passes on the errors of Python's parser.
    except Exception as error:
        raise DamagedFileError(
            f"A .npy file begins with NumPy's header; {origin} does not ({error}). "
            f"Write it with `numpy.save`."
        ) from error
    return shape, fortran, dtype


def _not_whole(
    origin: str, expected: int, shape: tuple[int, ...], dtype: np.dtype, present: int
) -> DamagedFileError:
    return DamagedFileError(
        f"{origin} is not whole: expected {expected} bytes for shape {shape} of {dtype.name}; "
        f"found {present}. Write or copy it again."
    )


def pickled(origin: str) -> DataError:
    """Build the error for an array of Python objects."""
    return DataError(
        f"Nothing is executed on reading, so pickled arrays are refused; {origin} holds Python "
        f"objects. Save it with a numeric type: `numpy.save(path, array.astype(float))`."
    )
