"""Reading what commands are given."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from wellposed._errors import SettingError


def read_rows(source: str, header: bool | None = None, drop: list[str] | None = None) -> Any:
    """Read data as ``wellposed.datasets.read`` does; a number in ``drop`` may be a position.

    Where nothing is at the path, ``digits``, ``mnist`` and ``fashion-mnist`` name a data set,
    whose training part is taken.
    """
    from wellposed import datasets

    if (source == "digits" or source in datasets.DATASETS) and not Path(source).exists():
        if header is not None or drop:
            raise SettingError(
                f"--header and --drop are for text and tables; {source} is a data set of images. "
                "Leave them out."
            )
        return datasets.load_digits() if source == "digits" else datasets.load(source).train
    return datasets.read(source, header=header, drop=drop or ())


def scaled(source: Any, divisor: float) -> Any:
    """Divide data by a number, in float64; leave them in their own type for one."""
    if divisor == 1:
        return source
    return dataclasses.replace(source, values=source.values / np.float64(divisor))


def open_model(path: Path) -> Any:
    """Load a fitted estimator."""
    from wellposed.estimators import load

    return load(path)
