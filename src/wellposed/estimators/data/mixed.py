"""Tables of columns of several kinds: their schema, and their numbers in a model."""

import dataclasses
import os
import warnings
from collections.abc import Sequence
from typing import Any

from wellposed import datasets
from wellposed._compiled import keep_compiled
from wellposed._errors import DataWarning, SettingError, named_features
from wellposed._forks import check_process
from wellposed.datasets._read import read_text_columns
from wellposed.datasets.readers.columns import NotNumericError
from wellposed.noise import AbstractNoise
from wellposed.tables import Schema
from wellposed.tables._frames import Frame, frame_of_text
from wellposed.tables._infer import words_among_numbers

from .containers import table_of
from .rows import open_table
from .table import Table

_SHOWN = 5  # words and columns in a warning


def open_to_fit(X: Any, noise: Any) -> Table:
    """Read rows to fit a model to, with their schema where they are a frame.

    Where the noise is "auto" or a schema, columns may hold text, categories, booleans, dates and
    times. A frame of numbers alone is read as an array of them, and so is a file.

    Parameters
    ----------
    X : rows in a container of any supported type, or a path
    noise : setting of the estimator

    Raises
    ------
    DataError
        For data that are no table, and cells that have no model.
    """
    check_process()
    keep_compiled()  # before the first program of this process
    if isinstance(X, Table):
        return X
    given = isinstance(noise, Schema)
    if not given and not (isinstance(noise, str) and noise == "auto"):
        return table_of(X)
    X = read_mixed(X)
    frame = Frame.of(X)
    if not given and (frame is None or frame.is_numbers()):
        return dataclasses.replace(table_of(X), schema=Schema.of_numbers(X))
    schema = (noise if given else Schema.of(X)).complete(X)
    if not given:
        _warn_of_words(schema)
    return _encoded(X, schema)


def noise_for(setting: Any, schema: Schema | None) -> Any:
    """Return the noise of a model: that of a schema of several kinds, else the setting.

    Parameters
    ----------
    setting : of the estimator
    schema : of the data

    Raises
    ------
    SettingError
        For another noise than "auto" on columns of several kinds.
    """
    if schema is None or schema.one_noise:
        return setting
    if not isinstance(setting, (str, Schema)):
        raise SettingError(
            "The columns of the data are of several kinds, whose noise is that of their schema; "
            f'got {type(setting).__name__}. Use noise="auto", or a schema: '
            "Schema.of(X).replace(name, noise=...)."
        )
    return schema.make_noise()


def robust_noise(schema: Schema | None, setting: object) -> str:
    """Return, as text, the setting of noise with heavy tails, and for which columns it is."""
    if schema is not None and not schema.one_noise:
        return (
            'noise=wp.Schema.of(X).replace(column, noise="student-t") is robust to them in columns '
            'of the kind "real" (on the command line, --column COLUMN=student-t); amounts have '
            "long tails as they are, and for a cap there is wp.noise.Censored"
        )
    if isinstance(setting, AbstractNoise):
        return "wp.noise.StudentT() as their noise is robust to them, if they are no amounts"
    return 'noise="student-t" is robust to them'


def open_rows(X: Any, schema: Schema | None, *, unseen_as_gaps: bool = False) -> Table:
    """Read rows for a fitted model.

    Parameters
    ----------
    X : rows in a container of any supported type, or a path
    schema : of the model; None for arrays
    unseen_as_gaps : whether a level that the schema does not have is a missing cell

    Raises
    ------
    DataError
        For data that are no table, and cells that the schema does not have.
    """
    if isinstance(X, Table) or schema is None or schema.one_noise:
        return open_table(X)
    check_process()
    keep_compiled()
    X = read_mixed(X)
    table = _encoded(X, schema, unseen_as_gaps)
    if unseen_as_gaps:
        _warn_of_unseen(schema.unseen(X))
    return table


def _warn_of_words(schema: Schema) -> None:
    """Warn of columns that would be numbers, but for words such as "?" for gaps."""
    found = {str(c.name): words_among_numbers(c.levels or ()) for c in schema.columns}
    found = {name: words for name, words in found.items() if words}
    if not found:
        return
    words = sorted({word for each in found.values() for word in each})
    warnings.warn(
        f"Columns {named_features(range(len(found)), names=list(found))} hold numbers but for "
        f"{', '.join(map(repr, words[:_SHOWN]))}, and are taken for text. If these are missing "
        f"cells, read the file with pd.read_csv(path, na_values={words[:_SHOWN]!r}), or pass its "
        'path, and fit with missing="ignorable".',
        DataWarning,
        stacklevel=4,
    )


def _warn_of_unseen(unseen: dict[str, Any]) -> None:
    """Warn of categories that the fit did not have, which count as missing cells."""
    if unseen:
        each = "; ".join(f"{name!r} has {level!r}" for name, level in list(unseen.items())[:_SHOWN])
        warnings.warn(
            f"Categories that the fit did not have count as missing cells: {each}. Correct them, "
            "or fit with a schema that has them: wp.Schema.of(frame) of a frame with all of them.",
            DataWarning,
            stacklevel=5,
        )


def _encoded(X: Any, schema: Schema, unseen_as_gaps: bool = False) -> Table:
    """Return a frame as numbers, by its schema; missing cells are NaN."""
    names = schema.names
    rows = schema.encode(X, unseen_as_gaps=unseen_as_gaps)
    return Table(rows, names, names, schema=schema)


def read_mixed(X: Any, *, header: bool | None = None, drop: Sequence[str | int] = ()) -> Any:
    """Return a text file with columns of text as a frame, and any other data as they are.

    ``header`` and ``drop`` are those of :func:`wellposed.datasets.read`.
    """
    if not isinstance(X, (str, os.PathLike)):
        return X
    try:
        return datasets.read(X, header=header, drop=drop)
    except NotNumericError as error:
        found = read_text_columns(X, header=header, drop=drop)
        if found is None:
            raise
        return frame_of_text(found.names, found.columns, error)
