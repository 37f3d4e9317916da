"""Writing what commands make: whole or not at all, and never over a file unasked."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np

from wellposed._errors import OutputError, SettingError, unknown_name

TABLES = (".csv", ".npy")


def check_output(path: Path | None, *, force: bool, kinds: Sequence[str]) -> None:
    """Make sure, before any work, that ``path`` is of a kind that we write, and writable.

    Raises
    ------
    SettingError
        If the suffix is not one of ``kinds``.
    OutputError
        If the file exists without ``force``, or cannot be written.
    """
    if path is None:
        return
    if path.suffix.lower() not in kinds:
        raise unknown_name("An output file's kind", path.suffix, kinds)
    from wellposed import serialise

    serialise.check_writable(path, overwrite=force)


def write_table(path: Path | None, values: np.ndarray, columns: Sequence[str]) -> None:
    """Write an array of shape (n, d) or (n,) to .npy or .csv, or as CSV to stdout."""
    if path is not None and path.suffix.lower() == ".npy":
        with replacing(path) as file:
            np.save(file, values)
        return
    if len(columns) != values.reshape(len(values), -1).shape[1]:
        raise SettingError(f"A table needs a name a column; got {len(columns)} names.")
    if path is None:
        _write_csv(sys.stdout, values, columns)
        return
    with replacing(path, text=True) as file:
        _write_csv(file, values, columns)


@contextlib.contextmanager
def replacing(path: Path, *, text: bool = False) -> Iterator[IO[Any]]:
    """Open a temporary file that takes the place of ``path`` once all is written.

    Raises
    ------
    OutputError
        If writing fails; the old file, if there was one, is then as before.
    """
    descriptor, temporary = tempfile.mkstemp(dir=path.absolute().parent, prefix=f".{path.name}.")
    try:
        with _opened(descriptor, text) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes files private; an output gets what any new file gets.
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(temporary, 0o666 & ~mask)
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
    if text:  # newline: a CSV has the same bytes on every platform
        return os.fdopen(descriptor, "w", encoding="utf-8", newline="")
    return os.fdopen(descriptor, "wb")


def _write_csv(file: IO[str], values: np.ndarray, columns: Sequence[str]) -> None:
    file.write(",".join(columns) + "\n")
    for row in values.reshape(len(values), -1):
        # str of a float32 or float64 is its shortest text that reads back as the same number.
        file.write(",".join(map(str, row)) + "\n")
