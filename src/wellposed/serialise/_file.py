"""Reading and writing of tensors and a header in one file with a checksum over every byte."""

import hashlib
import json
import os
from pathlib import Path
from typing import IO, Any

import numpy as np

from wellposed._errors import DamagedFileError
from wellposed._version import __version__

from ._layout import pack, parse, unpack
from ._output import replace_file
from ._versions import FORMAT_VERSION, OtherVersionError, check_format

_BLANK = "0" * 64
_CHECKSUM_KEY = "sha256"
_PIECE = 1 << 24
_LONGEST = 100_000_000  # bytes of a header; safetensors has the same limit


def write(path: str | os.PathLike, tensors: dict[str, np.ndarray], header: dict) -> None:
    """Write tensors and a JSON header to ``path``; a failure leaves the old file unchanged.

    The same tensors and header give the same bytes.

    Parameters
    ----------
    path : of the file
    tensors : arrays by name
    header : JSON-serialisable; must not contain the keys ``sha256`` and ``wellposed``

    Raises
    ------
    OutputError
        If the file cannot be written; the message has the system's reason.
    SettingError
        For an array of a type that the format does not support.
    """
    body = {"version": FORMAT_VERSION, "library": __version__, **header}
    metadata = {
        _CHECKSUM_KEY: _BLANK,
        "wellposed": json.dumps(body, allow_nan=False, sort_keys=True),
    }
    blank = pack(tensors, metadata)
    digest = hashlib.sha256(blank).hexdigest()
    with replace_file(Path(path)) as file:
        file.write(blank.replace(_field(_BLANK), _field(digest), 1))


def read(path: str | os.PathLike) -> tuple[dict[str, np.ndarray], dict]:
    """Read what :func:`write` wrote, checking every byte.

    Raises
    ------
    DamagedFileError
        If any byte differs from what was written, or another version's format is not read here.
    """
    try:
        return _read(Path(os.fsdecode(path)))
    except OtherVersionError as error:
        raise OtherVersionError(f"{path}: {error}") from error
    except DamagedFileError as error:
        raise DamagedFileError(
            f"{path} is damaged, or not a wellposed file: {error} "
            "Take it from a backup, or save it again."
        ) from error


def _read(path: Path) -> tuple[dict[str, np.ndarray], dict]:
    with open(path, "rb") as file:
        # Only the bytes that the header declares are read: some files are endless.
        first = file.read(8)
        size = int.from_bytes(first, "little")
        if len(first) < 8 or size > _LONGEST:
            raise DamagedFileError("It does not begin with the length of a header.")
        head = _up_to(file, size)
        entries = parse(head)
        metadata = entries.get("__metadata__") if isinstance(entries, dict) else None
        if not isinstance(metadata, dict) or not isinstance(metadata.get(_CHECKSUM_KEY), str):
            raise DamagedFileError("Its header has no checksum.")
        content = _up_to(file, _end(entries) + 1)
    stated = metadata[_CHECKSUM_KEY]
    digest = hashlib.sha256((first + head).replace(_field(stated), _field(_BLANK), 1))
    digest.update(content)
    if digest.hexdigest() != stated:
        raise DamagedFileError("Its checksum is not that of its content.")
    return unpack(entries, content), _body(metadata.get("wellposed"))


def _up_to(file: IO[bytes], size: int) -> bytes:
    """Read at most ``size`` bytes, piece by piece, since the file may be shorter."""
    pieces = []
    while size > 0 and (piece := file.read(min(size, _PIECE))):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


def _body(text: Any) -> dict:
    """Read the library's header, which is text within the header of the file."""
    header = parse(text) if isinstance(text, str) else None
    if not isinstance(header, dict) or not isinstance(header.get("library"), str):
        raise DamagedFileError("Its header names no version of the library.")
    check_format(header.get("version"), header["library"])
    return header


def _end(entries: dict[str, Any]) -> int:
    """Number of bytes of all tensors that a header declares; other checks follow the reading."""
    stops = [0]
    for entry in entries.values():
        offsets = entry.get("data_offsets") if isinstance(entry, dict) else None
        if isinstance(offsets, list) and len(offsets) == 2 and type(offsets[1]) is int:
            stops.append(offsets[1])
    return max(stops)


def _field(digest: str) -> bytes:
    return f'"{_CHECKSUM_KEY}":"{digest}"'.encode()
