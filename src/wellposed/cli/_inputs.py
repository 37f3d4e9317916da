"""Reading what commands are given."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from wellposed._errors import DataError, SettingError

from ._terminal import say


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


def aligned(source: Any, model: Any) -> Any:
    """Put a table's columns in the order of those that a model was fitted to, by their names.

    Columns without names are taken in the model's order, and one line on stderr says so.

    Raises
    ------
    DataError
        For columns that the model does not have, or that it needs and the table lacks.
    """
    wanted = getattr(model, "feature_names_in_", None)
    if wanted is None:
        # Nothing to compare with: the number of columns is all that can be checked.
        return dataclasses.replace(source, feature_names=None)
    names, d = tuple(map(str, wanted)), source.values.shape[1]
    given = source.feature_names
    if given is None:
        if d == len(names):
            say(
                "The data have no names of columns: they are taken in the model's order, "
                f"{_listed(names)}.",
                err=True,
            )
            given = names
        return dataclasses.replace(source, feature_names=given)
    if tuple(given) == names:
        return source
    _check_same(tuple(given), names)
    places = [given.index(name) for name in names]
    say("The columns of the data are put in the model's order, by their names.", err=True)
    return dataclasses.replace(source, values=source.values[:, places], feature_names=names)


def _check_same(given: tuple[str, ...], names: tuple[str, ...]) -> None:
    """Raise ``DataError`` unless the one is the other in another order."""
    missing = [name for name in names if name not in given]
    extra = [name for name in given if name not in names]
    twice = sorted({name for name in given if given.count(name) > 1})
    problems = []
    if missing:
        problems.append(f"{_listed(missing)} missing")
    if extra:
        problems.append(f"{_listed(extra)} unknown to the model")
    if twice:
        problems.append(f"{_listed(twice)} there more than once")
    if not problems:
        return
    spare = bool(extra) and not missing
    remedy = f"--drop {extra[0]!r} leaves a column out." if spare else "Correct the header."
    raise DataError(
        f"The data must have the columns that the model was fitted to, {_listed(names)}; got "
        f"{', and '.join(problems)}. {remedy}"
    )


def _listed(names: Sequence[str], most: int = 8) -> str:
    shown = ", ".join(map(repr, names[:most]))
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def feature_columns(model: Any, d: int) -> list[str]:
    """Return the names of a model's features, for the header of a table of d columns."""
    names = getattr(model, "feature_names_in_", None)
    return [f"x{i}" for i in range(d)] if names is None else [str(name) for name in names]


def scaled(source: Any, divisor: float) -> Any:
    """Divide data by a number, in float64; leave them in their own type for one."""
    if divisor == 1:
        return source
    return dataclasses.replace(source, values=source.values / np.float64(divisor))


def open_model(path: Path) -> Any:
    """Load a fitted estimator."""
    from wellposed.estimators import load

    return load(path)
