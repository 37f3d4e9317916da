"""What is known of a published data set before a byte of it is here."""

from dataclasses import dataclass
from pathlib import PurePath
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
        if PurePath(self.name).name != self.name or "\\" in self.name:
            raise SettingError(
                f"A remote file's name must be a plain name; got {self.name!r}. Put folders into "
                f"the mirror's address."
            )


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
        if PurePath(self.name).name != self.name or "\\" in self.name:
            raise SettingError(
                f"A data set's name must be a plain name; got {self.name!r}. Leave out separators."
            )
        for mirror in self.mirrors:
            if urlsplit(mirror).scheme not in ("http", "https"):
                raise SettingError(
                    f"A mirror must be an http or https address; got {mirror!r}. "
                    f"For a folder, use fetch(…, source=folder)."
                )

    def address(self, mirror: str, file: RemoteFile) -> str:
        """Return where ``mirror`` keeps ``file``."""
        return f"{mirror.rstrip('/')}/{file.name}"
