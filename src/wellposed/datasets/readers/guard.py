"""Conversion of all errors of parsers on damaged files into one error."""

import contextlib
import errno
import os
import warnings
from collections.abc import Iterator
from pathlib import Path

from wellposed._errors import DamagedFileError, DataError, WellposedError


@contextlib.contextmanager
def name_damage(path: Path) -> Iterator[None]:
    """Turn exceptions of a parser on a damaged file into ``DamagedFileError``.

    The parsers of six packages raise exceptions of their own, some of them undocumented. Errors of
    this library pass through, as do those of the operating system (no permission, no such file),
    which are not about the content. Warnings of the parsers are not shown: the readers check the
    relevant conditions.
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
    """Whether the error comes from the operating system, as for missing permission.

    A wrong offset in a damaged file raises "invalid argument" in the system.
    """
    return isinstance(error, OSError) and error.errno not in (None, errno.EINVAL)


def check_room(n_bytes: int, described: str, path: Path) -> None:
    """Refuse an array larger than the memory of the machine, before it is allocated.

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
    """Describe an exception in one short line."""
    text = " ".join(str(error).split())
    text = text if len(text) <= most else text[:most] + "…"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
