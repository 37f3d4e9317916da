"""Which versions of the library write files that this one reads, and what to do about others.

A release reads the files of its own format and of those of the two releases before it.
"""

import re
from typing import Literal

from wellposed._errors import DamagedFileError
from wellposed._version import __version__

FORMAT_VERSION = 1  # that is written
READABLE = (1,)

_PLAIN = re.compile(r"[0-9]+(\.[0-9]+)*[A-Za-z0-9.+]*")


class OtherVersionError(DamagedFileError):
    """A whole file of a format that this version does not read."""


def check_format(version: object, library: str) -> None:
    """Refuse a file of a format that this version of the library does not read.

    Parameters
    ----------
    version : of the format, as the file states it
    library : version of the library that wrote the file, as the file states it

    Raises
    ------
    OtherVersionError
        With the rule, the value and the remedy.
    """
    if type(version) is int and version in READABLE:
        return
    formats = " or ".join(map(str, READABLE))
    raise OtherVersionError(
        f"wellposed {__version__} reads files of format version {formats}; this one has format "
        f"version {str(version)[:20]}, and was written by wellposed {library[:40]}. "
        f"{remedy(library)}"
    )


def remedy(library: str) -> str:
    """Return what to do with a file that a version wrote and this one cannot read."""
    age = age_of(library)
    if age == "newer":
        return f"Run `pip install --upgrade 'wellposed>={library}'`."
    if age == "older":
        return (
            f"Load it with wellposed {library} and save it with the second release after that, and "
            "so on: each release reads the files of the two before it."
        )
    return "Load it with the version that wrote it."


def age_of(library: str) -> Literal["newer", "older", "unknown"]:
    """Compare the version of the library that wrote a file with this one."""
    if len(library) > 40 or _PLAIN.fullmatch(library) is None or library == __version__:
        return "unknown"
    theirs, ours = _numbers(library), _numbers(__version__)
    return "unknown" if theirs == ours else "newer" if theirs > ours else "older"


def _numbers(version: str) -> list[int]:
    found = re.match(r"[0-9.]*", version)
    return [int(number) for number in (found[0] if found else "").split(".") if number]
