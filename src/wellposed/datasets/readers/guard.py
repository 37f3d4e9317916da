"""The boundary around every reader: whatever a damaged file makes it raise becomes one error."""

import contextlib
import errno
import os
import warnings
from collections.abc import Iterator
from pathlib import Path

from wellposed._errors import DamagedFileError, DataError, WellposedError


@contextlib.contextmanager
def name_damage(path: Path) -> Iterator[None]:
    """Turn what a parser raises on a damaged file into ``DamagedFileError``.

    Parsers of six packages meet bytes that nobody vouches for; each has exceptions of its own,
    some of them undocumented. Errors of this library pass, and so do those of the operating
    system (no permission, no such file): they are about the machine and not about the content.
    Warnings of the parsers are not shown: what matters among them is checked by the readers.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except WellposedError:
            raise
        except MemoryError as error:
            raise DataError(
                f"The content of a file must fit in memory; {path} does not ({_words(error)}). "
                f"Read a part of it, or use a machine with more memory."
            ) from error
        except Exception as error:
            if is_of_the_system(error):
                raise
            raise DamagedFileError(
                f"A file must be whole to be read; {path} is damaged or of another format "
                f"({_words(error)}). Write or copy it again."
            ) from error


def is_of_the_system(error: Exception) -> bool:
    """Say whether the operating system refused, as for want of permission, and not a parser.

    A wrong offset in a damaged file is an invalid argument to the system.
    """
    return isinstance(error, OSError) and error.errno not in (None, errno.EINVAL)


def check_room(n_bytes: int, described: str, path: Path) -> None:
    """Refuse an array that the machine cannot hold, before any memory is taken.

    Raises
    ------
    DataError
        If ``n_bytes`` exceeds the physical memory, where the system states it.
    """
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # Windows has no sysconf
        return
    if n_bytes > memory:
        raise DataError(
            f"The content of a file must fit in memory; {path} declares {described}, "
            f"{n_bytes / 2**30:.3g} GiB, and this machine has {memory / 2**30:.3g} GiB. "
            f"Read a part of it, or use a machine with more memory."
        )


def _words(error: BaseException, most: int = 200) -> str:
    """Name an exception in one short line."""
    text = " ".join(str(error).split())
    text = text if len(text) <= most else text[:most] + "…"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
