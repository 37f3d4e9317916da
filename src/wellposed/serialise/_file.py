"""Tensors and a header in one file, every byte of it under a checksum."""

import hashlib
import json
import os
from pathlib import Path

import numpy as np
import safetensors.numpy

from wellposed._errors import DamagedFileError
from wellposed._version import __version__

from ._output import replacing

FORMAT_VERSION = 1

_BLANK = "0" * 64
_CHECKSUM_KEY = "sha256"


def write(path: str | os.PathLike, tensors: dict[str, np.ndarray], header: dict) -> None:
    """Write tensors and a JSON header to ``path``; a failure leaves the old file as it was.

    Parameters
    ----------
    path : where to
    tensors : arrays by name
    header : JSON-serialisable; must not hold the keys ``sha256`` and ``wellposed``

    Raises
    ------
    OutputError
        If the file cannot be written; the message has the system's reason.
    """
    body = {"version": FORMAT_VERSION, "library": __version__, **header}
    metadata = {
        "wellposed": json.dumps(body, allow_nan=False, sort_keys=True),
        _CHECKSUM_KEY: _BLANK,
    }
    blank = safetensors.numpy.save(
        {name: np.asarray(a, order="C") for name, a in tensors.items()}, metadata
    )
    digest = hashlib.sha256(blank).hexdigest()
    with replacing(Path(path)) as file:
        file.write(blank.replace(_field(_BLANK), _field(digest), 1))


def read(path: str | os.PathLike) -> tuple[dict[str, np.ndarray], dict]:
    """Read what :func:`write` wrote, checking every byte.

    Raises
    ------
    DamagedFileError
        If any byte differs from what was written, or the version is unknown.
    """
    data = Path(path).read_bytes()
    try:
        size = int.from_bytes(data[:8], "little")
        metadata = json.loads(data[8 : 8 + size])["__metadata__"]
        stated = metadata[_CHECKSUM_KEY]
        blank = data.replace(_field(stated), _field(_BLANK), 1)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DamagedFileError(
            f"{path} is not a wellposed file, or its header is damaged ({type(error).__name__}). "
            "Take it from a backup, or save it again."
        ) from error
    if hashlib.sha256(blank).hexdigest() != stated:
        raise DamagedFileError(
            f"{path} is damaged: its checksum is not that of its content. "
            "Take it from a backup, or save it again."
        )
    header = json.loads(metadata["wellposed"])
    if header["version"] != FORMAT_VERSION:
        raise DamagedFileError(
            f"{path} has format version {header['version']}; this library reads "
            f"{FORMAT_VERSION}. Open it with wellposed {header['library']}."
        )
    return safetensors.numpy.load(data), header


def _field(digest: str) -> bytes:
    return f'"{_CHECKSUM_KEY}":"{digest}"'.encode()
