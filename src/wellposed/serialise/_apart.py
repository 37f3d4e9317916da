"""Detection of outputs that are also inputs, by the identity of the file, not its name."""

import os
import re
import stat
from pathlib import Path

from wellposed._errors import SettingError

# Suffixes of the files that are read from a folder of images.
_PICTURES = frozenset((".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm"))
_MEMBER = re.compile(r"(?P<path>.+\.npz):[^:/\\]+", re.IGNORECASE)


def check_apart(output: object, *others: object, what: str = "The output") -> None:
    """Refuse to write a file that is also read, or is written as something else.

    Two paths are one file if the system reports the same file for both, also through symbolic and
    hard links; or, where neither exists, if they resolve to the same path. A picture in a folder of
    images that is read is one of the inputs.

    Parameters
    ----------
    output : path to be written; None writes nothing
    others : further inputs and outputs; values that are no paths, and paths where nothing exists,
        are ignored
    what : name of the output in the message

    Raises
    ------
    SettingError
        Naming both.
    """
    if not isinstance(output, (str, os.PathLike)):
        return
    for other in others:
        if isinstance(other, (str, os.PathLike)) and _meet(_path(output), _read(other)):
            raise SettingError(
                f"{what} must be a file of its own; {_path(output)} is also {_path(other)}, "
                "which would be lost. Name another file."
            )


def _path(given: str | os.PathLike[str]) -> Path:
    return Path(os.fsdecode(given))


def _read(given: str | os.PathLike[str]) -> Path:
    """Path of the file that is read: the archive, where a member of it is given."""
    text = os.fsdecode(given)
    member = _MEMBER.fullmatch(text)
    return Path(member["path"]) if member and not os.path.exists(text) else Path(text)


def _meet(output: Path, other: Path) -> bool:
    try:
        if os.path.realpath(output) == os.path.realpath(other):
            return True
        if other.is_dir():
            return _is_picture_of(output, other)
        return os.path.samefile(output, other)
    except (OSError, ValueError):  # one of them does not exist
        return False


def _is_picture_of(output: Path, folder: Path) -> bool:
    target = Path(os.path.realpath(output))
    if target.suffix.lower() in _PICTURES and os.path.samefile(target.parent, folder):
        return True
    there = os.stat(target)
    if there.st_nlink < 2 or not stat.S_ISREG(there.st_mode):
        return False
    with os.scandir(folder) as entries:
        return any(
            os.path.splitext(entry.name)[1].lower() in _PICTURES
            and os.path.samestat(there, entry.stat())
            for entry in entries
        )
