"""Fetching data sets: mirrors in turn, broken transfers continued, every copy checked."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from wellposed._checks import check_number
from wellposed._errors import DownloadError, unknown_name

from ._cache import cache_dir
from ._catalogue import DATASETS
from ._dataset import Dataset, RemoteFile
from ._transfer import BrokenOffError, RefusedError, held, transfer, writable
from ._verify import fault

Progress: TypeAlias = Callable[[str, int, int], None]

# How often one mirror may break off in one file, having sent something each time.
MOST_RESUMES = 8


def fetch(
    name: str | Dataset,
    *,
    source: str | os.PathLike[str] | None = None,
    cache: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
    timeout: float = 30.0,
) -> Path:
    """Fetch a data set into the cache, and check every file against its SHA-256.

    Files that are there and right are kept. The others come from the first mirror that delivers
    them; a transfer that broke off is continued, on the next call too. A file bears its name only
    once its size and SHA-256 are right.

    Parameters
    ----------
    name : str or Dataset
        A key of ``DATASETS``, or a description of another data set.
    source : path, optional
        A folder to copy the files from, instead of any mirror; for machines without a network.
    cache : path, optional
        The cache, :func:`cache_dir` by default.
    progress : callable, optional
        Called with (file name, bytes here, bytes in all), often.
    timeout : float
        Seconds to wait for a connection, and between bytes.

    Returns
    -------
    Path
        The folder that holds the files.

    Raises
    ------
    DownloadError
        If no mirror, or the given folder, delivered a file with the right SHA-256.
    OutputError
        If the cache cannot be written.
    SettingError
        If the name is unknown or the timeout is not positive.
    """
    dataset = described(name)
    check_number("timeout", timeout, "It is in seconds.", above=0)
    report = progress or (lambda *_: None)
    folder = folder_of(dataset, cache)
    with writable(folder):
        folder.mkdir(parents=True, exist_ok=True)
    for file in dataset.files:
        target = folder / file.name
        if fault(target, file) is not None:
            part = target.with_name(file.name + ".part")
            if source is None:
                _download(dataset, file, part, timeout, report)
            else:
                _copy(dataset, file, Path(source), part)
            with writable(target):
                part.replace(target)
        report(file.name, file.size, file.size)
    return folder


def described(name: str | Dataset) -> Dataset:
    """Look a data set up by its name."""
    if isinstance(name, Dataset):
        return name
    if name not in DATASETS:
        raise unknown_name("A data set", name, DATASETS)
    return DATASETS[name]


def folder_of(dataset: Dataset, cache: str | os.PathLike[str] | None) -> Path:
    """Return where the cache keeps a data set."""
    return (cache_dir() if cache is None else Path(cache)) / dataset.name


def _copy(dataset: Dataset, file: RemoteFile, source: Path, part: Path) -> None:
    given = source / file.name
    reason = fault(given, file)
    if reason is not None:
        raise DownloadError(
            f"Every file of {dataset.name} must be as published; {given} {reason}. "
            f"Give a folder with the right files: {', '.join(f.name for f in dataset.files)}."
        )
    with writable(part):
        shutil.copyfile(given, part)
    reason = fault(part, file)
    if reason is not None:
        raise DownloadError(f"{given} changed while it was copied: the copy {reason}. Try again.")


def _download(
    dataset: Dataset, file: RemoteFile, part: Path, timeout: float, report: Progress
) -> None:
    reasons = []
    for mirror in dataset.mirrors:
        url = dataset.address(mirror, file)
        try:
            _from_mirror(url, file, part, timeout, report)
            return
        except (RefusedError, BrokenOffError) as error:
            reasons.append(f"  {url}: {error}")
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


def _from_mirror(url: str, file: RemoteFile, part: Path, timeout: float, report: Progress) -> None:
    """Complete ``part`` from one mirror, or raise with the reason why this mirror cannot.

    Bytes left by another mirror or an earlier call may be what is wrong with a sum, so they are
    dropped first, and this mirror judged by its own bytes alone.
    """
    inherited = held(part) > 0
    while True:
        _complete(url, file, part, timeout, report)
        reason = fault(part, file)
        if reason is None:
            return
        with writable(part):
            part.unlink()
        if not inherited:
            raise RefusedError(f"what it sent {reason}")
        inherited = False


def _complete(url: str, file: RemoteFile, part: Path, timeout: float, report: Progress) -> None:
    """Ask until all bytes are here, as long as every request brings some."""
    for attempt in range(MOST_RESUMES + 1):
        before = held(part)
        if before >= file.size:
            return
        try:
            transfer(
                url,
                part,
                file.size,
                timeout=timeout,
                progress=lambda count: report(file.name, count, file.size),
            )
        except BrokenOffError:
            if held(part) <= before or attempt == MOST_RESUMES:
                raise
