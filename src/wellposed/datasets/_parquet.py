"""Parquet tables, through pyarrow where it is installed."""

from pathlib import Path

import numpy as np

from wellposed._errors import DamagedFileError, SettingError

from ._columns import dropped_columns, not_numeric
from ._source import Parsed


def read_parquet(path: Path, *, drop: tuple[str | int, ...]) -> Parsed:
    """Read every numeric column; types are promoted to one, nulls become NaN."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise SettingError(
            f"Parquet files need pyarrow, which is not installed, to read {path}. "
            f"Run `pip install 'wellposed[data]'`, or save the table as CSV."
        ) from error
    try:
        with pq.ParquetFile(path) as file:
            table = file.read()
    except (pa.ArrowInvalid, OSError) as error:
        raise DamagedFileError(
            f"A parquet file must be whole; {path} cannot be decoded ({error}). "
            f"Write or copy it again."
        ) from error
    # pandas stores its index as columns, and says so; it labels the rows and is no feature.
    stored = (table.schema.pandas_metadata or {}).get("index_columns", [])
    table = table.drop_columns([name for name in stored if isinstance(name, str)])
    names = tuple(table.column_names)
    dropped = dropped_columns(drop, names, len(names), str(path)) if names else frozenset()
    kept = [i for i in range(len(names)) if i not in dropped]
    bad = [i for i in kept if not _is_numeric(table.schema.types[i], pa)]
    if bad:
        raise not_numeric(bad, names, str(path), f"the type {table.schema.types[bad[0]]}")
    columns = [table.column(i).to_numpy() for i in kept]
    values = np.column_stack([_numbers(c) for c in columns]) if columns else np.empty((0, 0))
    return Parsed(values, tuple(names[i] for i in kept))


def _is_numeric(kind, pa) -> bool:
    return pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)


def _numbers(column: np.ndarray) -> np.ndarray:
    """A column of booleans with nulls arrives as objects: True, False, None."""
    return column.astype(float) if column.dtype == object else column
