"""Rows of Parquet and Arrow files, a row group or a record batch at a time."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from wellposed._errors import DamagedFileError, DataError, SettingError
from wellposed.datasets.readers.cells import ENCODE
from wellposed.datasets.readers.guard import is_of_the_system, name_damage
from wellposed.datasets.readers.parquet import (
    index_columns,
    is_numeric,
    load_pyarrow,
    number_type,
    to_numbers,
)

from ._identity import identity_of
from ._source import BlockSource, check_some

_PARQUET = ".parquet"
SUFFIXES = (_PARQUET, ".arrow", ".feather")


class ArrowSource(BlockSource):
    """Rows of Parquet files, by row group, or of Arrow files, by record batch.

    The columns of all files are those of the first, found by their names. Nulls are NaN. The rows
    of a group stay near each other in a training, and a group is in memory whole: write groups of
    1,000 to 4,000 rows (``row_group_size``), where rows come sorted.

    Parameters
    ----------
    paths : path, or sequence of paths, that end in .parquet, .arrow or .feather
    columns : names of the columns to read; None reads all, but for an index of pandas

    Raises
    ------
    DataError
        For columns that are no numbers, files with other columns, and files without rows.
    SettingError
        If pyarrow is not installed, or ``columns`` names a column that is none.
    DamagedFileError
        If a file is cut short or corrupt.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import pandas as pd
    >>> path = pathlib.Path(tempfile.mkdtemp(), "rows.parquet")
    >>> pd.DataFrame(X, columns=list("abcd")).to_parquet(path)
    >>> ArrowSource(path).n_rows
    150
    """

    def __init__(
        self,
        paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
        columns: Sequence[str] | None = None,
    ):
        self._arrow, self._parquet = load_pyarrow(f"to read {paths}", "save the rows as .npy")
        given = [paths] if isinstance(paths, (str, os.PathLike)) else list(paths)
        self.paths = tuple(Path(path) for path in given)
        if not self.paths:
            raise DataError("A source has at least one file; got none. Name one.")
        self._schema: Any = None
        self._columns = None if columns is None else list(columns)
        self._parts: list[tuple[int, int]] = []  # file and group of each block
        sizes: list[int] = []
        kinds: set[np.dtype] = set()
        for i, path in enumerate(self.paths):
            with name_damage(path):
                groups, types = self._index(path)
            check_some(sum(groups), len(self._names), str(path))
            kinds |= types
            kept = [g for g, n in enumerate(groups) if n]
            self._parts += [(i, g) for g in kept]
            sizes += [groups[g] for g in kept]
        self.starts = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])
        self.n_rows, self.block_rows = int(self.starts[-1]), max(sizes)
        self.n_features, self.feature_names = len(self._names), tuple(self._names)
        self.dtype = np.result_type(*kinds)

    def identity(self) -> str:
        """Return the digest of the files' sizes and times of change, and of the columns."""
        return identity_of(self.paths, self._names)

    def read(self, block: int, out: np.ndarray) -> None:
        """Fill ``out`` with the rows of a block."""
        i, group = self._parts[block]
        path = self.paths[i]
        try:
            with self._open(path) as file:
                if path.suffix.lower() == _PARQUET:
                    table = file.read_row_group(group, columns=self._names, use_threads=False)
                else:
                    table = file.get_batch(group)
                for j, name in enumerate(self._names):
                    out[:, j] = to_numbers(table.column(name))
        except Exception as error:
            if is_of_the_system(error):
                raise
            what = "row group" if path.suffix.lower() == _PARQUET else "record batch"
            raise DamagedFileError(
                f"A file must be whole to be read; {what} {group} of {path} cannot be decoded "
                f"({type(error).__name__}: {error}). Write or copy the file again."
            ) from error

    def _index(self, path: Path) -> tuple[list[int], set[np.dtype]]:
        """Return the rows of each group, and the types that hold its columns, after checks."""
        with self._open(path) as file:
            parquet = path.suffix.lower() == _PARQUET
            schema = file.schema_arrow if parquet else file.schema
            if self._schema is None:
                self._names = self._chosen(schema, path)
                self._schema = schema
            self._check(schema, path)
            if not parquet:
                counts = [file.get_batch(i).num_rows for i in range(file.num_record_batches)]
                return counts, {self._type(schema, name, True) for name in self._names}
            groups = [file.metadata.row_group(i) for i in range(file.num_row_groups)]
        empty = _columns_with_nulls(groups)
        types = {self._type(schema, name, name in empty) for name in self._names}
        return [group.num_rows for group in groups], types

    def _chosen(self, schema: Any, path: Path) -> list[str]:
        if self._columns is None:
            return [name for name in schema.names if name not in index_columns(schema)]
        absent = [name for name in self._columns if name not in schema.names]
        if absent:
            raise SettingError(
                f"columns must name columns of the files; {path} has no {absent[0]!r}. It has "
                f"{', '.join(schema.names[:20])}."
            )
        return self._columns

    def _check(self, schema: Any, path: Path) -> None:
        further = set(schema.names) - set(self._schema.names)
        for name in self._names:
            if schema.names.count(name) != 1:
                raise DataError(
                    f"Every file must have each column of the first, {self.paths[0]}, once; "
                    f"{path} has {schema.names.count(name)} named {name!r}. Rename or leave out "
                    "columns, or name those that all files have in columns=."
                )
            kind = schema.field(name).type
            if not is_numeric(kind, self._arrow):
                raise DataError(
                    f"Every column must hold numbers; {name!r} of {path} has the type {kind}. "
                    f"{ENCODE} Or leave it out by columns=."
                )
        if self._columns is None and further - set(index_columns(schema)):
            raise DataError(
                f"All files must have the columns of the first, {self.paths[0]}; {path} also has "
                f"{sorted(further)[0]!r}. Leave it out by columns=."
            )

    def _type(self, schema: Any, name: str, may_be_null: bool) -> np.dtype:
        kind = np.dtype(number_type(schema.field(name).type, self._arrow))
        return np.result_type(kind, np.float32) if may_be_null and kind.kind in "iub" else kind

    def _open(self, path: Path) -> Any:
        if path.suffix.lower() == _PARQUET:
            return self._parquet.ParquetFile(path, page_checksum_verification=True)
        return self._arrow.ipc.open_file(self._arrow.memory_map(str(path)))


def _columns_with_nulls(groups: list[Any]) -> set[str]:
    """Names of columns that may have nulls, by the statistics of the file."""
    found = set()
    for group in groups:
        for j in range(group.num_columns):
            column = group.column(j)
            known = column.statistics
            if known is None or not known.has_null_count or known.null_count:
                found.add(column.path_in_schema)
    return found
