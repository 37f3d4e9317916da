"""Writing what commands make: whole or not at all, and never over a file unasked."""

import csv
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np

from wellposed._errors import OutputError, SettingError, unknown_name

TABLES = (".csv", ".npy")


def check_output(
    path: Path | None, *others: Any, force: bool, kinds: Sequence[str] | None = None
) -> None:
    """Make sure, before any work, that ``path`` is of a kind that we write, and writable.

    ``others`` are what the command reads, and what else it writes.

    Raises
    ------
    SettingError
        If the suffix is not one of ``kinds``, or ``path`` is one of ``others``.
    OutputError
        If the file exists without ``force``, or cannot be written.
    """
    if path is None:
        return
    if kinds is not None and path.suffix.lower() not in kinds:
        raise unknown_name("An output file's kind", path.suffix, kinds)
    from wellposed import serialise

    serialise.check_apart(path, *others)
    serialise.check_writable(path, overwrite=force)


def check_outputs(paths: Sequence[Path], *others: Any, force: bool, kinds: Sequence[str]) -> None:
    """Check several outputs of one command, against one another too."""
    for i, path in enumerate(paths):
        check_output(path, *others, *paths[:i], force=force, kinds=kinds)


def save_model(vae: Any, path: Path, *, force: bool, codes: bool) -> None:
    """Write a model that took long to train, elsewhere if it cannot be written where it should.

    Raises
    ------
    OutputError
        Saying where the model is instead.
    """
    try:
        vae.save(path, overwrite=force, codes=codes)
    except OutputError as error:
        elsewhere = Path(tempfile.mkdtemp(prefix="wellposed-")) / "model.wp"
        try:
            vae.save(elsewhere, codes=codes)
        except OutputError:
            elsewhere.parent.rmdir()
            raise error from None
        raise OutputError(f"{error} The model is in {elsewhere}; move it from there.") from error


def write_table(path: Path | None, values: np.ndarray, columns: Sequence[str]) -> None:
    """Write an array of shape (n, d) or (n,) to .npy or .csv, or as CSV to stdout."""
    from wellposed.serialise import replacing

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


def _write_csv(file: IO[str], values: np.ndarray, columns: Sequence[str]) -> None:
    csv.writer(file, lineterminator="\n").writerow(columns)  # which quotes what must be quoted
    for row in values.reshape(len(values), -1):
        # str of a float32 or float64 is its shortest text that reads back as the same number.
        file.write(",".join(map(str, row)) + "\n")
