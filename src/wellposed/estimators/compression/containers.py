"""Rows in memory as cells of a container file, and back."""

import dataclasses
import importlib
import json
import math
import sys
from typing import Any

import numpy as np

from wellposed._errors import DamagedFileError, DataError, SettingError
from wellposed.coding.container import ARRAY, PANDAS, POLARS, Group, Header

from . import pandas_frames, polars_frames
from .columns import Columns, finder

_PACKAGES = {PANDAS: "pandas", POLARS: "polars"}


@dataclasses.dataclass(frozen=True, eq=False)
class Cells:
    """Rows as the cells of a container.

    Parameters
    ----------
    container : of the file: ``ARRAY``, ``PANDAS`` or ``POLARS``
    n : number of rows
    parts : of each group of columns of one type, its cells, shape (n, width), little-endian
    big_endian : whether an array had the other order of bytes
    trailing : of an array, its shape without the first axis
    description : of a frame
    """

    container: int
    n: int
    parts: list[np.ndarray]
    big_endian: bool = False
    trailing: tuple[int, ...] = ()
    description: dict[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def row_bytes(self) -> int:
        """Bytes of one row."""
        return sum(part.shape[1] * part.dtype.itemsize for part in self.parts)

    def header(self, block_rows: int, fingerprint: bytes | None) -> Header:
        """Return the header of the file."""
        groups = tuple(Group(part.dtype, part.shape[1]) for part in self.parts)
        return Header(
            self.container,
            self.n,
            min(block_rows, self.n),
            groups,
            (self.big_endian,) * len(groups),
            self.trailing,
            fingerprint,
        )

    def rows(self, low: int, high: int) -> list[np.ndarray]:
        """Return the cells of some rows."""
        return [part[low:high] for part in self.parts]


def cells_of(X: Any) -> Cells:
    """Take rows apart.

    Parameters
    ----------
    X : array of shape (n, ...), or frame of pandas or polars

    Raises
    ------
    DataError
        For other containers, and types that have no place in a file.
    """
    for container, name in _PACKAGES.items():
        kind = getattr(sys.modules.get(name), "DataFrame", None)
        if kind is not None and isinstance(X, kind):
            return _of_frame(X, container, sys.modules[name])
    if type(X) is not np.ndarray:
        _refuse(X)
    if X.dtype.kind not in "biuf" or X.dtype.itemsize > 8:
        raise DataError(
            f"An array to compress must be of integers, floating numbers up to 64 bits or truth "
            f"values; got {X.dtype}. Convert it with astype, or view complex numbers as two."
        )
    if X.ndim == 0:
        raise DataError("An array to compress must have rows; got one number. Pass X.reshape(1).")
    little = np.ascontiguousarray(X, X.dtype.newbyteorder("<"))
    cells = little.reshape(len(X), math.prod(X.shape[1:]))
    big = X.dtype.newbyteorder("=").str.startswith("<") and X.dtype.str.startswith(">")
    return Cells(ARRAY, len(X), [cells], big, X.shape[1:])


def restore(header: Header, description: bytes, parts: list[np.ndarray], rows: np.ndarray) -> Any:
    """Return the rows that :func:`cells_of` took apart.

    Parameters
    ----------
    header, description : of the file
    parts : of each group, the cells of the rows that could be read
    rows : their positions, in rising order

    Raises
    ------
    DamagedFileError
        If the description is not that of a frame.
    SettingError
        If the package of the frame is not installed.
    """
    if header.container == ARRAY:
        values = parts[0].reshape(len(rows), *header.trailing)
        return values.astype(values.dtype.newbyteorder(">")) if header.big_endian[0] else values
    package = _imported(_PACKAGES[header.container])
    try:
        described = json.loads(description)
        find = finder(header.groups, parts)
        if header.container == POLARS:
            return polars_frames.rebuild(described, find, package)
        return pandas_frames.rebuild(described, find, rows, package)
    # The description is arbitrary, and one that contradicts itself can raise anything.
    except Exception as error:
        raise DamagedFileError(
            f"The description of the frame has no meaning: {type(error).__name__}: {error} Take "
            "the file from a backup, or install the version of "
            f"{_PACKAGES[header.container]} that it was written with."
        ) from error


def pack_description(description: dict[str, Any]) -> bytes:
    """Return the description as JSON; nothing for an empty one."""
    return json.dumps(description, separators=(",", ":")).encode() if description else b""


def _of_frame(frame: Any, container: int, package: Any) -> Cells:
    columns = Columns()
    module = polars_frames if container == POLARS else pandas_frames
    described = module.describe(frame, columns, package)
    return Cells(container, len(frame), columns.parts(), description=described)


def _refuse(X: Any) -> None:
    remedies = {
        "list": "Pass numpy.asarray(X): its type is then stated",
        "tuple": "Pass numpy.asarray(X): its type is then stated",
        "str": "Read the file first, with wp.datasets.read(path).values, or run wellposed compress",
        "Series": "Pass X.to_frame()",
        "LazyFrame": "Pass X.collect()",
        "MaskedArray": "Pass X.filled(), and the mask as an array of its own",
    }
    sparse = hasattr(X, "toarray") and hasattr(X, "nnz")
    remedy = "Pass X.toarray()" if sparse else "Pass numpy.asarray(X)"
    raise DataError(
        "What is compressed comes back in kind, so it must be a NumPy array or a frame of pandas "
        f"or polars; got a {type(X).__name__}. {remedies.get(type(X).__name__, remedy)}."
    )


def _imported(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        raise SettingError(
            f"The file holds a frame of {name}, which is not installed. Run: pip install {name}."
        ) from None
