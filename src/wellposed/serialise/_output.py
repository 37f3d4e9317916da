"""Output files: known to be writable before the work, and whole or not there after it."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from wellposed._errors import OutputError


def check_writable(path: str | os.PathLike, *, overwrite: bool) -> Path:
    """Make sure, before any long work, that ``path`` can be written.

    Raises
    ------
    OutputError
        If it exists and ``overwrite`` is false, is a folder, or its folder is not writable.
    """
    path = Path(path)
    if path.is_dir():
        raise OutputError(f"An output must be a file; {path} is a folder. Name a file in it.")
    if path.exists() and not overwrite:
        raise OutputError(f"{path} exists and is not overwritten. Pass --force, or another name.")
    folder = path.absolute().parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written: {error.strerror or error}. Choose another folder."
        ) from error
    return path


@contextlib.contextmanager
def replacing(path: Path, *, text: bool = False) -> Iterator[IO[Any]]:
    """Open a temporary file that takes the place of ``path`` once all is written.

    Raises
    ------
    OutputError
        If writing fails; the old file, if there was one, is then as before.
    """
    temporary = ""
    try:
        descriptor, temporary = tempfile.mkstemp(
            dir=path.absolute().parent, prefix=f".{path.name}."
        )
        with _opened(descriptor, text) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())  # mkstemp makes files private
        os.replace(temporary, path)
    except OSError as error:
        raise OutputError(
            f"{path} could not be written: {error.strerror or error}. The old file, if there was "
            "one, is untouched."
        ) from error
    finally:
        if os.path.exists(temporary):
            os.unlink(temporary)


def _opened(descriptor: int, text: bool) -> IO[Any]:
    if text:  # newline: the same bytes on every platform
        return os.fdopen(descriptor, "w", encoding="utf-8", newline="")
    return os.fdopen(descriptor, "wb")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
