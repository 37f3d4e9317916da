"""Reader of ``.npz`` archives: selection of the array, and sparse rows."""

import math
import zipfile
from pathlib import Path

import numpy as np
import scipy.sparse

from wellposed._errors import DamagedFileError, DataError, unknown_name

from .._source import Parsed
from .guard import check_room
from .npy import read_array

DEFAULT_NAMES = ("X", "x", "data")
SPARSE_NAMES = frozenset({"data", "indices", "indptr", "shape"})
FEATURE_NAMES = ("feature_names", "genes")
# Maximum size of a decompressed byte. NumPy uses no other methods of zip (bzip2, LZMA), whose ratio
# has no limit.
_LARGEST_RATIO = {zipfile.ZIP_STORED: 1, zipfile.ZIP_DEFLATED: 1032}


def read_npz(path: Path, name: str | None) -> Parsed:
    """Read the array ``name``, or the only candidate."""
    if not zipfile.is_zipfile(path):
        raise DamagedFileError(
            f"{path} is not a zip archive, or is truncated. "
            f"Write it with `numpy.savez`, or copy it again."
        )
    try:
        with zipfile.ZipFile(path) as archive:
            members = _Members(archive, path)
            if name is None and set(members.names) >= SPARSE_NAMES:
                values = _dense(members, path)
            else:
                values = members.read(_chosen(members.names, name, path))
            return Parsed(values, _feature_names(members, values))
    except (zipfile.BadZipFile, EOFError) as error:
        raise DamagedFileError(
            f"A .npz file's members must match their checksums; {path} fails ({error}). "
            f"Write or copy it again."
        ) from error


class _Members:
    """The arrays of an archive by name; each is read in the memory of its declared size."""

    def __init__(self, archive: zipfile.ZipFile, path: Path) -> None:
        self._archive, self._path = archive, path
        entries = archive.namelist()
        self._entries = {entry.removesuffix(".npy"): entry for entry in entries}
        if len(self._entries) < len(entries):
            raise DamagedFileError(
                f"Every array of a .npz file has a name of its own; {path} repeats one. "
                f"Write it again."
            )
        self.names = list(self._entries)

    def read(self, name: str) -> np.ndarray:
        info = self._archive.getinfo(self._entries[name])
        if info.compress_type not in _LARGEST_RATIO:
            raise DataError(
                f"Members of a .npz file are stored or deflated, as NumPy writes them; "
                f"{self._path}:{name} is packed otherwise. Write it with `numpy.savez_compressed`."
            )
        if info.file_size > _LARGEST_RATIO[info.compress_type] * self._path.stat().st_size:
            raise DamagedFileError(
                f"{self._path}:{name} is not whole: it declares {info.file_size} bytes, more than "
                f"its file can hold. Write or copy it again."
            )
        with self._archive.open(info) as stream:
            values = read_array(stream, info.file_size, f"{self._path}:{name}")
            stream.read(1)  # the end of the member, where the checksum is compared
        return values


def _chosen(names: list[str], name: str | None, path: Path) -> str:
    if name is not None:
        if name not in names:
            raise unknown_name(f"The array in {path}", name, names)
        return name
    if len(names) == 1:
        return names[0]
    for default in DEFAULT_NAMES:
        if default in names:
            return default
    example = names[0] if names else "name"
    raise DataError(
        f"An archive must hold one array, or one called {', '.join(DEFAULT_NAMES)}; {path} holds "
        f"{', '.join(names) or 'none'}. Name the one you mean: '{path.name}:{example}'."
    )


def _dense(members: _Members, path: Path) -> np.ndarray:
    """Unpack rows stored as (data, indices, indptr, shape), as scipy.sparse.save_npz does."""
    kind = members.read("format").item() if "format" in members.names else b"csr"
    if kind not in (b"csr", "csr", b"csc", "csc"):
        raise DataError(
            f"Sparse data must be stored by rows (csr) or columns (csc); {path} says {kind!r}. "
            f"Convert it with `.tocsr()`."
        )
    array = scipy.sparse.csc_array if kind in (b"csc", "csc") else scipy.sparse.csr_array
    part = {key: members.read(key) for key in SPARSE_NAMES}
    shape = tuple(int(length) for length in part["shape"])
    size = math.prod(shape) * part["data"].dtype.itemsize
    check_room(size, f"shape {shape} of {part['data'].dtype.name}", path)
    try:
        packed = array((part["data"], part["indices"], part["indptr"]), shape=shape)
        packed.check_format(full_check=True)
    except (ValueError, IndexError) as error:
        raise DamagedFileError(
            f"Sparse arrays must agree with their shape {shape}; those of {path} do not ({error}). "
            f"Write or copy it again."
        ) from error
    return packed.toarray()


def _feature_names(members: _Members, values: np.ndarray) -> tuple[str, ...] | None:
    """Take names from the archive where it has one for each feature."""
    for key in FEATURE_NAMES:
        if key not in members.names or values.ndim != 2:
            continue
        names = members.read(key)
        if names.shape == values.shape[1:] and names.dtype.kind in "SU":
            decoded = np.char.decode(names, "utf-8") if names.dtype.kind == "S" else names
            return tuple(decoded.tolist())
    return None
