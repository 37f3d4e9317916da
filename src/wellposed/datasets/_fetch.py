"""Downloads: mirrors in turn, every copy checked against its SHA-256."""

import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

from wellposed._cache_folder import cache_folder
from wellposed._checks import check_number
from wellposed._errors import DownloadError, OutputError, unknown_name

from ._catalogue import DATASETS
from ._dataset import Dataset, RemoteFile, find_fault

Progress: TypeAlias = Callable[[str, int, int], None]

_PIECE = 1 << 20  # bytes


def fetch(
    name: str | Dataset,
    *,
    source: str | os.PathLike[str] | None = None,
    cache: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
    timeout: float = 30.0,
) -> Path:
    """Download a data set into the cache, and check the SHA-256 of every file.

    Files in the cache with the right SHA-256 are kept. A transfer that breaks off starts again at
    the next mirror. A file gets its name only after its SHA-256 is checked.

    Parameters
    ----------
    name : str or Dataset
        A key of ``DATASETS``, or a description of another data set.
    source : path, optional
        A folder to copy the files from, in place of the network.
    cache : path, optional
        The cache, :func:`cache_dir` by default.
    progress : callable, optional
        Called often, with (file name, bytes downloaded, bytes in all).
    timeout : float, default 30
        Seconds to wait for a connection, and between bytes.

    Returns
    -------
    Path
        The folder with the files.

    Raises
    ------
    DownloadError
        If no mirror, or the given folder, delivers a file with the right SHA-256.
    OutputError
        If the cache cannot be written.
    SettingError
        If the name is unknown or the timeout is not positive.

    Examples
    --------
    >>> import tempfile
    >>> from wellposed.datasets import Dataset, fetch
    >>> with tempfile.TemporaryDirectory() as cache:
    ...     fetch(Dataset("empty", files=(), mirrors=()), cache=cache).name
    'empty'
    """
    dataset = find_dataset(name)
    check_number("timeout", timeout, "It is in seconds.", above=0)
    report = progress or (lambda *_: None)
    folder = folder_of(dataset, cache)
    for file in dataset.files:
        if find_fault(folder / file.name, file) is not None:
            if source is None:
                _download(dataset, file, folder, timeout, report)
            else:
                _copy(dataset, file, folder, Path(source))
        report(file.name, file.size, file.size)
    return folder


def cache_dir() -> Path:
    """Return the folder for downloaded data; it may not exist yet.

    ``$WELLPOSED_CACHE`` if it is set, else the folder of the platform for caches:
    ``$XDG_CACHE_HOME/wellposed`` or ``~/.cache/wellposed`` on Linux,
    ``~/Library/Caches/wellposed`` on macOS, ``%LOCALAPPDATA%\\wellposed\\Cache`` on Windows.

    Returns
    -------
    Path

    Raises
    ------
    RuntimeError
        If the user has no home folder and no variable names another.

    Examples
    --------
    >>> from wellposed.datasets import cache_dir
    >>> cache_dir().is_absolute()
    True
    """
    return cache_folder()


def find_dataset(name: str | Dataset) -> Dataset:
    """Return the data set of a name."""
    if isinstance(name, Dataset):
        return name
    if name not in DATASETS:
        raise unknown_name("A data set", name, DATASETS)
    return DATASETS[name]


def folder_of(dataset: Dataset, cache: str | os.PathLike[str] | None) -> Path:
    """Return the folder of a data set in the cache."""
    return (cache_dir() if cache is None else Path(cache)) / dataset.name


def _download(
    dataset: Dataset, file: RemoteFile, folder: Path, timeout: float, report: Progress
) -> None:
    from ._http import UndeliveredError, pieces_of  # here, since the client takes time to import

    def show(count: int) -> None:
        report(file.name, count, file.size)

    reasons = []
    for mirror in dataset.mirrors:
        url = dataset.address(mirror, file)
        try:
            reason = _store(pieces_of(url, file.size, timeout, show), file, folder)
        except UndeliveredError as error:
            reason = str(error)
        if reason is None:
            return
        reasons.append(f"  {url}: {reason}")
    raise DownloadError(
        "\n".join(
            [
                f"{file.name} of {dataset.name} must come with SHA-256 {file.sha256}; "
                f"no mirror delivered it:",
                *reasons,
                f"Try again later, or put the files into a folder DIR by hand and run "
                f"`wellposed data fetch {dataset.name} --from DIR`.",
            ]
        )
    )


def _copy(dataset: Dataset, file: RemoteFile, folder: Path, source: Path) -> None:
    given = source / file.name
    reason = find_fault(given, file) or _store(_pieces(given), file, folder)
    if reason is not None:
        raise DownloadError(
            f"Every file of {dataset.name} must be as published; {given} {reason}. "
            f"Give a folder with the right files: {', '.join(f.name for f in dataset.files)}."
        )


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as given:
        while piece := given.read(_PIECE):
            yield piece


def _store(pieces: Iterator[bytes], file: RemoteFile, folder: Path) -> str | None:
    """Store a file under its name, or return what is wrong with the pieces.

    A name that the file gets once it is complete and right; until then another, which goes with
    whatever stops the transfer.
    """
    part = folder / f".{file.name}-{secrets.token_hex(4)}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            with part.open("xb") as output:
                for piece in pieces:
                    output.write(piece)
            fault = find_fault(part, file)
            if fault is None:
                part.replace(folder / file.name)
            return fault
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(
            f"Data are downloaded into a folder that can be written; {folder} cannot be "
            f"({error}). Make room there, or set WELLPOSED_CACHE to another folder."
        ) from error
