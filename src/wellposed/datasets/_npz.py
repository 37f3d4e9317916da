"""Archives of arrays, ``.npz``: which array is meant, and tables stored as sparse rows."""

import zipfile
from pathlib import Path

import numpy as np
import scipy.sparse

from wellposed._errors import DamagedFileError, DataError, unknown_name

from ._npy import pickled
from ._source import Parsed

DEFAULT_NAMES = ("X", "x", "data")
SPARSE_NAMES = frozenset({"data", "indices", "indptr", "shape"})
FEATURE_NAMES = ("feature_names", "genes")


def read_npz(path: Path, name: str | None) -> Parsed:
    """Read the array called ``name``, or the one that can only be meant."""
    if not zipfile.is_zipfile(path):
        raise DamagedFileError(
            f"A .npz file is a zip archive; {path} is none, or is cut short. "
            f"Write it with `numpy.savez`, or copy it again."
        )
    try:
        with np.load(path, allow_pickle=False) as archive:
            if name is None and set(archive.files) >= SPARSE_NAMES:
                values = _dense(archive, path)
            else:
                values = _member(archive, path, _chosen(archive.files, name, path))
            return Parsed(values, _feature_names(archive, path, values))
    except (zipfile.BadZipFile, EOFError) as error:
        raise DamagedFileError(
            f"A .npz file's members must match their checksums; {path} fails ({error}). "
            f"Write or copy it again."
        ) from error


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


def _member(archive: np.lib.npyio.NpzFile, path: Path, name: str) -> np.ndarray:
    try:
        return archive[name]
    except ValueError as error:
        if "allow_pickle" in str(error):
            raise pickled(f"{path}:{name}") from None
        raise DamagedFileError(
            f"A member of a .npz file must be a whole array; {path}:{name} is not ({error}). "
            f"Write or copy it again."
        ) from error


def _dense(archive: np.lib.npyio.NpzFile, path: Path) -> np.ndarray:
    """Unpack rows stored as (data, indices, indptr, shape), as scipy.sparse.save_npz does."""
    kind = _member(archive, path, "format").item() if "format" in archive.files else b"csr"
    if kind not in (b"csr", "csr", b"csc", "csc"):
        raise DataError(
            f"Sparse data must be stored by rows (csr) or columns (csc); {path} says {kind!r}. "
            f"Convert it with `.tocsr()`."
        )
    array = scipy.sparse.csc_array if kind in (b"csc", "csc") else scipy.sparse.csr_array
    part = {key: _member(archive, path, key) for key in SPARSE_NAMES}
    shape = tuple(int(length) for length in part["shape"])
    try:
        packed = array((part["data"], part["indices"], part["indptr"]), shape=shape)
        packed.check_format(full_check=True)
    except (ValueError, IndexError) as error:
        raise DamagedFileError(
            f"Sparse arrays must agree with their shape {shape}; those of {path} do not ({error}). "
            f"Write or copy it again."
        ) from error
    return packed.toarray()


def _feature_names(
    archive: np.lib.npyio.NpzFile, path: Path, values: np.ndarray
) -> tuple[str, ...] | None:
    """Take names from the archive where it has one for each feature."""
    for key in FEATURE_NAMES:
        if key not in archive.files or values.ndim != 2:
            continue
        names = _member(archive, path, key)
        if names.shape == values.shape[1:] and names.dtype.kind in "SU":
            decoded = np.char.decode(names, "utf-8") if names.dtype.kind == "S" else names
            return tuple(decoded.tolist())
    return None
