"""Descriptions of published data sets, and checks of their copies."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from wellposed._errors import SettingError


@dataclass(frozen=True)
class RemoteFile:
    """A file as published.

    Parameters
    ----------
    name : str
        The file's name on every mirror and in the cache.
    size : int
        Its length in bytes.
    sha256 : str
        Its SHA-256 in lower-case hexadecimal digits; every copy is checked against it.
    md5 : str or None
        The MD5 that its authors published, as the provenance of ``sha256``.

    Raises
    ------
    SettingError
        If the name is a path, which could leave the cache.

    Examples
    --------
    >>> from wellposed.datasets import DATASETS
    >>> file = DATASETS["mnist"].files[0]
    >>> file.name, file.size
    ('train-images-idx3-ubyte.gz', 9912422)
    """

    name: str
    size: int
    sha256: str
    md5: str | None = None

    def __post_init__(self) -> None:
        _check_plain(self.name, "Put folders into the mirror's address.")


@dataclass(frozen=True)
class Dataset:
    """A data set: its files, and the folders on the web that contain all of them.

    Parameters
    ----------
    name : str
        The name for :func:`fetch` and :func:`load`, and of the folder in the cache.
    files : tuple of RemoteFile
        The files.
    mirrors : tuple of str
        Addresses of folders, tried in order; http or https only.
    licence : str
        The terms under which its authors published it.

    Raises
    ------
    SettingError
        If the name is a path, or a mirror is neither http nor https.

    Examples
    --------
    >>> from wellposed.datasets import Dataset, RemoteFile
    >>> file = RemoteFile("x.npy", size=80, sha256="0" * 64)
    >>> tiny = Dataset("tiny", (file,), mirrors=("https://example.org/tiny",))
    >>> tiny.address(tiny.mirrors[0], file)
    'https://example.org/tiny/x.npy'
    """

    name: str
    files: tuple[RemoteFile, ...]
    mirrors: tuple[str, ...]
    licence: str = "not stated"

    def __post_init__(self) -> None:
        _check_plain(self.name, "Use letters, digits, dots and dashes.")
        for mirror in self.mirrors:
            if urlsplit(mirror).scheme not in ("http", "https"):
                raise SettingError(
                    f"A mirror must be an http or https address; got {mirror!r}. "
                    f"For a folder, use fetch(…, source=folder)."
                )

    def address(self, mirror: str, file: RemoteFile) -> str:
        """Return the address of ``file`` on ``mirror``."""
        return f"{mirror.rstrip('/')}/{file.name}"


def find_fault(path: Path, file: RemoteFile) -> str | None:
    """Return the difference of a copy from the published file, or None if they are the same."""
    if not path.is_file():
        return "is missing"
    size = path.stat().st_size
    if size != file.size:
        return f"has {size} bytes, expected {file.size}"
    with path.open("rb") as handle:
        digest = hashlib.file_digest(handle, "sha256").hexdigest()
    return None if digest == file.sha256 else f"has SHA-256 {digest}, expected {file.sha256}"


def _check_plain(name: str, remedy: str) -> None:
    """Refuse names that are paths, since a name is joined to the path of the cache."""
    if re.fullmatch(r"[\w-][\w.-]*", name) is None:
        raise SettingError(f"A file or data set must have a plain name; got {name!r}. {remedy}")
