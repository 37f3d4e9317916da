"""What is known of a published data set before a byte of it is here."""

import re
from dataclasses import dataclass
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
        Its SHA-256 in lower-case hexadecimal digits; every copy is held against it.
    md5 : str or None
        The MD5 that its authors published, as the provenance of ``sha256``.

    Raises
    ------
    SettingError
        If the name is a path, which could leave the cache.
    """

    name: str
    size: int
    sha256: str
    md5: str | None = None

    def __post_init__(self) -> None:
        _check_plain(self.name, "Put folders into the mirror's address.")


@dataclass(frozen=True)
class Dataset:
    """A data set: its files, and the folders on the web that hold all of them.

    Parameters
    ----------
    name : str
        The name to ask for it by, and its folder in the cache.
    files : tuple of RemoteFile
        What it consists of.
    mirrors : tuple of str
        Addresses that a file's name is appended to, tried in order; http or https only.
    licence : str
        The terms under which its authors published it.

    Raises
    ------
    SettingError
        If the name is a path, or a mirror is neither http nor https.
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
        """Return where ``mirror`` keeps ``file``."""
        return f"{mirror.rstrip('/')}/{file.name}"


def _check_plain(name: str, remedy: str) -> None:
    """Refuse names that mean another folder: they are joined to the cache's path."""
    if re.fullmatch(r"[\w-][\w.-]*", name) is None:
        raise SettingError(f"What is cached must have a plain name; got {name!r}. {remedy}")
