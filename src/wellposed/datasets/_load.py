"""Loading of downloaded data sets."""

import os
from dataclasses import dataclass, replace
from pathlib import Path

from wellposed._errors import DamagedFileError, DataError

from ._dataset import Dataset, find_fault
from ._fetch import find_dataset, folder_of
from ._read import read, read_labels
from ._source import Source


@dataclass(frozen=True, eq=False)
class Splits:
    """The training and the test part of a data set, as its authors split it.

    Parameters
    ----------
    train, test : Source
        Each with ``labels``.

    Examples
    --------
    >>> from wellposed.datasets import Splits, load_digits
    >>> digits = load_digits()
    >>> Splits(train=digits, test=digits).train.values.shape
    (1797, 64)
    """

    train: Source
    test: Source


def load(name: str | Dataset, *, cache: str | os.PathLike[str] | None = None) -> Splits:
    """Load a data set that :func:`fetch` has stored in the cache.

    Parameters
    ----------
    name : str or Dataset
        ``"mnist"`` or ``"fashion-mnist"``.
    cache : path, optional
        The cache, :func:`cache_dir` by default.

    Returns
    -------
    Splits
        ``train`` of 60,000 and ``test`` of 10,000 images: ``values`` uint8 of shape (n, 784),
        ``image_shape`` (28, 28), ``labels`` uint8 from 0 to 9.

    Raises
    ------
    DataError
        If a file is not in the cache.
    DamagedFileError
        If a file in the cache is not as published.
    SettingError
        If the name is unknown.

    Examples
    --------
    >>> import wellposed as wp
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as empty:
    ...     try:
    ...         wp.datasets.load("mnist", cache=empty)
    ...     except wp.DataError as error:
    ...         print(str(error).split("; ")[0])
    mnist must be fetched before it is loaded
    """
    dataset = find_dataset(name)
    folder = folder_of(dataset, cache)
    remedy = f"Run `wellposed data fetch {dataset.name}`"
    for file in dataset.files:
        reason = find_fault(folder / file.name, file)
        if reason == "is missing":
            raise DataError(
                f"{dataset.name} must be fetched before it is loaded; {folder / file.name} "
                f"{reason}. {remedy}."
            )
        if reason is not None:
            raise DamagedFileError(
                f"Files of {dataset.name} must be as published; {folder / file.name} {reason}. "
                f"{remedy} again."
            )
    return Splits(train=_part(folder, "train"), test=_part(folder, "t10k"))


def _part(folder: Path, stem: str) -> Source:
    images = read(folder / f"{stem}-images-idx3-ubyte.gz")
    labels = read_labels(folder / f"{stem}-labels-idx1-ubyte.gz")
    if len(labels) != len(images.values):
        raise DamagedFileError(
            f"There must be one label per image; {stem} in {folder} has {len(labels)} labels for "
            f"{len(images.values)} images. Fetch it again."
        )
    return replace(images, labels=labels)
