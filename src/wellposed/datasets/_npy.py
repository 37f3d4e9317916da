"""NumPy's own format, without pickles: ``.npy``."""

import math
from pathlib import Path
from typing import BinaryIO

import numpy as np

from wellposed._errors import DamagedFileError, DataError

from ._source import Parsed

_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


def read_npy(path: Path) -> Parsed:
    """Read one array; a file that needs pickle, or that is cut short, is refused."""
    with path.open("rb") as handle:
        _check(handle, path)
        handle.seek(0)
        return Parsed(np.lib.format.read_array(handle, allow_pickle=False))


def _check(handle: BinaryIO, path: Path) -> None:
    """Compare the length that the header promises with the one on the disk.

    NumPy notices a short file only after allocating what the header asks for, and a long one
    never.
    """
    try:
        version = np.lib.format.read_magic(handle)
        if version not in _HEADERS:
            raise ValueError(f"format version {version} is not known")
        shape, _, dtype = _HEADERS[version](handle)
    except ValueError as error:
        raise DamagedFileError(
            f"A .npy file begins with NumPy's header; {path} does not ({error}). "
            f"Write it with `numpy.save`."
        ) from error
    if dtype.hasobject:
        raise pickled(str(path))
    start = handle.tell()
    expected = math.prod(shape) * dtype.itemsize
    found = handle.seek(0, 2) - start
    if found != expected:
        raise DamagedFileError(
            f"{path} is not whole: expected {expected} bytes for shape {shape} of {dtype.name}; "
            f"found {found}. Write or copy it again."
        )


def pickled(origin: str) -> DataError:
    """Build the error for an array of Python objects."""
    return DataError(
        f"Nothing is executed on reading, so pickled arrays are refused; {origin} holds Python "
        f"objects. Save it with a numeric type: `numpy.save(path, array.astype(float))`."
    )
