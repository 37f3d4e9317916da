r"""One door for every format: the path decides which reader opens it.

==================== ======================================================================
path                 rule
==================== ======================================================================
``.npy``             one array, in its own type
``.npz``             the only array in it, or the one called ``X``, ``x`` or ``data``, or
                     ``path.npz:name``; rows stored as ``data``, ``indices``, ``indptr`` and
                     ``shape`` (as by ``scipy.sparse.save_npz``) become dense, and an array
                     ``genes`` or ``feature_names`` names their columns
``.csv`` ``.tsv``    comma, semicolon or tab, whichever the first line has most of; float64;
                     cells that are empty or say ``NA``, ``N/A``, ``NaN``, ``null``,
                     ``none`` or ``?`` become NaN
``.txt``             numbers separated by whitespace (or commas); ``#`` begins a comment
``.parquet``         all columns, their types promoted to one; nulls become NaN; pandas'
                     index is left out; needs the extra ``data``
IDX                  ``.idx``, ``…-idx3-ubyte`` and the like, ``.gz`` or not, all six types
folder               its images sorted by name (so pad numbers with zeros), 8-bit grey or
                     RGB, one size; EXIF rotation is not applied; needs the extra ``data``
==================== ======================================================================
"""

import os
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from wellposed._errors import DataError, SettingError, unknown_name

from ._idx import is_idx_name, read_idx
from ._images import read_images
from ._npy import read_npy
from ._npz import read_npz
from ._open import existing
from ._parquet import read_parquet
from ._source import Parsed, Source, as_source, numeric
from ._text import read_text

TEXT_SUFFIXES = frozenset({".csv", ".tsv", ".txt"})
KNOWN = ("folder of images", ".npy", ".npz", ".csv", ".tsv", ".txt", ".parquet", "IDX")

_MEMBER = re.compile(r"(?P<path>.+\.npz):(?P<name>[^:/\\]+)", re.IGNORECASE)


def read(
    source: str | os.PathLike[str],
    *,
    header: bool | None = None,
    drop: Sequence[str | int] = (),
) -> Source:
    r"""Read a table or images from a path.

    The suffix decides the format (see this module's table); gzip is recognised by content.
    Nothing is executed on reading: pickled arrays are refused.

    An array of more than two axes becomes (n, d) in row-major order, and ``image_shape`` keeps
    its trailing axes. Values are never rescaled, and NaN is passed on.

    Parameters
    ----------
    source : str or path
        A file, or a folder of images.
    header : bool, optional
        For text: whether the first line names the columns. By default it is taken for a header
        if it holds words and no numbers, or a word above a number.
    drop : sequence of str or int
        Columns of a text or parquet table to leave out, by name or by position from 0.

    Returns
    -------
    Source
        ``values`` of shape (n, d), ``image_shape`` and ``feature_names``.

    Raises
    ------
    DataError
        If nothing is at the path, the array cannot be told, a column is not numeric, rows or
        images differ in size, or the array has fewer than two axes.
    DamagedFileError
        If the file is cut short or corrupt.
    SettingError
        If the suffix or a name is unknown, an option does not apply, or the package that reads
        the format is missing.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from wellposed.datasets import read
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "table.csv")
    ...     _ = path.write_text("length,width\n1.5,2\n,4\n")
    ...     table = read(path)
    >>> table.feature_names
    ('length', 'width')
    >>> table.values
    array([[1.5, 2. ],
           [nan, 4. ]])
    """
    return as_source(_parse(source, header=header, drop=tuple(drop)), os.fspath(source))


def read_labels(source: str | os.PathLike[str]) -> np.ndarray:
    """Read one label a datum, of any of the formats of :func:`read`.

    Parameters
    ----------
    source : str or path
        A file with an array of one axis, or a table of a single column.

    Returns
    -------
    array of shape (n,)
        The labels in the file's own type.

    Raises
    ------
    DataError
        If the array is not one column of numbers.
    DamagedFileError
        If the file is cut short or corrupt.
    """
    values = numeric(_parse(source, header=None, drop=()).values, os.fspath(source))
    if values.ndim == 2 and values.shape[1] == 1:
        return values[:, 0]
    if values.ndim != 1:
        raise DataError(
            f"Labels are one number a datum; {source} holds an array of shape {values.shape}. "
            f"Name the file with the labels, or read data with `read`."
        )
    return values


def _parse(
    source: str | os.PathLike[str], *, header: bool | None, drop: tuple[str | int, ...]
) -> Parsed:
    path, name = _split(os.fspath(source))
    existing(path)
    suffix = _suffix(path)
    if path.is_dir():
        suffix = "folder"
    is_text, is_table = suffix in TEXT_SUFFIXES, suffix in TEXT_SUFFIXES | {".parquet"}
    if (header is not None and not is_text) or (drop and not is_table):
        option = "header" if header is not None and not is_text else "drop"
        raise SettingError(
            f"`{option}` is for tables with named columns; {path} is read as {suffix or 'IDX'}. "
            f"Leave it out."
        )
    if is_text:
        return read_text(path, header=header, drop=drop)
    if suffix == "folder":
        return read_images(path)
    if suffix == ".parquet":
        return read_parquet(path, drop=drop)
    if suffix == ".npz":
        return read_npz(path, name)
    if suffix == ".npy":
        return read_npy(path)
    if is_idx_name(path.name):
        return read_idx(path)
    raise unknown_name("A data file's kind", suffix or path.name, KNOWN)


def _split(source: str) -> tuple[Path, str | None]:
    """Part ``path.npz:name`` into the two, unless a file is really called that."""
    match = _MEMBER.fullmatch(source)
    if match is None or Path(source).exists():
        return Path(source), None
    return Path(match["path"]), match["name"]


def _suffix(path: Path) -> str:
    """Return the suffix in lower case, without the ``.gz`` that says only how it is packed."""
    name = path.name.lower().removesuffix(".gz")
    return "" if is_idx_name(name) else Path(name).suffix
