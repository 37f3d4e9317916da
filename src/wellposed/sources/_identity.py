"""Identity of files, which changes when their content may have changed."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from wellposed._errors import DataError


def identity_of(paths: Sequence[Path], *settings: object) -> str:
    """Return the SHA-256, in hex, of names, sizes and times of change of files, and of settings.

    The content is not read. The folder of a file does not count, so that data can be moved.
    """
    digest = hashlib.sha256(repr(settings).encode())
    for path in paths:
        status = path.stat()
        digest.update(repr((path.name, status.st_size, status.st_mtime_ns)).encode())
    return digest.hexdigest()


def check_same(before: str, now: str, source: object) -> None:
    """Refuse data that have changed since they were opened or since the last pass.

    Raises
    ------
    DataError
        Naming the source.
    """
    if before != now:
        raise DataError(
            f"Data must stay the same from pass to pass; {source!r} has changed since training "
            "began. Restore it, or start again with what it is now."
        )
