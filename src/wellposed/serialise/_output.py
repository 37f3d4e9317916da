"""Output files: checked for writing before the work, and written completely or not at all."""

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from wellposed._errors import OutputError

from ._temporaries import open_beside


def check_writable(path: str | os.PathLike, *, overwrite: bool) -> Path:
    """Check, before any long work, that ``path`` can be written under that name.

    Missing folders above it are created.

    Returns
    -------
    the path, absolute: a later change of the working directory does not move the output

    Raises
    ------
    OutputError
        If it exists and ``overwrite`` is false, is a folder or read-only, has a name that the file
        system does not allow, or its folder is not writable.
    """
    path = Path(os.fsdecode(path))
    try:
        _check(path, overwrite=overwrite)
    except OutputError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a name with a zero byte in it
        reason = getattr(error, "strerror", None) or error
        raise OutputError(
            f"{path} cannot be written: {reason}. Choose another folder or name."
        ) from error
    return path.absolute()


def _check(path: Path, *, overwrite: bool) -> None:
    target = _target(path)
    there = _status(target)
    if there is not None and stat.S_ISDIR(there.st_mode):
        raise OutputError(f"An output must be a file; {path} is a folder. Name a file in it.")
    if there is not None and not overwrite:
        raise OutputError(f"{path} exists and is not overwritten. Pass --force, or another name.")
    if there is not None and not os.access(target, os.W_OK):
        raise OutputError(f"{path} is read-only. Make it writable, or choose another name.")
    if there is not None and not stat.S_ISREG(there.st_mode):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    if there is None:
        _check_name(target)
    descriptor, temporary = open_beside(target, 0o600)
    os.close(descriptor)
    os.unlink(temporary)


def _check_name(target: Path) -> None:
    """Check that a name is allowed; it may be too long, or have characters that are not.

    A file of another name is made, since other processes may wait for one of this name.
    """
    own = f"{os.getpid():x}{secrets.token_hex(4)}"
    try:
        trial = target.with_name(f"{own}{target.name}")
        descriptor = os.open(trial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        trial = target.with_name(own + target.name[len(own) :])
        descriptor = os.open(trial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    os.close(descriptor)
    os.unlink(trial)


@contextlib.contextmanager
def replace_file(path: Path, *, text: bool = False) -> Iterator[IO[Any]]:
    """Open a temporary file that replaces ``path`` once it is written completely.

    An existing file keeps its permissions, and its owner where the system allows it; a symbolic
    link stays, and its target is replaced. A device, such as ``/dev/stdout``, is written to
    directly.

    Raises
    ------
    OutputError
        If writing fails; an old file is then unchanged.
    """
    try:
        target = _target(path)
        there = _status(target)
        if there is not None and not stat.S_ISREG(there.st_mode):
            with _stream(os.open(target, os.O_WRONLY), text) as file:
                yield file
            return
        yield from _new_file(target, there, text)
    except OSError as error:
        raise OutputError(
            f"{path} could not be written: {error.strerror or error}. The old file, if there was "
            "one, is untouched."
        ) from error


def _new_file(target: Path, there: os.stat_result | None, text: bool) -> Iterator[IO[Any]]:
    # A new file gets default permissions; the replacement of a private file is private from its
    # first byte.
    descriptor, temporary = open_beside(target, 0o666 if there is None else 0o600)
    try:
        with _stream(descriptor, text) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if there is not None:
            _dress(temporary, there)
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def _dress(path: Path, there: os.stat_result) -> None:
    """Give a file the owner and the permissions of another."""
    ours = os.stat(path)
    if (ours.st_uid, ours.st_gid) != (there.st_uid, there.st_gid):
        with contextlib.suppress(PermissionError):
            os.chown(path, there.st_uid, there.st_gid)
    os.chmod(path, stat.S_IMODE(there.st_mode))


def _target(path: Path) -> Path:
    """Target of a path through symbolic links, existing or not."""
    return Path(os.path.realpath(path))


def _status(path: Path) -> os.stat_result | None:
    try:
        return os.stat(path)
    except FileNotFoundError:
        return None


def _stream(descriptor: int, text: bool) -> IO[Any]:
    if text:  # newline: equal bytes on every platform
        return os.fdopen(descriptor, "w", encoding="utf-8", newline="")
    return os.fdopen(descriptor, "wb")
