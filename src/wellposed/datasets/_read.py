"""One function for all formats: the path determines the reader."""

import os
import re
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from wellposed._errors import DataError, ReadWarning, unknown_name

from ._source import Parsed, Source, as_source, numeric
from .readers.guard import name_damage
from .readers.idx import is_idx_name, read_idx
from .readers.images import read_images
from .readers.layout import is_table
from .readers.npy import read_npy
from .readers.npz import read_npz
from .readers.open import existing
from .readers.options import Options
from .readers.parquet import read_parquet
from .readers.text import read_text
from .readers.text_columns import TextColumns, read_columns

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

    ``help(wellposed.datasets)`` lists the formats, the conventions of text, and the codes of
    missing entries, which become NaN. Nothing is executed on reading: pickled arrays are refused.
    An array of more than two axes becomes (n, d) in row-major order. Values are never rescaled.
    Memory is allocated for the declared size, after it is compared with the bytes in the file, plus
    at most 64 MiB.

    Parameters
    ----------
    source : str or path
        A file, or a folder of images.
    header : bool, optional
        For text: whether the first line names the columns. By default it is detected.
    drop : sequence of str or int
        Columns of a text or parquet table to leave out, by name or by position from 0.
    decimal : "." or ",", optional
        For text: the sign between whole numbers and fractions. By default it is detected.
    size : int or (height, width), optional
        For a folder: resize each image, after its centre is cut to the same proportions.
    crop : int or (height, width), optional
        For a folder: cut this centre out of each image, before it is resized.

    Returns
    -------
    Source
        ``values`` of shape (n, d), ``image_shape`` and ``feature_names``.

    Raises
    ------
    DataError
        If nothing is at the path, the array is ambiguous, a column is not numeric, rows or
        images differ in size, there are fewer than two axes, or memory does not suffice.
    DamagedFileError
        If the file is cut short or corrupt.
    SettingError
        If the suffix or a name is unknown, an option does not apply, or a package is missing.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from wellposed.datasets import read
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "table.csv")
    ...     _ = path.write_text("length,width\n1.5,2\n,4\n")
    ...     table = read(path)
    >>> table.feature_names, table.values.tolist()
    (('length', 'width'), [[1.5, 2.0], [nan, 4.0]])
    """
    options = Options(header, tuple(drop), decimal, size, crop)
    return as_source(_parse_file(source, options), os.fsdecode(source))


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

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "labels.npy")
    >>> np.save(path, [3, 1, 2])
    >>> read_labels(path).tolist()
    [3, 1, 2]
    """
    values = numeric(_parse_file(source, Options()).values, os.fsdecode(source))
    if values.ndim == 2 and values.shape[1] == 1:
        return values[:, 0]
    if values.ndim != 1:
        raise DataError(
            f"Labels are one number a datum; {source} holds an array of shape {values.shape}. "
            f"Name the file with the labels, or read data with `read`."
        )
    return values


def read_text_columns(
    source: str | os.PathLike[str],
    *,
    header: bool | None = None,
    drop: Sequence[str | int] = (),
) -> TextColumns | None:
    """Read a text table whose columns are not all numbers; None for files of other formats.

    ``header`` and ``drop`` are those of :func:`read`.

    Raises
    ------
    DataError
        For lines with more or fewer cells than the first.
    DamagedFileError
        If the file is not text throughout.
    """
    path, _ = _split(os.fsdecode(source))
    existing(path)
    with name_damage(path):
        if _kind(path) != "text":
            return None
        return read_columns(path, header=header, drop=tuple(drop))


def _parse_file(source: str | os.PathLike[str], options: Options) -> Parsed:
    """Parse a file, turn its damage into one error, and issue the remarks as warnings."""
    given = os.fsdecode(source)
    if not given:  # Path("") is the working directory
        raise DataError("Data are read from a file or folder; got an empty path. Name one.")
    path, name = _split(given)
    existing(path)
    with name_damage(path):
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
    """Return the kind of reader for a path: by its suffix, else by its content."""
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
    """Split ``path.npz:name`` into path and name, unless a file has that whole name."""
    match = _MEMBER.fullmatch(source)
    if match is None or Path(source).exists():
        return Path(source), None
    return Path(match["path"]), match["name"]


def _suffix(path: Path) -> str:
    """Return the suffix in lower case, without ``.gz``."""
    name = path.name.lower().removesuffix(".gz")
    return "" if is_idx_name(name) else Path(name).suffix
