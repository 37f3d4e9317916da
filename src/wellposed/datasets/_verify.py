"""Is this copy the published file?"""

import hashlib
from pathlib import Path

from ._dataset import RemoteFile


def fault(path: Path, file: RemoteFile) -> str | None:
    """Say what is wrong with a copy, or return None if it is the published file."""
    if not path.is_file():
        return "is missing"
    size = path.stat().st_size
    if size != file.size:
        return f"has {size} bytes, expected {file.size}"
    with path.open("rb") as handle:
        digest = hashlib.file_digest(handle, "sha256").hexdigest()
    return None if digest == file.sha256 else f"has SHA-256 {digest}, expected {file.sha256}"
