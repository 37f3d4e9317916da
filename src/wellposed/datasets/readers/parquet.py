"""Reader of parquet tables, by pyarrow where it is installed."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from wellposed._errors import DamagedFileError, SettingError

from .._source import Parsed
from .cells import DATES, ENCODE
from .columns import dropped_columns, not_numeric
from .guard import check_room

_BATCH_CELLS = 1 << 18
_PAGES_BYTES, _HELD_BYTES = 1 << 22, 1 << 24  # of a column, of all
_BUFFER = 1 << 18  # bytes of a column; without it, all of a group of rows are in memory


def read_parquet(path: Path, *, drop: tuple[str | int, ...]) -> Parsed:
    """Read every numeric column; types are promoted to one, nulls become NaN."""
    pa, pq = load_pyarrow(f"to read {path}", "save the table as CSV")
    with path.open("rb") as handle, pq.ParquetFile(handle, buffer_size=_BUFFER) as file:
        return _table(file, path, drop, pa)


def load_pyarrow(purpose: str, instead: str) -> tuple[Any, Any]:
    """Return pyarrow and pyarrow.parquet.

    Parameters
    ----------
    purpose, instead : in words, for the message

    Raises
    ------
    SettingError
        If pyarrow is not installed.
    """
    try:
        import pyarrow
        import pyarrow.ipc
        import pyarrow.parquet
    except ImportError as error:
        raise SettingError(
            f"Parquet and Arrow files need pyarrow, which is not installed, {purpose}. "
            f"Run `pip install 'wellposed[data]'`, or {instead}."
        ) from error
    return pyarrow, pyarrow.parquet


def _table(file: Any, path: Path, drop: tuple[str | int, ...], pa: Any) -> Parsed:
    """Read the numeric columns in batches of rows, in the memory of the table."""
    schema = file.schema_arrow
    index = index_columns(schema)
    all_names, all_kinds = schema.names, schema.types  # each call builds its list again
    columns = [i for i, name in enumerate(all_names) if name not in index]
    names = tuple(all_names[i] for i in columns)
    dropped = dropped_columns(drop, names, len(names), str(path)) if names else frozenset()
    kept = [i for i in range(len(names)) if i not in dropped]
    kinds = [all_kinds[i] for i in columns]
    bad = [i for i in kept if not is_numeric(kinds[i], pa)]
    if bad:
        remain = len(kept) > len(bad)
        example = f"the type {kinds[bad[0]]}"
        remedy = DATES if pa.types.is_temporal(kinds[bad[0]]) else ENCODE
        raise not_numeric(bad, names, str(path), example, remedy, can_drop=remain)
    wanted = {columns[i]: number_type(kinds[i], pa) for i in kept}
    values = _values(file, path, wanted) if kept else np.empty((0, 0))
    return Parsed(values, tuple(names[i] for i in kept))


def index_columns(schema: Any) -> frozenset[str]:
    """Return the columns in which pandas stores its index, which are no features.

    The metadata of pandas may be outdated (columns renamed or left out since) or unreadable; the
    table is valid nevertheless.
    """
    try:
        noted = json.loads(schema.metadata[b"pandas"])["index_columns"]
        return frozenset(name for name in noted if isinstance(name, str))
    except (KeyError, TypeError, ValueError):
        return frozenset()


def _values(file: Any, path: Path, kept: dict[int, np.dtype]) -> np.ndarray:
    """Read the columns at these positions, of these types."""
    n_rows = file.metadata.num_rows
    dtype = np.result_type(*kept.values())
    what = f"{n_rows} rows and {len(kept)} columns of {dtype.name}"
    check_room(n_rows * len(kept) * dtype.itemsize, what, path)
    values = np.empty((n_rows, len(kept)), dtype)
    for columns, batches in _batches(file, list(kept), n_rows):
        row = 0
        for batch in batches:
            until = row + len(batch)
            if until > n_rows:
                raise _not_whole(path, n_rows, f"{until} or more")
            for source, target in columns:
                column = to_numbers(batch.column(source))
                wider = np.result_type(values.dtype, column.dtype)
                if wider != values.dtype:  # the first null among whole numbers
                    values = values.astype(wider)
                values[row:until, target] = column
            row = until
        if row != n_rows:
            raise _not_whole(path, n_rows, str(row))
    return values


def _batches(
    file: Any, kept: list[int], n_rows: int
) -> Iterator[tuple[list[tuple[Any, int]], Iterator[Any]]]:
    """Yield groups of columns, as (column in a batch, column of the table), with their batches.

    Arrow keeps a few pages of each column in memory, so columns are read in groups.
    """
    names = file.schema_arrow.names
    roots = Counter(name.split(".")[0] for name in names)
    if any(roots[names[i].split(".")[0]] > 1 for i in kept):
        # Arrow also reads columns with an equal name or prefix: then all columns are read.
        rows = max(1, _BATCH_CELLS // len(names))
        yield [(i, j) for j, i in enumerate(kept)], file.iter_batches(rows, use_threads=False)
        return
    step = max(1, _HELD_BYTES // min(_PAGES_BYTES, 16 * n_rows + 1))
    for start in range(0, len(kept), step):
        group = kept[start : start + step]
        wanted = [names[i] for i in group]
        rows = max(1, _BATCH_CELLS // len(group))
        batches = file.iter_batches(rows, columns=wanted, use_threads=False)
        yield [(name, start + j) for j, name in enumerate(wanted)], batches


def _not_whole(path: Path, expected: int, present: str) -> DamagedFileError:
    return DamagedFileError(
        f"A parquet file must be whole; {path} declares {expected} rows and holds {present}. "
        f"Write or copy it again."
    )


def is_numeric(kind: Any, pa: Any) -> bool:
    """Whether a column of this Arrow type is read as numbers."""
    types = pa.types
    is_real = types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind)
    return is_real or types.is_boolean(kind) or types.is_null(kind)


def number_type(kind: Any, pa: Any) -> np.dtype:
    """Return NumPy's type of a column without nulls; a column of nulls becomes NaN."""
    if pa.types.is_decimal(kind) or pa.types.is_null(kind):
        return np.dtype(float)
    return np.dtype(kind.to_pandas_dtype())


def to_numbers(column: Any) -> np.ndarray:
    """Return the numbers of an Arrow column; nulls are NaN.

    Decimals, and booleans with nulls, arrive as objects: Decimal, True, False, None.
    """
    numbers = column.to_numpy(zero_copy_only=False)
    return numbers.astype(float) if numbers.dtype == object else numbers
