"""Opening of files: compression is detected by content, and damage raises one kind of error."""

import contextlib
import difflib
import errno
import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from wellposed._errors import DamagedFileError, DataError

GZIP_MAGIC = b"\x1f\x8b"
_LARGEST_RATIO = 1032  # largest ratio of DEFLATE: 258 bytes by a code of two bits


@contextlib.contextmanager
def open_binary(path: Path) -> Iterator[BinaryIO]:
    """Open for reading, through gzip where the content is compressed; damage raises one error.

    The content decides, not the suffix: browsers decompress ``.gz`` files and keep the name.
    """
    with path.open("rb") as raw:
        packed = raw.read(2) == GZIP_MAGIC
        raw.seek(0)
        try:
            yield cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if packed else raw
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise DamagedFileError(
                f"A gzip file must unpack to its end; {path} does not ({error}). "
                f"Fetch or copy it again."
            ) from error


def most_bytes(handle: BinaryIO, path: Path) -> int:
    """Return the maximum number of bytes to read: those on the disk, or decompressed from them."""
    size = path.stat().st_size
    packed = isinstance(handle, gzip.GzipFile)
    return size * _LARGEST_RATIO if packed else size - handle.tell()


@contextlib.contextmanager
def open_text(path: Path) -> Iterator[io.TextIOWrapper]:
    """Open as UTF-8 text, with or without a byte-order mark, through gzip where necessary."""
    with open_binary(path) as binary:
        try:
            yield io.TextIOWrapper(binary, encoding="utf-8-sig", newline="")
        except UnicodeDecodeError as error:
            raise DamagedFileError(
                f"Text must be encoded as UTF-8; {path} is not ({error}). Save it as UTF-8."
            ) from error


def existing(path: Path) -> Path:
    """Return the path; if it does not exist, raise an error with similar names."""
    try:
        if path.is_file() or path.is_dir():
            return path
        is_link, exists = path.is_symlink(), path.exists()
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        raise DataError(
            f"Data are read from a file or folder; the system takes no path as long as "
            f"{str(path)[:40]}…. Check the path."
        ) from error
    if exists:
        raise DataError(
            f"Data are read from a file or a folder; {path} is neither, but a pipe or a device, "
            f"which cannot be read twice. Save its content to a file."
        )
    if is_link:
        raise DataError(
            f"Data are read from a file or folder that exists; {path} is a link that leads "
            f"nowhere. Remove it, or name the file itself."
        )
    folder = path.parent
    names = [entry.name for entry in folder.iterdir()] if folder.is_dir() else []
    near = difflib.get_close_matches(path.name, names, n=1)
    hint = f"Did you mean {str(folder / near[0])!r}?" if near else "Check the path."
    if not folder.is_dir():
        hint = f"Its folder {str(folder)!r} does not exist either; check the path."
    raise DataError(f"Data are read from a file or folder that exists; {path} does not. {hint}")
