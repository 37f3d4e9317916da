"""Rows of results, collected in memory or written to a file as they come."""

import contextlib
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from wellposed import serialise
from wellposed._errors import unknown_name
from wellposed.datasets.readers.parquet import load_pyarrow

KINDS = (".npy", ".parquet")


class RowWriter:
    """Collects arrays of rows; a file has its name only when it is whole.

    Parameters
    ----------
    path : of a .npy or .parquet file, which is replaced; None collects in memory
    n_rows : of all arrays together
    names : of the columns in a .parquet file; None numbers them

    Raises
    ------
    SettingError
        For another kind of file, or if pyarrow is not installed.
    OutputError
        If it cannot be written.

    Examples
    --------
    >>> with RowWriter(None, 3) as writer:
    ...     writer.add(np.zeros(2))
    ...     writer.add(np.ones(1))
    ...     writer.finish().tolist()
    [0.0, 0.0, 1.0]
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | None,
        n_rows: int,
        names: Sequence[str] | None = None,
    ):
        self._n, self._names, self._at = n_rows, names, 0
        self._path = None
        if path is not None:
            check_kind(path)
            self._path = serialise.check_writable(path, overwrite=True)
        self._stack = contextlib.ExitStack()
        self._values: np.ndarray | None = None
        self._file: Any = None
        self._table: Any = None  # writer of Parquet

    def __enter__(self) -> Self:
        self._stack.__enter__()
        return self

    def __exit__(self, *error: Any) -> bool | None:
        return self._stack.__exit__(*error)

    def add(self, rows: np.ndarray) -> None:
        """Add the results of the next rows, shape (m, ...)."""
        rows = np.ascontiguousarray(rows)
        if self._at == 0:
            self._start(rows)
        if self._values is not None:
            self._values[self._at : self._at + len(rows)] = rows
        elif self._table is not None:
            self._table.write_batch(self._batch(rows))
        else:
            self._file.write(rows.data)
        self._at += len(rows)

    def finish(self) -> Any:
        """Return all rows, or the path of the file, which is complete after this call."""
        if self._path is None:
            return self._values
        self._stack.close()
        return self._path

    def _start(self, rows: np.ndarray) -> None:
        shape = (self._n, *rows.shape[1:])
        if self._path is None:
            self._values = np.empty(shape, rows.dtype)
            return
        self._file = self._stack.enter_context(serialise.replace_file(self._path))
        if self._path.suffix.lower() == ".npy":
            described = np.lib.format.dtype_to_descr(rows.dtype)
            header = {"descr": described, "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(self._file, header)
            return
        pyarrow, parquet = load_pyarrow(f"to write {self._path}", "name a .npy file")
        self._arrow = pyarrow
        schema = self._batch(rows[:0]).schema
        self._table = self._stack.enter_context(parquet.ParquetWriter(self._file, schema))

    def _batch(self, rows: np.ndarray) -> Any:
        width = math.prod(rows.shape[1:])
        columns = rows.reshape(len(rows), width)
        names = list(self._names or map(str, range(width)))
        arrays = [self._arrow.array(np.ascontiguousarray(columns[:, j])) for j in range(width)]
        return self._arrow.RecordBatch.from_arrays(arrays, names=names)


def check_kind(path: str | os.PathLike[str]) -> None:
    """Refuse a file of a kind that results are not written to.

    Raises
    ------
    SettingError
        Naming the kinds.
    """
    if Path(path).suffix.lower() not in KINDS:
        raise unknown_name("The kind of an output", Path(path).suffix or str(path), KINDS)
