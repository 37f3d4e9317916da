r"""One door for every format: the path decides which reader opens it.

==================== ======================================================================
path                 rule
==================== ======================================================================
``.npy``             one array, in its own type
``.npz``             the only array in it, or the one called ``X``, ``x`` or ``data``, or
                     ``path.npz:name``; rows stored as ``data``, ``indices``, ``indptr`` and
                     ``shape`` (as by ``scipy.sparse.save_npz``) become dense, and an array
                     ``genes`` or ``feature_names`` names their columns
text                 ``.csv``, ``.tsv``, ``.txt``, ``.data``, ``.dat`` and any other suffix whose
                     content is a table of numbers, ``.gz`` or not; float64; see :func:`read`
``.parquet``         all columns, their types promoted to one; nulls become NaN; pandas'
                     index is left out; needs the extra ``data``
IDX                  ``.idx``, ``…-idx3-ubyte`` and the like, ``.gz`` or not, all six types
folder               its images sorted by name (so pad numbers with zeros), 8-bit grey or
                     RGB, one size unless ``size`` is given; hidden files and folders within
                     are left out; EXIF rotation is not applied; needs the extra ``data``
==================== ======================================================================
"""

import os
import re
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from wellposed._errors import DataError, ReadWarning, unknown_name

from ._guard import damage_named
from ._idx import is_idx_name, read_idx
from ._images import read_images
from ._layout import is_table
from ._npy import read_npy
from ._npz import read_npz
from ._open import existing
from ._options import Options
from ._parquet import read_parquet
from ._source import Parsed, Source, as_source, numeric
from ._text import read_text

TEXT_SUFFIXES = frozenset({".csv", ".tsv", ".tab", ".txt", ".data", ".dat", ".asc", ".prn"})
KNOWN = ("folder of images", ".npy", ".npz", *sorted(TEXT_SUFFIXES), ".parquet", "IDX")

_MEMBER = re.compile(r"(?P<path>.+\.npz):(?P<name>[^:/\\]+)", re.IGNORECASE)


def read(
    source: str | os.PathLike[str],
    *,
    header: bool | None = None,
    drop: Sequence[str | int] = (),
    decimal: Literal[".", ","] | None = None,
    size: int | tuple[int, int] | None = None,
    crop: int | tuple[int, int] | None = None,
) -> Source:
    r"""Read a table or images from a path.

    The suffix decides the format (see this module's table); gzip is recognised by content.
    Nothing is executed on reading: pickled arrays are refused.

    An array of more than two axes becomes (n, d) in row-major order, and ``image_shape`` keeps
    its trailing axes. Values are never rescaled.

    **Text.** Cells are parted by ``,``, ``;``, tab, ``|`` or whitespace, whichever makes a table
    of numbers of the first lines. Numbers have a decimal point, or a decimal comma where no cell
    contradicts it; signs between thousands are left out, and true and false, in any case, are 1
    and 0. A line that begins with ``#`` is a comment. A line of units below the header is left
    out with a warning. A delimiter that ends each line adds no column.

    **Missing entries** become NaN, and no row is left out for them: cells that are empty or
    hold ``NA``, ``N/A``, ``NaN``, ``null``, ``none``, ``?``, ``-``, ``.`` or an error of a
    spreadsheet such as ``#N/A``; nulls of parquet; in a table of one column, each blank line
    below the header. ``fit`` refuses NaN.

    **Memory.** What a file declares (the shape of a .npy, .npz or IDX file, the rows of a
    parquet file, the pixels of an image) is compared with the bytes that are there, and with
    the memory of the machine, before any is taken. No reader unpacks more than is declared, and
    all take at most 64 MiB beyond the table that they return. Text declares nothing: it is
    read line by line, a line having fewer than 2²⁴ characters. An image of more than 2²⁴ pixels
    is read only with ``size``.

    Parameters
    ----------
    source : str or path
        A file, or a folder of images.
    header : bool, optional
        For text: whether the first line names the columns. By default it is taken for a header
        if it holds words and no numbers, or a word above a number; or if it holds whole numbers
        in order that can be no row of data: far from every row below, or above fractions alone.
    drop : sequence of str or int
        Columns of a text or parquet table to leave out, by name or by position from 0.
    decimal : "." or ",", optional
        For text: the sign between whole numbers and fractions. By default the cells decide.
    size : int or (height, width), optional
        For a folder of images: resize each to this many pixels, after its centre is cut to the
        same ratio of height to width. An int is the side of a square.
    crop : int or (height, width), optional
        For a folder of images: cut this centre out of each, before it is resized.

    Returns
    -------
    Source
        ``values`` of shape (n, d), ``image_shape`` and ``feature_names``.

    Raises
    ------
    DataError
        If nothing is at the path, the array cannot be told, a column is not numeric, rows or
        images differ in size, the array has fewer than two axes, or the table does not fit in
        memory.
    DamagedFileError
        If the file is cut short or corrupt: whatever the packages that read the formats raise.
    SettingError
        If the suffix or a name is unknown, an option does not apply, or the package that reads
        the format is missing.

    Warns
    -----
    ReadWarning
        If a first line that was read as data may name the columns, or a line of units was left
        out.

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
    options = Options(header, tuple(drop), decimal, size, crop)
    return as_source(_parsed(source, options), os.fsdecode(source))


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
    values = numeric(_parsed(source, Options()).values, os.fsdecode(source))
    if values.ndim == 2 and values.shape[1] == 1:
        return values[:, 0]
    if values.ndim != 1:
        raise DataError(
            f"Labels are one number a datum; {source} holds an array of shape {values.shape}. "
            f"Name the file with the labels, or read data with `read`."
        )
    return values


def _parsed(source: str | os.PathLike[str], options: Options) -> Parsed:
    """Parse within the boundary, and make warnings of what the parser remarks."""
    given = os.fsdecode(source)
    if not given:  # Path("") is the working directory
        raise DataError("Data are read from a file or folder; got an empty path. Name one.")
    path, name = _split(given)
    existing(path)
    with damage_named(path):
        parsed = _parse(path, name, options)
    for remark in parsed.remarks:
        warnings.warn(remark, ReadWarning, stacklevel=3)
    return parsed


def _parse(path: Path, name: str | None, options: Options) -> Parsed:
    kind = _kind(path)
    options.check(kind, path)
    if kind == "text":
        return read_text(path, header=options.header, drop=options.drop, decimal=options.decimal)
    if kind == "folder":
        return read_images(path, size=options.size, crop=options.crop)
    if kind == ".parquet":
        return read_parquet(path, drop=options.drop)
    if kind == ".npz":
        return read_npz(path, name)
    if kind == ".npy":
        return read_npy(path)
    return read_idx(path)


def _kind(path: Path) -> str:
    """Return which reader opens a path: by its suffix, else by whether numbers are in it."""
    if path.is_dir():
        return "folder"
    suffix = _suffix(path)
    if suffix in TEXT_SUFFIXES:
        return "text"
    if suffix in (".npy", ".npz", ".parquet"):
        return suffix
    if is_idx_name(path.name):
        return "IDX"
    if is_table(path):
        return "text"
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
