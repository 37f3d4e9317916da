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
    writes : whether the file is written; of several processes, by one

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
        *,
        writes: bool = True,
    ):
        self._n, self._names, self._at = n_rows, names, 0
        self._path, self._writes = None, writes or path is None
        if path is not None:
            check_kind(path)
            self._path = Path(os.fsdecode(path)).absolute()
        if path is not None and writes:
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

    def add(self, rows: Any) -> None:
        """Add the results of the next rows, shape (m, ...), or a frame of m rows for .parquet."""
        if not self._writes:
            return
        rows = rows if is_frame(rows) else np.ascontiguousarray(rows)
        if self._at == 0:
            self._start(rows)
        if self._values is not None:
            self._values[self._at : self._at + len(rows)] = rows
        elif self._table is not None:
            self._table.write_table(self._batch(rows).cast(self._schema))
        else:
            self._file.write(rows.data)
        self._at += len(rows)

    def finish(self) -> Any:
        """Return all rows, or the path of the file, which is complete after this call."""
        if self._path is None:
            return self._values
        self._stack.close()
        return self._path

    def _start(self, rows: Any) -> None:
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
        self._schema = self._batch(rows).schema
        self._table = self._stack.enter_context(parquet.ParquetWriter(self._file, self._schema))

    def _batch(self, rows: Any) -> Any:
        if is_frame(rows):
            from_pandas = self._arrow.Table.from_pandas
            return (
                rows.to_arrow()
                if hasattr(rows, "to_arrow")
                else from_pandas(rows, preserve_index=False)
            )
        width = math.prod(rows.shape[1:])
        columns = rows.reshape(len(rows), width)
        names = list(self._names or map(str, range(width)))
        arrays = [self._arrow.array(np.ascontiguousarray(columns[:, j])) for j in range(width)]
        return self._arrow.Table.from_arrays(arrays, names=names)


def is_frame(rows: Any) -> bool:
    """Whether rows are a frame of pandas or polars."""
    return hasattr(rows, "columns")


def check_kind(path: str | os.PathLike[str]) -> None:
    """Refuse a file of a kind that results are not written to.

    Raises
    ------
    SettingError
        Naming the kinds.
    """
    if Path(path).suffix.lower() not in KINDS:
        raise unknown_name("The kind of an output", Path(path).suffix or str(path), KINDS)
